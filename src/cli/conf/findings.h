/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What is wrong with a configuration, or dangerous on this machine. It is
 * collected, so that one run reports all of it, and kept in the order of files,
 * as they were first seen, and of their lines.
 */

#include <stddef.h>
#include <stdio.h>

#include "cli/memory.h"
#include "cli/output.h"

/* A place in a file. line 0 = the whole file; file NULL = no file. */
struct location {
	const char *file;
	int line;
};

enum severity {
	SEVERITY_ERROR, /* the configuration is refused */
	SEVERITY_WARNING,
};

struct finding {
	enum severity severity;
	struct location place;
	const char *message;
};

struct findings {
	struct finding *items;
	size_t n_items, n_errors;
	struct memory memory; /* of all */
};

__attribute__((format(printf, 4, 5))) void
findings_add(struct findings *findings, enum severity severity,
	     struct location place, const char *format, ...);

/* Prints all: `conf:3: ...`, warnings as `conf:3: warning: ...`. */
void findings_print(const struct findings *findings, FILE *stream);

/* The same as a section of a report. */
void findings_report(const struct findings *findings, struct output *output);

/* A word for a message: at most 60 bytes, cut between characters. */
struct finding_word {
	char text[64];
};

struct finding_word findings_quote(const char *word, size_t length);
struct finding_word findings_quote_text(const char *text);

void findings_deinit(struct findings *findings);
