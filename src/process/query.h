/* SPDX-License-Identifier: MIT */
#pragma once

/* Asks the kernel about a descriptor, where the cache has no entry or may be
 * wrong. */

#include "process/process.h"

/*
 * Asks the kernel what a descriptor is and enters the answer; a lease in the
 * cache stays there as long as the port is the same. A descriptor without an
 * entry gets the facts of another one of its socket, where one is known.
 * Returns 0 (covered or not), -EBADF, -ENOTSOCK; or another -errno, reported
 * and counted, where the kernel does not answer.
 */
int process_query(struct process *process, int fd, struct fd_facts *factsp);

/*
 * Reports and counts that the kernel, or a filter, refuses to say what a
 * descriptor is; not for what is no socket. Returns result.
 */
int process_tell_unknown(struct process *process, int result);

/* From the cache, or by asking the kernel. Returns as process_query(). */
int process_facts(struct process *process, int fd, struct fd_facts *factsp);
