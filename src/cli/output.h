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
#include <stdint.h>
#include <stdio.h>

#include "cli/memory.h"

struct port_set;

enum output_format { OUTPUT_TABLE, OUTPUT_PORCELAIN, OUTPUT_JSON };

struct output_column {
	const char *name; /* lower case: the JSON key and the heading */
	int width;	  /* least, of the table */
	bool number;	  /* unquoted in JSON, to the right in a table */
};

#define OUTPUT_COLUMNS_MAX 12

struct output_section {
	const char *kind;  /* first field of a porcelain record */
	const char *key;   /* in the JSON object; an array of rows */
	const char *title; /* above the table */
	bool single;	   /* one row: an object in JSON */
	/* Until one has no name */
	struct output_column columns[OUTPUT_COLUMNS_MAX];
};

struct output {
	enum output_format format;
	FILE *stream;
	const struct output_section *section; /* NULL = between sections */
	size_t n_sections, n_rows;
	struct memory memory; /* of texts, until output_close() */
};

void output_open(struct output *output, enum output_format format,
		 FILE *stream);

/* Begins a section, and ends the one before it. */
void output_section(struct output *output,
		    const struct output_section *section);

/*
 * A row of the section, a text for each column. NULL is printed as "-", in JSON
 * as null; so is a text in a column of numbers that begins with no digit, in
 * JSON. A character that is not printable (see base/text.h) becomes "?", in
 * JSON an escape; bytes that are no UTF-8 become U+FFFD there.
 */
#define output_row(output, ...) \
	output_values((output), OUTPUT_VALUES(__VA_ARGS__))

/*
 * A row by itself, outside of any report: a porcelain record, or a JSON object
 * on a line of its own. Not for tables.
 */
#define output_line(format, stream, section, ...) \
	output_line_values((format), (stream), (section), \
			   OUTPUT_VALUES(__VA_ARGS__))

#define OUTPUT_VALUES(...) \
	((const char *const[OUTPUT_COLUMNS_MAX]){ __VA_ARGS__ })

void output_values(struct output *output, const char *const *values);
void output_line_values(enum output_format format, FILE *stream,
			const struct output_section *section,
			const char *const *values);

/* A number as such a text. */
struct output_number {
	char text[24];
};

struct output_number output_number(uint64_t value);

/* Makes such a text. */
char *output_ports(struct output *output, const struct port_set *set);

/* Joins the strings of a list in a policy, see policy_next_string(). NULL =
 * there are none. */
char *output_strings(struct output *output, const char *first,
		     const char *joint);

/* Ends the report. Returns EXIT_SUCCESS; or EXIT_FAILURE when not all of it was
 * written, after a message. */
int output_close(struct output *output);
