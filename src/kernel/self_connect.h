/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct endpoint;

/*
 * Whether a socket bound to a port (as the caller knows it) would connect to
 * itself: the port is the same, and so is the address that the kernel would route
 * from. One system call, and a socket for addresses beyond 127.0.0.1 and ::1;
 * async-signal-safe.
 */
bool self_connect_is(int fd, uint16_t port, const struct endpoint *remote);
