/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The kernel's table of sockets: read by sock_diag.h; where that is missing or
 * refused, by proc_net.h.
 */

#include "kernel/sock_diag.h"

/* As sock_diag_list() says. */
int socket_table_list(enum protocol protocol, uint16_t port,
		      kernel_socket_visit visit, void *context);
