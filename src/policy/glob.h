/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>

/*
 * Patterns over whole texts: `*` stands for any characters but "/", `**` for
 * any at all, `?` for one that is no "/", `[a-z]` and `[!a-z]` for one of a
 * set, a backslash for the character behind it. Bytes are compared, whatever
 * the locale. No heap, no recursion; bounded by the lengths' product squared.
 * A pattern that ends in a backslash or an open set matches nothing.
 */
bool glob_matches(const char *pattern, const char *text);
