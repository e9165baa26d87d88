/* SPDX-License-Identifier: MIT */
#include "cli/message.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

void message_to(FILE *stream, const char *format, ...)
{
	char *text = NULL;
	va_list arguments;
	size_t length;
	bool ends;
	int n;

	va_start(arguments, format);
	n = vasprintf(&text, format, arguments);
	va_end(arguments);
	if (n < 0) {
		fputs("berth: no memory for a message\n", stream);
		return;
	}
	length = (size_t)n;
	ends = length > 0 && text[length - 1] == '\n';
	if (ends)
		text[length - 1] = '\0';
	text_make_printable(text);
	fprintf(stream, "%s%s", text, ends ? "\n" : "");
	free(text);
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
	message("berth: cannot write: %s\n", strerror(error));
	return EXIT_FAILURE;
}
