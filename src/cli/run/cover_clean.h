/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Commands that start others in a clean environment: without LD_PRELOAD, and so
 * without Berth. Their files do not show it; they are known by their names.
 */

#include <stdbool.h>

/*
 * Whether what a command starts is without LD_PRELOAD: path is its file, of
 * which the name counts, and arguments are the words behind it, up to NULL. Not
 * reentrant: getopt(3) reads the words.
 */
bool cover_cleans(const char *path, char *const arguments[]);

/*
 * Returns the words of what a command starts, its name first, up to NULL; or NULL
 * for one that is not known to start others, or where the words do not tell which.
 * path and arguments are as above.
 */
char *const *cover_started(const char *path, char *const arguments[]);
