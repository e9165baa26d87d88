/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Commands that only start another one, with the environment that they have: what
 * they start has to be looked at, too. They are known by their names.
 */

/*
 * Returns the words of what a command starts, its name first, up to NULL; or NULL
 * for one that is not known to start others, or where the words do not tell which.
 * path is the command's file, of which the name counts, and arguments are the words
 * behind it. Not reentrant: getopt(3) reads the words.
 */
char *const *cover_started(const char *path, char *const arguments[]);

/*
 * Of a file that is many commands, by its first argument: busybox(1). Returns that
 * word, and the words behind it; else path and arguments as they are.
 */
const char *cover_applet(const char *path, char *const **argumentsp);

/* The last part of a path. */
const char *cover_file_name(const char *path);
