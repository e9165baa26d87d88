/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The seccomp filters that the program has set, and what they say about a
 * system call that Berth wants to make. The kernel does not show a process its
 * filters, so Berth keeps a copy of each, in memory mapped for it; a forked
 * child has its parent's copies.
 *
 * The kernel applies a filter to the thread that sets it and to threads which
 * this one creates afterwards, or to all threads with
 * SECCOMP_FILTER_FLAG_TSYNC. Berth does not know which thread created which, so
 * it applies all filters to all threads. This can only keep it from making a
 * call that would have been allowed: it then uses another way, or the kernel
 * chooses the port. For the same reason a filter that a vfork child sets is
 * applied to its parent, which shares the child's memory.
 *
 * No copy exists of filters that the process had when it started (of these only
 * the existence is known: filter_is_inherited()), nor of filters that the
 * program sets by a system call instruction of its own.
 *
 * Asking the filter and making the call are two steps. Between them another
 * thread may set a filter for all threads with SECCOMP_FILTER_FLAG_TSYNC, and
 * the call may then end the thread that makes it.
 *
 * Lock-free, async-signal-safe, no heap; errno is not touched.
 */

#include <linux/filter.h>
#include <stdbool.h>

#include "base/raw.h"

struct filter;

/*
 * Reads from /proc whether the process was started under a filter that may kill
 * it, such as one of a container or of a service. Call it once, at the start.
 */
void filter_look(void);

/*
 * Call these before and after a call by which the program sets a filter.
 * Between them, and in signal handlers that run then, filter_allows() returns
 * false for every call. filter_begin() maps the memory of the copy, since the
 * filter may forbid mapping. filter_end() reads the program's filter (NULL for
 * SECCOMP_MODE_STRICT: read, write, exit and sigreturn only) only if the call
 * has succeeded: then the kernel has read it too.
 *
 * A process that another thread forks between the two calls makes no call of
 * Berth's.
 */
struct filter *filter_begin(void);
void filter_end(struct filter *copy, const struct sock_fprog *program,
		bool succeeded);
