/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The kernel's own table of sockets, from NETLINK_SOCK_DIAG, sock_diag(7).
 *
 * Opens a descriptor and closes it again. No heap; maps memory for its buffers,
 * -ENOMEM without it.
 */

#include <stdbool.h>
#include <stdint.h>

#include "kernel/endpoint.h"
#include "kernel/protocol.h"

struct kernel_socket {
	enum protocol protocol;
	struct endpoint local;	/* host byte order */
	struct endpoint remote; /* port 0 when not connected */
	uint8_t state;		/* TCP_ESTABLISHED ... of <netinet/tcp.h> */
	uint32_t uid;
	uint64_t inode; /* 0 in TIME_WAIT and when orphaned */
};

/* Returns false to end the listing early. */
typedef bool (*kernel_socket_visit)(const struct kernel_socket *socket,
				    void *context);

#define ANY_PORT 0

/*
 * Visits every socket of a protocol, of both families, TIME_WAIT included, that
 * has this local port, or any with ANY_PORT; it may visit others too. Returns 0
 * or -errno; -ENOENT when the kernel lacks the protocol.
 */
int sock_diag_list(enum protocol protocol, uint16_t port,
		   kernel_socket_visit visit, void *context);

/*
 * Whether the kernel has a TCP socket, TIME_WAIT included, with exactly these
 * two endpoints. Returns 1, 0, or -errno when the kernel cannot be asked.
 */
int sock_diag_has_tcp(const struct endpoint *local,
		      const struct endpoint *remote);
