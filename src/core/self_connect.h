/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>

struct endpoint;

/*
 * Whether a socket bound to a port would connect to itself: the port is the
 * same, and so is the address that the kernel would route from. One or two
 * system calls; async-signal-safe.
 */
bool self_connect_is(int fd, const struct endpoint *remote);
