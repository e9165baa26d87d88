/* SPDX-License-Identifier: MIT */
#include "cli/conf/config_variable.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/conf/config_text.h"

#define NAME_CHARACTERS \
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_0123456789"

static bool has_control(const char *value)
{
	for (; *value != '\0'; value++)
		if ((unsigned char)*value < ' ' || *value == 0x7f)
			return true;
	return false;
}

/* Finds the value of NAME or NAME:-DEFAULT. Returns what is wrong, or NULL. */
static const char *look_up(char *inside, const char **valuep)
{
	const size_t length = strspn(inside, NAME_CHARACTERS);
	const char *fallback = NULL, *value;

	if (length == 0 || (*inside >= '0' && *inside <= '9'))
		return "does not name a variable";
	if (strncmp(inside + length, ":-", 2) == 0)
		fallback = inside + length + 2;
	else if (inside[length] != '\0')
		return "is neither ${NAME} nor ${NAME:-DEFAULT}";
	if (fallback != NULL && strchr(fallback, CONFIG_VARIABLE) != NULL)
		return "has a variable in its default";
	inside[length] = '\0';
	value = getenv(inside);
	if (fallback != NULL && (value == NULL || *value == '\0'))
		value = fallback;
	else if (value == NULL)
		return "is not set in the environment, and has no default";
	else if (has_control(value))
		return "has a control character in its value";
	*valuep = value;
	return NULL;
}

/* Writes the value of a variable, or a wrong variable as it is. Returns its
 * length in the text: all of the rest without a closing brace. */
static size_t put_variable(FILE *stream, const char *variable,
			   struct location place, struct findings *findings)
{
	const size_t length = strcspn(variable, "}");
	const bool is_closed = variable[length] == '}';
	struct finding_word quoted =
		findings_quote(variable, length + is_closed);
	const char *value = quoted.text, *why = "has no closing brace";
	char *inside = strndup(variable + 2, length - 2);

	if (inside == NULL)
		findings->memory.failed = true;
	else if (is_closed)
		why = look_up(inside, &value);
	for (char *mark = quoted.text;
	     (mark = strchr(mark, CONFIG_VARIABLE)) != NULL;)
		*mark = '$';
	if (why != NULL)
		findings_add(findings, SEVERITY_ERROR, place, "\"%s\" %s",
			     quoted.text, why);
	fputs(value, stream);
	free(inside);
	return length + is_closed;
}

const char *config_variable_expand(struct memory *memory, const char *value,
				   struct location place,
				   struct findings *findings)
{
	char *text = NULL, *copy = NULL;
	size_t size = 0;
	FILE *stream = open_memstream(&text, &size);

	while (stream != NULL && *value != '\0') {
		if (strncmp(value, (char[]){ CONFIG_VARIABLE, '{', '\0' }, 2)
		    == 0)
			value += put_variable(stream, value, place, findings);
		else
			fputc(*value++, stream);
	}
	if (stream != NULL && fclose(stream) == 0)
		copy = memory_copy(memory, text, size);
	else
		memory->failed = true;
	free(text);
	return copy;
}
