/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What the hooked calls have in common. Nothing here locks, allocates or
 * writes; all of it may run in a signal handler, in a vfork child, before this
 * library's constructor and after its destructor.
 */

#include <stdbool.h>
#include <sys/socket.h>

#include "process/process.h"

struct call;

#define HOOK __attribute__((visibility("default")))

/*
 * This process's Berth, made on first use. NULL while another thread, or the
 * code that a signal handler has interrupted, is making it: the call goes
 * through.
 */
struct process *hook_process(void);

/* Makes a call by call_run(), or where there is no Berth yet as it is. */
long hook_run(struct call *call);

/*
 * The facts of a descriptor that Berth assigns ports to. Returns false for all
 * others, for sockets that the program has given a range of their own, and for
 * anything that is no socket: their calls go through as they are.
 */
bool hook_covers(struct process *process, int fd, struct fd_facts *factsp);
