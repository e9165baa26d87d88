/* SPDX-License-Identifier: MIT */
#pragma once

#include "assign/call.h"

struct endpoint;

/*
 * A call that connects a TCP socket which may be without a port. Returns as
 * assign_port(), but -EADDRNOTAVAIL when no port of the range is left for this
 * destination.
 */
long assign_connect(struct call *call, const struct endpoint *remote);
