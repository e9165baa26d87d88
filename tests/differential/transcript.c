/* SPDX-License-Identifier: MIT */
#include "transcript.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

struct transcript *transcript;

void transcript_init(void)
{
	transcript = mmap(NULL, sizeof(*transcript), PROT_READ | PROT_WRITE,
			  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (transcript == MAP_FAILED) {
		perror("mmap");
		exit(99);
	}
}

void transcript_clear(void)
{
	transcript->length = 0;
	transcript->n_strays = 0;
	transcript->text[0] = '\0';
}

void vsay(const char *format, va_list arguments)
{
	const size_t room = sizeof(transcript->text) - transcript->length;
	const int n = vsnprintf(transcript->text + transcript->length, room,
				format, arguments);

	if (n > 0 && (size_t)n < room)
		transcript->length += (size_t)n;
}

void say(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsay(format, arguments);
	va_end(arguments);
}

/* FNV-1a. */
uint64_t transcript_hash(void)
{
	uint64_t hash = 0xcbf29ce484222325u;

	for (size_t i = 0; i < transcript->length; i++)
		hash = (hash ^ (uint8_t)transcript->text[i]) * 0x100000001b3u;
	return hash;
}
