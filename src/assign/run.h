/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The one path of every call. It decides, in this order: whether Berth assigns
 * ports to the socket at all, whether the policy refuses the call, whether the
 * socket has a port already, and else which port it gets. The kernel decides
 * about each port: a call that it refuses leaves the socket as it was.
 */

#include "assign/call.h"

/* Returns the call's result, or -errno. */
long call_run(struct process *process, struct call *call);
