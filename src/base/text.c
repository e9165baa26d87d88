/* SPDX-License-Identifier: MIT */
#include "base/text.h"

#include <limits.h>
#include <string.h>

void text_put(struct text *text, const char *string)
{
	while (*string != '\0')
		text_put_char(text, *string++);
}

static void put_number(struct text *text, uint64_t number, unsigned int base)
{
	char digits[20];
	size_t n = 0;

	do
		digits[n++] = "0123456789abcdef"[number % base];
	while ((number /= base) != 0);
	while (n > 0)
		text_put_char(text, digits[--n]);
}

void text_put_number(struct text *text, uint64_t number)
{
	put_number(text, number, 10);
}

void text_put_hex(struct text *text, uint64_t number)
{
	put_number(text, number, 16);
}

void text_end(struct text *text)
{
	if (text->size > 0)
		text->buffer[text->length < text->size ? text->length
						       : text->size - 1] = '\0';
}

void text_number(char *buffer, size_t size, const char *before, uint64_t number,
		 const char *after)
{
	struct text text = { buffer, size, 0 };

	text_put(&text, before);
	text_put_number(&text, number);
	text_put(&text, after);
	text_end(&text);
}

/* UINT_MAX for what is no digit. */
static unsigned int digit_of(char c)
{
	if (c >= '0' && c <= '9')
		return (unsigned int)(c - '0');
	if (c >= 'a' && c <= 'f')
		return (unsigned int)(c - 'a') + 10;
	if (c >= 'A' && c <= 'F')
		return (unsigned int)(c - 'A') + 10;
	return UINT_MAX;
}

bool text_take_digits(const char **atp, unsigned int base, size_t max_digits,
		      uint64_t *numberp)
{
	const char *const start = *atp;
	uint64_t number = 0;

	while (max_digits-- > 0) {
		const unsigned int digit = digit_of(**atp);

		if (digit >= base)
			break;
		number = number > (UINT64_MAX - digit) / base
				 ? UINT64_MAX
				 : number * base + digit;
		(*atp)++;
	}
	*numberp = number;
	return *atp != start;
}

bool text_take_number(const char **atp, uint64_t *numberp)
{
	return text_take_digits(atp, 10, SIZE_MAX, numberp);
}

#define REPLACEMENT 0xfffdu

/* Ranges of characters that are not printed, first and last. */
static const uint32_t unprintable[][2] = {
	{ 0x00, 0x1f },	      /* C0 controls */
	{ 0x7f, 0x9f },	      /* DEL, C1 controls */
	{ 0x61c, 0x61c },     /* Arabic letter mark */
	{ 0x200b, 0x200f },   /* zero width, direction marks */
	{ 0x2028, 0x202e },   /* separators, embeddings and overrides */
	{ 0x2060, 0x206f },   /* invisible operators, isolates */
	{ 0xfeff, 0xfeff },   /* zero width no-break space */
	{ 0xfff9, 0xfffb },   /* interlinear annotation */
	{ 0xe0000, 0xe0fff }, /* tags, variation selectors */
};

static bool is_printable(uint32_t code)
{
	for (size_t i = 0; i < sizeof(unprintable) / sizeof(unprintable[0]);
	     i++)
		if (code >= unprintable[i][0] && code <= unprintable[i][1])
			return false;
	return true;
}

/*
 * Rejects encodings that are too long, surrogates, and what is beyond Unicode.
 */
static bool is_sound(uint32_t code, uint32_t length)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };

	return code >= least[length] && code <= 0x10ffff &&
	       (code < 0xd800 || code > 0xdfff);
}

struct text_character text_character(const char *text)
{
	const struct text_character broken = { REPLACEMENT, 1, false };
	const uint8_t first = (uint8_t)text[0];
	const uint32_t length = first < 0x80   ? 1
				: first < 0xe0 ? 2
				: first < 0xf0 ? 3
					       : 4;
	uint32_t code = first;

	if ((first >= 0x80 && first < 0xc2) || first > 0xf4)
		return broken;
	if (length > 1)
		code &= 0x7fu >> length;
	for (uint32_t i = 1; i < length; i++) {
		/* A NUL at the end of the text is no continuation byte. */
		if (((uint8_t)text[i] & 0xc0) != 0x80)
			return broken;
		code = code << 6 | ((uint8_t)text[i] & 0x3f);
	}
	if (!is_sound(code, length))
		return broken;
	return (struct text_character){ code, length, is_printable(code) };
}

void text_put_printable(struct text *text, const char *string, size_t max)
{
	while (max > 0 && *string != '\0') {
		const struct text_character next = text_character(string);

		if (next.length > max)
			return;
		if (!next.is_printable)
			text_put_char(text, '?');
		for (uint32_t i = 0; next.is_printable && i < next.length; i++)
			text_put_char(text, string[i]);
		string += next.length;
		max -= next.length;
	}
}

void text_make_printable(char *string)
{
	const size_t size = strlen(string) + 1;
	struct text text = { string, size, 0 };

	/* The write position never passes the read position. */
	text_put_printable(&text, string, size);
	text_end(&text);
}
