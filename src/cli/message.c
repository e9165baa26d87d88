/* SPDX-License-Identifier: MIT */
#include "cli/message.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "cli/memory.h"

void message_to(FILE *stream, const char *format, ...)
{
	struct memory memory = { .blocks = NULL };
	va_list arguments;
	size_t length;
	char *text;
	bool ends;

	va_start(arguments, format);
	text = memory_print_list(&memory, format, arguments);
	va_end(arguments);
	length = strlen(text);
	ends = length > 0 && text[length - 1] == '\n';
	if (ends)
		text[length - 1] = '\0';
	text_make_printable(text);
	fprintf(stream, "%s%s", text, ends ? "\n" : "");
	memory_free(&memory);
}

int message_written_to(FILE *stream)
{
	int error = 0;

	if (fflush(stream) != 0)
		error = errno;
	else if (ferror(stream))
		error = EIO;
	if (error == 0)
		return EXIT_SUCCESS;
	message("cannot write: %s", strerror(error));
	return EXIT_FAILURE;
}
