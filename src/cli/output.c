/* SPDX-License-Identifier: MIT */
#include "cli/output.h"

#include <string.h>
#include <sys/param.h>

#include "base/text.h"
#include "cli/message.h"
#include "kernel/ports_text.h"
#include "policy/image.h"

#define UNKNOWN "-"

void output_open(struct output *output, enum output_format format, FILE *stream)
{
	*output = (struct output){ .format = format, .stream = stream };
	if (format == OUTPUT_JSON)
		fputs("{", stream);
}

static bool is_column(const struct output_section *section, size_t i)
{
	return i < OUTPUT_COLUMNS_MAX && section->columns[i].name != NULL;
}

/* JSON needs the character itself (RFC 8259), a terminal must not get it. */
static void write_json_escape(FILE *stream, uint32_t code)
{
	if (code >= 0x10000)
		fprintf(stream, "\\u%04x\\u%04x",
			0xd800 + ((code - 0x10000) >> 10),
			0xdc00 + ((code - 0x10000) & 0x3ff));
	else
		fprintf(stream, "\\u%04x", code);
}

static void write_json_string(FILE *stream, const char *text)
{
	fputc('"', stream);
	while (*text != '\0') {
		const struct text_character next = text_character(text);

		if (!next.is_printable)
			write_json_escape(stream, next.code);
		else if (*text == '"' || *text == '\\')
			fprintf(stream, "\\%c", *text);
		else
			fwrite(text, 1, next.length, stream);
		text += next.length;
	}
	fputc('"', stream);
}

static void write_json_value(FILE *stream, const char *value, bool number)
{
	if (value == NULL || (number && (*value < '0' || *value > '9')))
		fputs("null", stream);
	else if (number)
		fputs(value, stream);
	else
		write_json_string(stream, value);
}

static void write_json_row(struct output *output, const char *const *values)
{
	const struct output_section *section = output->section;
	FILE *stream = output->stream;

	if (!section->single)
		fputs(output->n_rows == 0 ? "\n    " : ",\n    ", stream);
	fputs("{", stream);
	for (size_t i = 0; is_column(section, i); i++) {
		fputs(i == 0 ? "" : ", ", stream);
		write_json_string(stream, section->columns[i].name);
		fputs(": ", stream);
		write_json_value(stream, values[i], section->columns[i].number);
	}
	fputs("}", stream);
}

/* Neither ends the field nor changes the terminal. Returns the number of
 * characters. */
static int write_plain(FILE *stream, const char *text)
{
	int n = 0;

	for (; *text != '\0'; n++) {
		const struct text_character next = text_character(text);

		if (next.is_printable)
			fwrite(text, 1, next.length, stream);
		else
			fputc('?', stream);
		text += next.length;
	}
	return n;
}

static void write_porcelain_row(struct output *output,
				const char *const *values)
{
	const struct output_section *section = output->section;

	fputs(section->kind, output->stream);
	for (size_t i = 0; is_column(section, i); i++) {
		fputc('\t', output->stream);
		write_plain(output->stream, values[i] ? values[i] : UNKNOWN);
	}
	fputc('\n', output->stream);
}

static void write_cell(FILE *stream, const struct output_column *column,
		       const char *text, bool last)
{
	const int width = column->width;
	int length;

	if (column->number)
		fprintf(stream, "%*s", MAX(width - (int)strlen(text), 0), "");
	length = write_plain(stream, text);
	if (!column->number && !last)
		fprintf(stream, "%*s", MAX(width - length, 0), "");
	fputs(last ? "\n" : "  ", stream);
}

static void write_table_headings(struct output *output)
{
	const struct output_section *section = output->section;

	fprintf(output->stream, "\n%s:\n", section->title);
	for (size_t i = 0; is_column(section, i); i++)
		write_cell(output->stream, &section->columns[i],
			   section->columns[i].name,
			   !is_column(section, i + 1));
}

static void write_table_row(struct output *output, const char *const *values)
{
	const struct output_section *section = output->section;

	if (!section->single && output->n_rows == 0)
		write_table_headings(output);
	for (size_t i = 0; is_column(section, i); i++) {
		const char *text = values[i] ? values[i] : UNKNOWN;

		if (section->single) {
			fprintf(output->stream, "%-8s%-11s", section->kind,
				section->columns[i].name);
			write_plain(output->stream, text);
			fputc('\n', output->stream);
		} else {
			write_cell(output->stream, &section->columns[i], text,
				   !is_column(section, i + 1));
		}
	}
}

static void end_section(struct output *output)
{
	if (output->section == NULL)
		return;
	if (output->format == OUTPUT_JSON && !output->section->single)
		fputs(output->n_rows == 0 ? "]" : "\n  ]", output->stream);
	output->section = NULL;
}

void output_section(struct output *output, const struct output_section *section)
{
	end_section(output);
	if (output->format == OUTPUT_JSON)
		fprintf(output->stream, "%s\n  \"%s\": %s",
			output->n_sections == 0 ? "" : ",", section->key,
			section->single ? "" : "[");
	output->section = section;
	output->n_sections++;
	output->n_rows = 0;
}

void output_values(struct output *output, const char *const *values)
{
	switch (output->format) {
	case OUTPUT_TABLE: write_table_row(output, values); break;
	case OUTPUT_PORCELAIN: write_porcelain_row(output, values); break;
	case OUTPUT_JSON: write_json_row(output, values); break;
	}
	output->n_rows++;
}

void output_line_values(enum output_format format, FILE *stream,
			const struct output_section *section,
			const char *const *values)
{
	struct output_section line = *section;
	struct output output = { .format = format,
				 .stream = stream,
				 .section = &line };

	line.single = true;
	output_values(&output, values);
	if (format == OUTPUT_JSON)
		fputc('\n', stream);
}

struct output_number output_number(uint64_t value)
{
	struct output_number number;

	snprintf(number.text, sizeof(number.text), "%llu",
		 (unsigned long long)value);
	return number;
}

char *output_ports(struct output *output, const struct port_set *set)
{
	const size_t size = range_text_format(set, NULL, 0) + 1;
	char *text = memory_take(&output->memory, 1, size);

	range_text_format(set, text, size);
	return text;
}

char *output_strings(struct output *output, const char *first,
		     const char *joint)
{
	char *text = NULL;

	for (; first != NULL && *first != '\0';
	     first = policy_next_string(first))
		text = memory_append(&output->memory, text, joint, first);
	return text;
}

int output_close(struct output *output)
{
	end_section(output);
	if (output->format == OUTPUT_JSON)
		fputs("\n}\n", output->stream);
	memory_free(&output->memory);
	return message_written_to(output->stream);
}
