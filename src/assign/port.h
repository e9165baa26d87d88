/* SPDX-License-Identifier: MIT */
#pragma once

#include "assign/call.h"

/*
 * A call that gives its socket one port of its own: bind(address:0), listen(),
 * the first connect or send of a datagram or SCTP socket. Returns the call's
 * result, or -errno; -EADDRINUSE when no port of the range is left. call->facts
 * is brought up to date and entered.
 */
long assign_port(struct call *call);
