/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Memory that is given back all at once. No call has to be checked on the
 * spot: after the first that finds no memory, failed says so.
 */

#include <stdbool.h>
#include <stddef.h>

struct memory_block;

struct memory {
	struct memory_block *blocks;
	bool failed;
};

/* Zeroed, for any type. Returns NULL without memory. */
void *memory_take(struct memory *memory, size_t n, size_t size);

/*
 * Makes room for one more element in an array of n that is empty or has been
 * grown by this function alone. Returns the array, which may have moved, or
 * NULL without memory.
 */
void *memory_grow(struct memory *memory, void *array, size_t n, size_t size);

/* A string of this length, terminated. Returns NULL without memory. */
char *memory_copy(struct memory *memory, const char *text, size_t length);

/* Gives all of it back. It is empty then. */
void memory_free(struct memory *memory);
