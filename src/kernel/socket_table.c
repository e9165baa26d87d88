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

	/* The visitor may have seen some sockets already, and sees them again:
	 * a listing of a changing table may show a socket twice in any case. */
	const int in_proc = proc_net_list(protocol, port, visit, context);

	/* -ENOENT may also mean that the kernel has no diag module for the
	 * protocol. */
	return in_proc == -EOPNOTSUPP && result != -ENOENT ? result : in_proc;
}
