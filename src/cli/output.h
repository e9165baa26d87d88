/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Records, written to standard output in one of three ways: as tables for
 * people, as tab-separated lines or as one JSON object for programs.
 *
 * A report is a sequence of sections, a section a sequence of rows of the same
 * columns. The order of sections and columns is part of the documented format:
 * new ones are added at the end.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

enum output_format { OUTPUT_TABLE, OUTPUT_PORCELAIN, OUTPUT_JSON };

struct output_column {
	const char *name;	/* lower case: the JSON key and the heading */
	int width;		/* least, of the table */
	bool number;		/* unquoted in JSON, to the right in a table */
};

struct output_section {
	const char *kind;	/* first field of a porcelain record */
	const char *key;	/* in the JSON object; an array of rows */
	const char *title;	/* above the table */
	bool single;		/* one row: an object in JSON */
	size_t n_columns;
	const struct output_column *columns;
};

struct output {
	enum output_format format;
	FILE *stream;
	const struct output_section *section;	/* NULL = between sections */
	size_t n_sections, n_rows;
};

void output_open(struct output *output, enum output_format format,
		 FILE *stream);

/* Begins a section, and ends the one before it. */
void output_section(struct output *output,
		    const struct output_section *section);

/*
 * A row of the section, a text for each column. NULL is "-", and null in JSON,
 * as is whatever has no digit at its beginning in a column of numbers. What may
 * not be printed (see base/text.h) is "?", in JSON escaped; what is no UTF-8 there
 * becomes U+FFFD.
 */
void output_row(struct output *output, const char *const *values);

/*
 * A row by itself, outside of any report: a porcelain record, or a JSON object
 * on a line of its own. Not for tables.
 */
void output_line(enum output_format format, FILE *stream,
		 const struct output_section *section,
		 const char *const *values);

/* Ends the report. Returns 0, or -errno when not all of it could be written. */
int output_close(struct output *output);

/* The same. Returns EXIT_SUCCESS, or EXIT_FAILURE, which is said. */
int output_finish(struct output *output);
