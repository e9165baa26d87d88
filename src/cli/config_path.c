/* SPDX-License-Identifier: MIT */
#include "cli/config_path.h"

#include <stdlib.h>
#include <string.h>

/* The wildcards of the folder stand for themselves in a pattern. */
static size_t put_folder(char *to, const char *file, bool is_pattern)
{
	const char *slash = strrchr(file, '/');
	const char *end = slash != NULL ? slash + 1 : file;
	size_t n = 0;

	for (const char *from = file; from < end; from++) {
		if (is_pattern && strchr("*?[\\", *from) != NULL)
			to[n++] = '\\';
		to[n++] = *from;
	}
	return n;
}

static void put_name(char *to, struct token name)
{
	name = token_content(name);
	for (size_t i = 0; i < name.length; i++) {
		if (name.text[i] == '\\' && i + 1 < name.length &&
		    strchr("\\\"'$", name.text[i + 1]) != NULL)
			i++;
		*to++ = name.text[i];
	}
	*to = '\0';
}

char *config_path_make(const char *file, struct token name,
		       bool *is_patternp)
{
	char *path = malloc(2 * strlen(file) + name.length + 1);

	if (path == NULL)
		return NULL;
	put_name(path, name);
	*is_patternp = strpbrk(path, "*?[") != NULL;
	if (path[0] != '/')
		put_name(path + put_folder(path, file, *is_patternp), name);
	return path;
}
