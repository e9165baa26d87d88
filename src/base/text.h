/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Text put together in a buffer of the caller's, without heap or stdio, and so
 * async-signal-safe. What does not fit is left out, and counted.
 */

#include <stdbool.h>
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

/*
 * Text that somebody else has chosen: the name of a program, a path, a value.
 * It goes to terminals and logs, and may be printed where it is UTF-8 (RFC 3629)
 * without control characters (C0, DEL, C1), line separators, and the characters
 * that are invisible or change the direction of what is around them
 * (bidirectional controls of UAX #9, zero width, tags).
 */
struct text_character {
	uint32_t code;		/* U+FFFD where there is no UTF-8 */
	uint32_t length;	/* in bytes, at least 1 */
	bool is_printable;
};

/* The character that a text, which is not empty, begins with. */
struct text_character text_character(const char *text);

/* At most max bytes of a string, with "?" for each character that may not be
 * printed. None is cut in two. */
void text_put_printable(struct text *text, const char *string, size_t max);

/* The same in place. */
void text_make_printable(char *string);
