/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What a sequence has shown, as text: a line for each call, of fields that
 * tabs separate. The call, its result, and the state of the sockets after it.
 *
 * It lies in memory that the worker shares with the child that makes the
 * calls, so that a child that dies leaves what it had written. What does not
 * fit is left out.
 */

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

struct transcript {
	size_t length;
	unsigned int n_strays; /* ports that nobody could have expected */
	char text[128 * 1024];
};

extern struct transcript *transcript;

/* Makes the memory. Ends the program when there is none. */
void transcript_init(void);

/* Empties it. */
void transcript_clear(void);

__attribute__((format(printf, 1, 2))) void say(const char *format, ...);
__attribute__((format(printf, 1, 0))) void vsay(const char *format,
						va_list arguments);

uint64_t transcript_hash(void);
