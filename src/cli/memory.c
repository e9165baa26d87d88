/* SPDX-License-Identifier: MIT */
#include "cli/memory.h"

#include <stdalign.h>
#include <stdlib.h>
#include <string.h>

struct memory_block {
	struct memory_block *next;
	alignas(max_align_t) unsigned char bytes[];
};

void *memory_take(struct memory *memory, size_t n, size_t size)
{
	struct memory_block *block = NULL;
	size_t n_bytes;

	if (!__builtin_mul_overflow(n, size, &n_bytes) &&
	    !__builtin_add_overflow(n_bytes, sizeof(*block), &n_bytes))
		block = calloc(1, n_bytes);
	if (block == NULL) {
		memory->failed = true;
		return NULL;
	}
	block->next = memory->blocks;
	memory->blocks = block;
	return block->bytes;
}

/* The array doubles whenever it is full, at each power of two. */
void *memory_add_to(struct memory *memory, void *arrayp, size_t *np,
		    size_t size)
{
	const size_t n = *np;
	char *array;

	memcpy(&array, arrayp, sizeof(array));
	if ((n & (n - 1)) == 0) {
		char *grown = memory_take(memory, n > 0 ? 2 * n : 1, size);

		if (grown == NULL)
			return NULL;
		if (n > 0)
			memcpy(grown, array, n * size);
		array = grown;
		memcpy(arrayp, &array, sizeof(array));
	}
	++*np;
	return array + n * size;
}

char *memory_copy(struct memory *memory, const char *text, size_t length)
{
	char *copy = memory_take(memory, length + 1, 1);

	if (copy != NULL)
		memcpy(copy, text, length);
	return copy;
}

void memory_free(struct memory *memory)
{
	for (struct memory_block *block = memory->blocks, *next; block != NULL;
	     block = next) {
		next = block->next;
		free(block);
	}
	*memory = (struct memory){ .blocks = NULL };
}
