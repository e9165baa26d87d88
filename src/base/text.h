/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Text composed in a buffer of the caller, without heap or stdio, and so
 * async-signal-safe. What does not fit is left out, but counted.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct text {
	char *buffer;
	size_t size;   /* of the buffer; 0 to count only */
	size_t length; /* of the whole text, without the NUL */
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
void text_put_hex(struct text *text, uint64_t number);

/* Terminates what the buffer holds. */
void text_end(struct text *text);

/* Writes a number in decimal, with a text before and behind it. */
void text_number(char *buffer, size_t size, const char *before, uint64_t number,
		 const char *after);

#define NUMBER_TEXT_SIZE 21 /* room for any number */

static inline void number_text(uint64_t number, char buffer[NUMBER_TEXT_SIZE])
{
	text_number(buffer, NUMBER_TEXT_SIZE, "", number, "");
}

/* The path by which an open descriptor is reached: proc(5). */
#define FD_PATH_SIZE 32

static inline void fd_path(int fd, char buffer[FD_PATH_SIZE])
{
	text_number(buffer, FD_PATH_SIZE, "/proc/self/fd/", (uint64_t)fd, "");
}

/*
 * Reads a number in decimal, or at most max_digits digits of base 10 or 16, and
 * moves *atp behind it. A number beyond 64 bits is read as UINT64_MAX. Returns
 * whether there is a digit; if not, the number is 0.
 */
bool text_take_number(const char **atp, uint64_t *numberp);
bool text_take_digits(const char **atp, unsigned int base, size_t max_digits,
		      uint64_t *numberp);

/*
 * Text that somebody else has chosen, such as the name of a program, a path or
 * a value, goes to terminals and logs. It is printed where it is UTF-8 (RFC
 * 3629) without control characters (C0, DEL, C1), line separators, and
 * characters that are invisible or change the direction of text around them
 * (bidirectional controls of UAX #9, zero width, tags).
 */
struct text_character {
	uint32_t code;	 /* U+FFFD where the text is not UTF-8 */
	uint32_t length; /* in bytes, at least 1 */
	bool is_printable;
};

/* Decodes the first character of a text that is not empty. */
struct text_character text_character(const char *text);

/* Appends at most max bytes of a string, with "?" in place of each character
 * that is not printed. No character is cut in two. */
void text_put_printable(struct text *text, const char *string, size_t max);

/* Does the same within the string itself. */
void text_make_printable(char *string);
