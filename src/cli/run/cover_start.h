/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Commands that only start another one, with the environment that they have: what
 * they start has to be looked at, too. They are known by their names.
 */

/* As cover_started() of cover_clean.h, for all but env(1). */
char *const *cover_plain_started(const char *path, char *const arguments[]);

/*
 * Of a file that is many commands, by its first argument: busybox(1). Returns that
 * word, and the words behind it; else path and arguments as they are.
 */
const char *cover_applet(const char *path, char *const **argumentsp);

#define COVER_WORDS_MAX 256

/*
 * Begins to read the options among arguments by getopt(3), which wants a name in
 * front of them: words are that and the arguments, up to NULL. Returns how many.
 */
int cover_begin_options(char *words[COVER_WORDS_MAX], char *const arguments[]);

/* The last part of a path. */
const char *cover_file_name(const char *path);
