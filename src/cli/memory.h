/* SPDX-License-Identifier: MIT */
#pragma once

/* Memory that is freed all at once. Where there is none, the command ends after
 * a message: no caller has to check. */

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

struct memory_block;

struct memory {
	struct memory_block *blocks; /* the last that was taken is the first */
};

/* The exit status of a command that ends for want of memory. */
extern int memory_exit_status;

/* Ends the command. For memory that is not of a struct memory. */
_Noreturn void memory_fail(void);

/* As open_memstream(3), and the end of such a stream: its text is for free(). */
FILE *memory_stream(char **textp, size_t *sizep);
void memory_stream_end(FILE *stream);

/* Zeroed, for any type. */
void *memory_take(struct memory *memory, size_t n, size_t size);

/* Adds one element to an array of *np, which is NULL at first and may move.
 * Returns the element, to be filled. */
#define memory_add(memory, arrayp, np) \
	((__typeof__(*(arrayp)))memory_add_to((memory), (arrayp), (np), \
					      sizeof(**(arrayp))))

/* The same of a pointer to elements of this size, given its address. */
void *memory_add_to(struct memory *memory, void *arrayp, size_t *np,
		    size_t size);

/* A string of this length, terminated. */
char *memory_copy(struct memory *memory, const char *text, size_t length);

__attribute__((format(printf, 2, 3))) char *memory_print(struct memory *memory,
							 const char *format,
							 ...);
char *memory_print_list(struct memory *memory, const char *format,
			va_list arguments);

/* Adds a word to a text, or begins one with it: text is NULL then. Returns the
 * text, which may move. */
char *memory_append(struct memory *memory, char *text, const char *joint,
		    const char *word);

/* Gives all of it back. */
void memory_free(struct memory *memory);
