/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Ports as text: what is parsed, or refused and why. A suite defines parse().
 */

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/port_set.h"
#include "kernel/ports_text.h"

static struct port_set set;
static struct range_error error;

static int parse(const char *text);

static inline void assert_formatted(const char *text, const char *runs)
{
	char formatted[1024];

	range_text_format(&set, formatted, sizeof(formatted));
	cr_assert_str_eq(formatted, runs, "\"%s\" gives %s, not %s", text,
			 formatted, runs);
}

/* Parses text and compares the ports with the runs, as text again. */
static inline void assert_ports(const char *text, const char *runs)
{
	memset(&set, 0, sizeof(set));
	cr_assert_eq(parse(text), 0, "\"%s\" is refused", text);
	assert_formatted(text, runs);
}

static inline void assert_refused(const char *text, const char *word,
				  const char *reason)
{
	const struct port_set untouched = set;

	cr_assert_eq(parse(text), -EINVAL, "\"%s\" is taken", text);
	cr_assert_eq(error.word_length, strlen(word),
		     "\"%s\" quotes %zu bytes, not \"%s\"", text,
		     error.word_length, word);
	cr_assert_eq(memcmp(error.word, word, strlen(word)), 0,
		     "\"%s\" does not quote \"%s\"", text, word);
	cr_assert_str_eq(error.reason, reason, "%s", error.reason);
	cr_assert_eq(memcmp(&set, &untouched, sizeof(set)), 0,
		     "\"%s\" has changed the set", text);
}

/* Words that are refused each as a whole, up to NULL. */
static inline void assert_all_refused(const char *const *words,
				      const char *reason)
{
	for (; *words != NULL; words++)
		assert_refused(*words, *words, reason);
}

#define ASSERT_ALL_REFUSED(reason, ...) \
	assert_all_refused((const char *const[]){ __VA_ARGS__, NULL }, reason)
