/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Whether memory that a program points to can be read. For a bad pointer the
 * kernel answers EFAULT; to follow it here would be a crash of the program.
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/atomics.h"

#define N_READABLE_PAGES 64u

/* Pages that were found readable, by their number modulo the table's length. */
struct readable_pages {
	atomic_u64 numbers[N_READABLE_PAGES];
};

/*
 * Whether n_bytes at pointer can be read. fd is any open socket: a page that is
 * not in the table is shown to the kernel as the value of an option that does
 * not exist, which it reads before it says so (sk_setsockopt() in
 * net/core/sock.c); to MPTCP, which does not, as a port range, which is then
 * taken away again. NULL is not readable. A page that has been unmapped since it
 * was found readable goes unnoticed. Async-signal-safe; errno is not touched.
 */
bool readable_check(struct readable_pages *pages, int fd, bool mptcp,
		    const void *pointer, size_t n_bytes);
