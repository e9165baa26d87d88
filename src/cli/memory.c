/* SPDX-License-Identifier: MIT */
#include "cli/memory.h"

#include <errno.h>
#include <stdalign.h>
#include <stdlib.h>
#include <string.h>

struct memory_block {
	struct memory_block *next;
	alignas(max_align_t) unsigned char bytes[];
};

int memory_exit_status = EXIT_FAILURE;

void memory_fail(void)
{
	fprintf(stderr, "berth: %s\n", strerror(ENOMEM));
	exit(memory_exit_status);
}

FILE *memory_stream(char **textp, size_t *sizep)
{
	FILE *stream = open_memstream(textp, sizep);

	if (stream == NULL)
		memory_fail();
	return stream;
}

void memory_stream_end(FILE *stream)
{
	if (ferror(stream) || fclose(stream) != 0)
		memory_fail();
}

void *memory_take(struct memory *memory, size_t n, size_t size)
{
	struct memory_block *block = NULL;
	size_t n_bytes;

	if (!__builtin_mul_overflow(n, size, &n_bytes) &&
	    !__builtin_add_overflow(n_bytes, sizeof(*block), &n_bytes))
		block = calloc(1, n_bytes);
	if (block == NULL)
		memory_fail();
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
	return memcpy(memory_take(memory, length + 1, 1), text, length);
}

char *memory_print_list(struct memory *memory, const char *format,
			va_list arguments)
{
	char *text, *copy;
	const int length = vasprintf(&text, format, arguments);

	if (length < 0)
		memory_fail();
	copy = memory_copy(memory, text, (size_t)length);
	free(text);
	return copy;
}

char *memory_print(struct memory *memory, const char *format, ...)
{
	va_list arguments;
	char *text;

	va_start(arguments, format);
	text = memory_print_list(memory, format, arguments);
	va_end(arguments);
	return text;
}

/* The text is extended where it is, if nothing was taken since. */
char *memory_append(struct memory *memory, char *text, const char *joint,
		    const char *word)
{
	struct memory_block *block = memory->blocks;
	size_t length;

	if (text == NULL)
		return memory_copy(memory, word, strlen(word));
	if (text != (char *)block->bytes)
		return memory_print(memory, "%s%s%s", text, joint, word);
	length = strlen(text);
	block = realloc(block, sizeof(*block) + length + strlen(joint) +
				       strlen(word) + 1);
	if (block == NULL)
		memory_fail();
	memory->blocks = block;
	text = (char *)block->bytes;
	stpcpy(stpcpy(text + length, joint), word);
	return text;
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
