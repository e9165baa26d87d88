/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <sys/socket.h>

/*
 * bind(2) as the hook makes it. is_chosen: the port that it names is of Berth's
 * choice, and nothing is refused. Returns 0 or -errno.
 */
int bind_hooked(int fd, const struct sockaddr *address, socklen_t length,
		bool is_chosen);
