/* SPDX-License-Identifier: MIT */
#pragma once

/* Commands that only start another one, with the environment that they have:
 * what they start is looked at, too. They are known by their names. */

/* As cover_started() of cover_clean.h, for all but env(1). */
char *const *cover_plain_started(const char *path, char *const arguments[]);

/* busybox(1) is many commands, chosen by its first argument. Returns that word,
 * and the words behind it; for other files path and arguments as they are. */
const char *cover_applet(const char *path, char *const **argumentsp);

#define COVER_WORDS_MAX 256

/*
 * Begins to read the options among arguments by getopt(3). words are for it: a
 * name, and the arguments, up to NULL. Returns their number.
 */
int cover_begin_options(char *words[COVER_WORDS_MAX], char *const arguments[]);

/* The last part of a path. */
const char *cover_file_name(const char *path);
