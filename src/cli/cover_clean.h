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

/* As cover_started() of cover_start.h, for env(1). */
char *const *cover_env_started(char *const arguments[]);
