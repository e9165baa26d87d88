/* SPDX-License-Identifier: MIT */
#pragma once

/* Memory that is freed all at once. A caller may check at the end instead
 * of after each call: failed is set by the first call that finds no memory. */

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
 * Adds one element to an array of *np, which is NULL at first and may move.
 * Returns the element, to be filled, or NULL without memory.
 */
#define memory_add(memory, arrayp, np) \
	((__typeof__(*(arrayp)))memory_add_to((memory), (arrayp), (np), \
					      sizeof(**(arrayp))))

/* The same of a pointer to elements of this size, given its address. */
void *memory_add_to(struct memory *memory, void *arrayp, size_t *np,
		    size_t size);

/* A string of this length, terminated. Returns NULL without memory. */
char *memory_copy(struct memory *memory, const char *text, size_t length);

/* Gives all of it back. */
void memory_free(struct memory *memory);
