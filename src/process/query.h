/* SPDX-License-Identifier: MIT */
#pragma once

/* What the kernel says of a descriptor, where the cache does not know, or may be
 * wrong. */

#include "process/process.h"

/*
 * Asks the kernel what a descriptor is and enters the answer; a lease that the
 * cache had stays with it as long as the port is the same.
 * Returns 0 (covered or not), -EBADF, -ENOTSOCK; or another -errno, told and
 * counted, where the kernel does not say.
 */
int process_query(struct process *process, int fd, struct fd_facts *factsp);

/*
 * Tells and counts that the kernel, or a filter, does not say what a descriptor
 * is; not of what is no socket. Returns result.
 */
int process_tell_unknown(struct process *process, int result);

/* From the cache, or by asking. Returns as process_query(). */
int process_facts(struct process *process, int fd, struct fd_facts *factsp);
