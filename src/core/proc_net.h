/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The socket table as text, /proc/net/{tcp,udp,udplite} and their IPv6 twins:
 * for kernels and sandboxes without NETLINK_SOCK_DIAG.
 */

#include "core/sock_diag.h"

/*
 * As sock_diag_list(). Returns -ENOENT when the kernel lacks the protocol, or
 * /proc is not mounted; SCTP has no such table of this form.
 */
int proc_net_list(enum space space, kernel_socket_visit visit, void *context);
