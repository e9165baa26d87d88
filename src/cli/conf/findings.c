/* SPDX-License-Identifier: MIT */
#include "cli/conf/findings.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

#define WORD_LENGTH 60u

static char *make_printable(char *text)
{
	text_make_printable(text);
	return text;
}

static bool of_same_file(const struct finding *a, const struct finding *b)
{
	if (a->place.file == NULL || b->place.file == NULL)
		return a->place.file == b->place.file;
	return strcmp(a->place.file, b->place.file) == 0;
}

/* The index for the finding that was added last: behind those of its line. */
static size_t find_place(const struct findings *findings,
			 const struct finding *finding)
{
	const struct finding *items = findings->items;
	size_t i = findings->n_items - 1;

	while (i > 0 && !of_same_file(&items[i - 1], finding))
		i--;
	/* The first of its file. */
	if (i == 0)
		return findings->n_items - 1;
	while (i > 0 && of_same_file(&items[i - 1], finding) &&
	       items[i - 1].place.line > finding->place.line)
		i--;
	return i;
}

/* The file's name is copied: findings may outlive the configuration. */
void findings_add(struct findings *findings, enum severity severity,
		  struct location place, const char *format, ...)
{
	struct memory *memory = &findings->memory;
	struct finding finding = { .severity = severity, .place = place };
	struct finding *last, *at;
	va_list arguments;

	if (severity == SEVERITY_ERROR)
		findings->n_errors++;
	va_start(arguments, format);
	finding.message =
		make_printable(memory_print_list(memory, format, arguments));
	va_end(arguments);
	if (place.file != NULL)
		finding.place.file = make_printable(
			memory_copy(memory, place.file, strlen(place.file)));
	last = memory_add(memory, &findings->items, &findings->n_items);
	at = findings->items + find_place(findings, &finding);
	memmove(at + 1, at, (size_t)(last - at) * sizeof(*at));
	*at = finding;
}

static void print(const struct finding *finding, FILE *stream)
{
	if (finding->place.file != NULL)
		fprintf(stream, "%s:", finding->place.file);
	if (finding->place.file != NULL && finding->place.line > 0)
		fprintf(stream, "%d:", finding->place.line);
	fprintf(stream, "%s%s%s\n", finding->place.file != NULL ? " " : "",
		finding->severity == SEVERITY_WARNING ? "warning: " : "",
		finding->message);
}

void findings_print(const struct findings *findings, FILE *stream)
{
	for (size_t i = 0; i < findings->n_items; i++)
		print(&findings->items[i], stream);
}

static void report(const struct finding *finding, struct output *output)
{
	const int line = finding->place.line;

	output_row(output,
		   finding->severity == SEVERITY_ERROR ? "error" : "warning",
		   finding->place.file,
		   line > 0 ? output_number((uint64_t)line).text : NULL,
		   finding->message);
}

void findings_report(const struct findings *findings, struct output *output)
{
	static const struct output_section section = {
		.kind = "finding", .key = "findings", .title = "Findings",
		.columns = {
			{ "severity", 8, false },
			{ "file", 20, false },
			{ "line", 5, true },
			{ "message", 0, false },
		},
	};

	output_section(output, &section);
	for (size_t i = 0; i < findings->n_items; i++)
		report(&findings->items[i], output);
}

struct finding_word findings_quote(const char *word, size_t length)
{
	struct finding_word quoted = { "" };
	size_t n = length;

	if (n > WORD_LENGTH) {
		n = WORD_LENGTH - 3;
		while (n > 0 && ((unsigned char)word[n] & 0xc0) == 0x80)
			n--;
	}
	memcpy(quoted.text, word, n);
	if (n < length)
		memcpy(quoted.text + n, "...", sizeof("..."));
	return quoted;
}

struct finding_word findings_quote_text(const char *text)
{
	return findings_quote(text, strlen(text));
}

void findings_deinit(struct findings *findings)
{
	memory_free(&findings->memory);
	*findings = (struct findings){ .items = NULL };
}
