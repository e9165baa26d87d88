/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Commands that start others. Their files do not show it; they are known by
 * their names. path is the file of a command, of which the name counts;
 * arguments are the words behind it, up to NULL. Not reentrant: getopt(3) reads
 * the words.
 */

#include <stdbool.h>

/* Whether a command starts programs in a clean environment: without LD_PRELOAD,
 * and so without Berth. */
bool cover_cleans(const char *path, char *const arguments[]);

/*
 * Returns the words of the command that a command starts, up to NULL; or NULL
 * for a command that is not known to start others, or if its words do not tell
 * which.
 */
char *const *cover_started(const char *path, char *const arguments[]);

/* The words of a text and those behind it, up to NULL, as env -S has them: split
 * at blanks, quotes and escapes are not looked at. They are never freed. */
char **cover_split(const char *text, char *const rest[]);

/* The last part of a path. */
const char *cover_file_name(const char *path);
