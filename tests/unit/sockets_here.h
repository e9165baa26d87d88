/* SPDX-License-Identifier: MIT */
#pragma once

/* Sockets at 127.0.0.1, on ports of the kernel's choice. */

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <sys/socket.h>

static inline struct sockaddr_in loopback(uint16_t port)
{
	return (struct sockaddr_in){
		.sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
}

/* A stream of backlog > 0 listens. */
static inline int open_bound(int type, int backlog, uint16_t *portp)
{
	struct sockaddr_in address = loopback(0);
	socklen_t length = sizeof(address);
	const int fd = socket(AF_INET, type, 0);

	cr_assert_eq(bind(fd, (struct sockaddr *)&address, length), 0);
	cr_assert_eq(backlog > 0 ? listen(fd, backlog) : 0, 0);
	cr_assert_eq(getsockname(fd, (struct sockaddr *)&address, &length), 0);
	*portp = ntohs(address.sin_port);
	return fd;
}

static inline int open_connected(int type, uint16_t to, uint16_t *portp)
{
	const struct sockaddr_in address = loopback(to);
	const int fd = open_bound(type, 0, portp);

	cr_assert_eq(connect(fd, (const struct sockaddr *)&address,
			     sizeof(address)),
		     0);
	return fd;
}
