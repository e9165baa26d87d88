/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Text put together in a buffer of the caller's, without heap or stdio, and so
 * async-signal-safe. What does not fit is left out, and counted.
 */

#include <stddef.h>
#include <stdint.h>

struct text {
	char *buffer;
	size_t size;	/* of the buffer; 0 to count only */
	size_t length;	/* that the whole text has, the NUL left out */
};

static inline void text_put_char(struct text *text, char c)
{
	if (text->length + 1 < text->size)
		text->buffer[text->length] = c;
	text->length++;
}

void text_put(struct text *text, const char *string);

/* In decimal. */
void text_put_number(struct text *text, uint64_t number);

/* In hexadecimal, without leading zeros. */
void text_put_hex(struct text *text, uint32_t number);

/* Terminates what the buffer holds. */
void text_end(struct text *text);
