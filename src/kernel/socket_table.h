/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The kernel's table of sockets: read by sock_diag.h; where that is missing or
 * refused, as for kernels and sandboxes without NETLINK_SOCK_DIAG, as text from
 * /proc/net/{tcp,udp,udplite} and their IPv6 counterparts.
 */

#include "kernel/sock_diag.h"

/* As sock_diag_list() says. */
int socket_table_list(enum protocol protocol, uint16_t port,
		      kernel_socket_visit visit, void *context);

/*
 * The same from /proc/net alone, and the port is ignored. Returns 0; -ENOENT
 * when the kernel lacks the protocol; -EOPNOTSUPP where there is no table to
 * read: /proc is not mounted, or the protocol is SCTP, whose table has another
 * form; or -errno.
 */
int proc_net_list(enum protocol protocol, uint16_t port,
		  kernel_socket_visit visit, void *context);
