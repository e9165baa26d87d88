/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <sys/socket.h>

/*
 * bind(2) as the hook makes it. is_chosen: Berth has chosen the port in the
 * address, and nothing is refused. Returns 0 or -errno.
 */
int bind_hooked(int fd, const struct sockaddr *address, socklen_t length,
		bool is_chosen);
