/* SPDX-License-Identifier: MIT */
#include "base/log.h"

#include <stddef.h>
#include <unistd.h>

#include "base/raw.h"

#define LINE_SIZE 512

static size_t append(char line[LINE_SIZE], size_t length, const char *text)
{
	while (*text != '\0' && length < LINE_SIZE - 1)
		line[length++] = *text++;
	return length;
}

void log_line(const char *const *parts)
{
	char line[LINE_SIZE];
	size_t length = append(line, 0, "berth: ");

	for (; *parts != NULL; parts++)
		length = append(line, length, *parts);
	line[length++] = '\n';
	raw_write(STDERR_FILENO, line, length);
}
