/* SPDX-License-Identifier: MIT */
#pragma once

#include <stddef.h>

/*
 * Fills memory with bytes that cannot be predicted: from getrandom(2), or where
 * that fails (a seccomp filter, early at boot), from a hash of AT_RANDOM.
 * AT_RANDOM cannot be computed from it: glibc makes its stack canary and its
 * pointer guard of AT_RANDOM, and other processes read the map. No heap;
 * async-signal-safe.
 */
void secret_fill(void *bytes, size_t n_bytes);
