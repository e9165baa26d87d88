/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Reports an event: a counter, an entry in the map's ring of events, and where
 * BERTH_LOG or the policy asks for it a line, at most REPORT_LINES_MAX a second
 * for a process. Lock-free, async-signal-safe; errno is not touched.
 */

#include "base/standard_error.h"
#include "map/event.h"

struct policy;

#define REPORT_LINES_MAX 10u

/* Which process reports, and where to. */
struct reporter {
	const struct map *map;
	const struct standard_error *standard_error;
	const char *program; /* its name, EVENT_NAME_SIZE with the NUL */
	atomic_u64 second;   /* since 1970 */
	atomic_u32 n_lines;  /* of that second, with those left out */
};

struct report {
	enum event_kind kind;
	enum event_verdict verdict;
	enum event_call call;
	enum protocol protocol;
	const struct endpoint *address; /* NULL = none in particular */
};

void report_event(struct reporter *reporter, const struct policy *policy,
		  const struct report *report);

/* Writes a line that is no event, where lines are wanted; rate-limited too. */
void report_line(struct reporter *reporter, const struct policy *policy,
		 const char *const *parts);
