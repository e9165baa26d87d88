/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct endpoint;

/*
 * Whether a socket bound to a port (the caller knows which) would connect to
 * itself: the destination has the same port, and the address from which the
 * kernel would route. One system call, and one more socket for addresses other
 * than 127.0.0.1 and ::1; async-signal-safe.
 */
bool self_connect_is(int fd, uint16_t port, const struct endpoint *remote);
