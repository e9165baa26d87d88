/* SPDX-License-Identifier: MIT */
#pragma once

#include <sys/socket.h>

/* bind(2) as the hook makes it. Returns 0 or -errno. */
int bind_hooked(int fd, const struct sockaddr *address, socklen_t length);

/* The same with a port that Berth has chosen: nothing is refused. */
int bind_chosen(int fd, const struct sockaddr *address, socklen_t length);
