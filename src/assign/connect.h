/* SPDX-License-Identifier: MIT */
#pragma once

#include "assign/call.h"

struct endpoint;

/*
 * Makes a call that connects a TCP socket which may have no port. Returns as
 * assign_port(), but -EADDRNOTAVAIL when no port of the range is left for this
 * destination.
 */
long assign_connect(struct call *call, const struct endpoint *remote);
