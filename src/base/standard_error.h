/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The program's standard error, descriptor 2, as a place for Berth's lines.
 *
 * A daemon closes descriptor 2, and the file that it opens next, such as a data
 * file, gets this number. So a line is written only where descriptor 2 still is
 * the same file as at the start. A line causes no signal in the program, and
 * never waits for a reader: where there is no room, or where the kernel or a
 * filter refuses one of the calls, no line is written.
 *
 * Only raw system calls are used; errno is not touched. Async-signal-safe.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct iovec;

/* What descriptor 2 was at the start; all zero = closed. */
struct standard_error {
	uint64_t inode;
	uint64_t birth_s; /* since 1970; 0 where the file system has none */
	uint32_t birth_ns;
	uint32_t device[2];  /* of the file system: major, minor */
	uint32_t special[2]; /* of the device that the file is */
	uint32_t type;	     /* S_IFREG and so on */
};

/* Notes which file descriptor 2 is now. */
void standard_error_note(struct standard_error *notedp);

/* Whether descriptor 2 still is what was noted, and was open then. */
bool standard_error_is(const struct standard_error *noted);

/*
 * Writes the parts by one system call. Call it only after standard_error_is()
 * has returned true. Writes at most PIPE_BUF bytes, so that the lines of
 * several processes do not mix.
 */
void standard_error_write(const struct standard_error *noted,
			  const struct iovec *parts, size_t n_parts);
