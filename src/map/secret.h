/* SPDX-License-Identifier: MIT */
#pragma once

#include <stddef.h>

/*
 * Fills memory with bytes that nobody can foretell: from getrandom(2), or where
 * that gives none (a seccomp filter, early at boot), by a hash of AT_RANDOM, from
 * which AT_RANDOM cannot be computed back: glibc makes its stack canary and its
 * pointer guard of it, and the map is for others to read.
 * No heap; async-signal-safe.
 */
void secret_fill(void *bytes, size_t n_bytes);
