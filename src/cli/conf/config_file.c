/* SPDX-License-Identifier: MIT */
#include "cli/conf/config_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/conf/config_text.h"

#define MAX_SIZE ((size_t)1 << 20)

/* To open a device may have effects, and to read it may have no end. */
static const char *refuse_kind(mode_t mode)
{
	if (S_ISDIR(mode))
		return strerror(EISDIR);
	return S_ISREG(mode) || S_ISFIFO(mode) ? NULL
					       : "is not a file or a pipe";
}

static const char *refuse_text(char *text, size_t length)
{
	if (length > MAX_SIZE)
		return "is too large";
	if (memchr(text, '\0', length) != NULL ||
	    memchr(text, CONFIG_VARIABLE, length) != NULL)
		return "is binary";
	if (strncmp(text, "\xef\xbb\xbf", 3) == 0)
		memset(text, ' ', 3); /* a byte order mark */
	return NULL;
}

const char *config_file_read(const char *path, struct stat *status,
			     char **textp)
{
	const char *why;
	size_t length;
	FILE *file;

	*textp = NULL;
	if (stat(path, status) != 0)
		return strerror(errno);
	why = refuse_kind(status->st_mode);
	if (why != NULL)
		return why;
	file = fopen(path, "re");
	if (file == NULL)
		return strerror(errno);
	*textp = calloc(1, MAX_SIZE + 2);
	if (*textp == NULL)
		memory_fail();
	length = fread(*textp, 1, MAX_SIZE + 1, file);
	why = ferror(file) || fstat(fileno(file), status) != 0
		      ? strerror(errno)
		      : refuse_text(*textp, length);
	fclose(file);
	return why;
}

bool config_file_is_pattern(const char *path)
{
	return strpbrk(path, "*?[") != NULL;
}

/* In a pattern, the wildcard characters of the folder are escaped. */
char *config_file_resolve(struct memory *memory, const char *file,
			  const char *path)
{
	const char *slash = path[0] == '/' ? NULL : strrchr(file, '/');
	const size_t length = slash != NULL ? (size_t)(slash + 1 - file) : 0;
	char *resolved = memory_take(memory, 2 * length + strlen(path) + 1, 1);
	char *to = resolved;

	for (size_t i = 0; i < length; i++) {
		if (config_file_is_pattern(path) &&
		    strchr("*?[\\", file[i]) != NULL)
			*to++ = '\\';
		*to++ = file[i];
	}
	memcpy(to, path, strlen(path) + 1);
	return resolved;
}
