/* SPDX-License-Identifier: MIT */
#include "cli/conf/config_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

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

static ssize_t read_all(int fd, char *text, size_t size)
{
	size_t length = 0;
	ssize_t n = 1;

	while (length < size && n != 0) {
		n = read(fd, text + length, size - length);
		if (n < 0 && errno != EINTR)
			return -1;
		if (n > 0)
			length += (size_t)n;
	}
	return (ssize_t)length;
}

static const char *refuse_text(char *text, size_t length)
{
	if (length > MAX_SIZE)
		return "is too large";
	if (memchr(text, '\0', length) != NULL ||
	    memchr(text, CONFIG_VARIABLE, length) != NULL)
		return "is binary";
	text[length] = '\0';
	if (strncmp(text, "\xef\xbb\xbf", 3) == 0)
		memset(text, ' ', 3); /* a byte order mark */
	return NULL;
}

const char *config_file_read(const char *path, struct stat *status,
			     char **textp)
{
	const char *why;
	ssize_t length = -1;
	int fd;

	*textp = NULL;
	if (stat(path, status) != 0)
		return strerror(errno);
	why = refuse_kind(status->st_mode);
	if (why != NULL)
		return why;
	*textp = malloc(MAX_SIZE + 2);
	fd = *textp != NULL ? open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY) : -1;
	if (fd >= 0 && fstat(fd, status) == 0)
		length = read_all(fd, *textp, MAX_SIZE + 1);
	why = length < 0 ? strerror(errno)
			 : refuse_text(*textp, (size_t)length);
	if (fd >= 0)
		close(fd);
	return why;
}

bool config_file_is_pattern(const char *path)
{
	return strpbrk(path, "*?[") != NULL;
}

/* In a pattern, the wildcard characters of the folder are escaped. */
char *config_file_resolve(const char *file, const char *path)
{
	const char *slash = path[0] == '/' ? NULL : strrchr(file, '/');
	const size_t length = slash != NULL ? (size_t)(slash + 1 - file) : 0;
	char *resolved = malloc(2 * length + strlen(path) + 1);
	char *to = resolved;

	if (resolved == NULL)
		return NULL;
	for (size_t i = 0; i < length; i++) {
		if (config_file_is_pattern(path) &&
		    strchr("*?[\\", file[i]) != NULL)
			*to++ = '\\';
		*to++ = file[i];
	}
	memcpy(to, path, strlen(path) + 1);
	return resolved;
}
