/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The one path of every call. It decides, in this order, what becomes of it:
 * whether Berth is concerned at all, what the policy refuses, whether the socket
 * has a port already, and else which port it gets. The kernel is the judge: what
 * it would refuse leaves the socket as it was.
 */

#include "assign/call.h"

/* Returns the call's result, or -errno. */
long call_run(struct process *process, struct call *call);
