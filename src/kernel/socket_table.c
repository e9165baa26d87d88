/* SPDX-License-Identifier: MIT */
#include "kernel/socket_table.h"

#include <errno.h>

#include "kernel/proc_net.h"

int socket_table_list(enum protocol protocol, uint16_t port,
		      kernel_socket_visit visit, void *context)
{
	const int result = sock_diag_list(protocol, port, visit, context);

	if (result >= 0)
		return result;

	/* A visitor may have seen some sockets already, and sees them again:
	 * listings are of a moving table, and never free of doubles. */
	const int in_proc = proc_net_list(protocol, port, visit, context);

	/* -ENOENT may also be that the kernel has no diag module for it. */
	return in_proc == -EOPNOTSUPP && result != -ENOENT ? result : in_proc;
}
