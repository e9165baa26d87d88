/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdio.h>

/* Writes a line, with the newline at the end of the format, or a part of one.
 * What is not printable in names and values is replaced (see base/text.h). */
__attribute__((format(printf, 2, 3))) void message_to(FILE *stream,
						      const char *format, ...);

/* Writes a line to standard error: "berth: ", and what the format gives. */
#define message(format, ...) \
	message_to(stderr, "berth: " format "\n", ##__VA_ARGS__)

/*
 * Whether all of it has been written: output that is lost (ENOSPC, EPIPE, a
 * closed descriptor) is no success. Returns EXIT_SUCCESS, or EXIT_FAILURE after
 * a message.
 */
int message_written_to(FILE *stream);

/* The same of standard output. */
#define message_written() message_written_to(stdout)
