/* SPDX-License-Identifier: MIT */
#pragma once

/* The Test Anything Protocol, for a test in C with one thread that prints. */

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>

struct tap {
	unsigned int n, n_failed;
};

__attribute__((format(printf, 3, 4))) static inline void
tap_ok(struct tap *tap, bool holds, const char *format, ...)
{
	va_list arguments;

	tap->n_failed += !holds;
	printf("%s %u - ", holds ? "ok" : "not ok", ++tap->n);
	va_start(arguments, format);
	vprintf(format, arguments);
	va_end(arguments);
	putchar('\n');
	fflush(stdout);
}

/* Returns the status of the test. */
static inline int tap_end(const struct tap *tap)
{
	printf("1..%u\n", tap->n);
	return tap->n_failed != 0;
}

static inline int tap_skip_all(const char *reason)
{
	printf("1..0 # SKIP %s\n", reason);
	return 0;
}
