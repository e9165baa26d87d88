/* SPDX-License-Identifier: MIT */
#pragma once

#include "assign/call.h"

/*
 * Makes a call that gives its socket a port of its own: bind(address:0),
 * listen(), the first connect or send of a datagram or SCTP socket. Returns the
 * call's result, or -errno; -EADDRINUSE when no port of the range is left.
 * call->facts is updated and entered.
 */
long assign_port(struct call *call);
