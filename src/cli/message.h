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
