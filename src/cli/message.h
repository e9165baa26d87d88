/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdio.h>

/*
 * Writes one line, of which the format ends with a newline, or a part of it.
 * All of it may be printed, see base/text.h, whatever names and values are in it.
 */
__attribute__((format(printf, 2, 3)))
void message_to(FILE *stream, const char *format, ...);

/* The same to standard error. */
#define message(...) message_to(stderr, __VA_ARGS__)

/*
 * Whether all of it has been written: output that nobody got (ENOSPC, EPIPE, a
 * closed descriptor) is no success. Returns EXIT_SUCCESS, or EXIT_FAILURE, which
 * is said.
 */
int message_written_to(FILE *stream);

/* The same of standard output. */
#define message_written() message_written_to(stdout)
