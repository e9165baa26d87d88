/* SPDX-License-Identifier: MIT */
#include "base/text.h"

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

void text_put_hex(struct text *text, uint32_t number)
{
	put_number(text, number, 16);
}

void text_end(struct text *text)
{
	if (text->size > 0)
		text->buffer[text->length < text->size ? text->length
						       : text->size - 1] = '\0';
}
