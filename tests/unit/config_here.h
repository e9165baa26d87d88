/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A file "conf" in a folder of its own, what has been read of it, and what is
 * wrong in it.
 */

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/conf/config.h"

static struct config config;
static struct findings findings;
static char folder[] = "/tmp/test_config.XXXXXX";

static inline void enter_folder(void)
{
	cr_assert_not_null(mkdtemp(folder));
	cr_assert_eq(chdir(folder), 0);
}

static inline void leave_folder(void)
{
	char command[64];

	config_deinit(&config);
	findings_deinit(&findings);
	snprintf(command, sizeof(command), "rm -rf %s", folder);
	cr_assert_eq(system(command), 0);
}

static inline void write_bytes(const char *path, const char *bytes, size_t size)
{
	FILE *file = fopen(path, "w");

	cr_assert_not_null(file);
	cr_assert_eq(fwrite(bytes, 1, size, file), size);
	fclose(file);
}

static inline void write_file(const char *path, const char *text)
{
	write_bytes(path, text, strlen(text));
}

/* What is printed of all that is wrong. */
static inline const char *printed(void)
{
	static char text[65536];
	FILE *stream = fmemopen(text, sizeof(text), "w");

	cr_assert_not_null(stream);
	text[0] = '\0';
	findings_print(&findings, stream);
	fclose(stream);
	return text;
}

static inline int read_again(void)
{
	config_deinit(&config);
	findings_deinit(&findings);
	return config_read(&config, "conf", &findings);
}

static inline int read_text(const char *text)
{
	write_file("conf", text);
	return read_again();
}

static inline void assert_sound(const char *text)
{
	int result = read_text(text);

	cr_assert_eq(findings.n_items, 0, "\"%s\": %s", text, printed());
	cr_assert_eq(result, 0, "\"%s\"", text);
}

/* Exactly these lines, whether or not the rest can be gone on with. */
static inline void assert_printed(const char *expected)
{
	cr_assert_str_eq(printed(), expected, "%s, not %s", printed(),
			 expected);
}

static inline void assert_told(const char *text, const char *expected)
{
	read_text(text);
	assert_printed(expected);
}

static inline void assert_text(const struct config_text *text,
			       const char *value, int line)
{
	cr_assert_not_null(text->value, "no \"%s\"", value);
	cr_assert_str_eq(text->value, value);
	cr_assert_str_eq(text->place.file, "conf");
	cr_assert_eq(text->place.line, line, "\"%s\": line %d, not %d", value,
		     text->place.line, line);
}

static inline void assert_list(const struct config_list *list, size_t n,
			       const char *last, int line)
{
	cr_assert_eq(list->n, n, "%s: %zu, not %zu", last, list->n, n);
	cr_assert_str_eq(list->values[n - 1], last);
	cr_assert_eq(list->place.line, line, "\"%s\": line %d, not %d", last,
		     list->place.line, line);
}
