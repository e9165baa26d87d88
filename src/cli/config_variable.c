/* SPDX-License-Identifier: MIT */
#include "cli/config_variable.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

#define NAME_CHARACTERS \
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_0123456789"

/* What stands between the braces. */
struct variable {
	char *name;
	char *fallback;		/* behind ":-"; NULL = none */
};

/* Returns why it makes no sense, or NULL. Cuts the text in two. */
static const char *split(char *text, struct variable *variable)
{
	const size_t length = strspn(text, NAME_CHARACTERS);

	variable->name = text;
	variable->fallback = NULL;
	if (length == 0 || (*text >= '0' && *text <= '9'))
		return "has no name of a variable";
	if (strncmp(text + length, ":-", 2) == 0)
		variable->fallback = text + length + 2;
	else if (text[length] != '\0')
		return "is neither ${NAME} nor ${NAME:-DEFAULT}";
	if (variable->fallback != NULL &&
	    strstr(variable->fallback, "${") != NULL)
		return "has a variable in its default";
	text[length] = '\0';
	return NULL;
}

static bool has_control(const char *value)
{
	for (; *value != '\0'; value++)
		if ((unsigned char)*value < ' ' || *value == 0x7f)
			return true;
	return false;
}

/* So that each character stands for itself between double quotes. */
static void put_escaped(FILE *stream, const char *value, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		if (strchr("\\\"$", value[i]) != NULL)
			fputc('\\', stream);
		fputc(value[i], stream);
	}
}

/* Writes what a variable stands for. Returns why it cannot, or NULL. */
static const char *put_value(FILE *stream, const struct variable *variable)
{
	/* Without a name there was no memory for it. */
	const char *value = variable->name != NULL ? getenv(variable->name)
						   : NULL;

	if (variable->fallback != NULL && (value == NULL || *value == '\0')) {
		/* As it stands in the file: escaped already. */
		fputs(variable->fallback, stream);
		return NULL;
	}
	if (value == NULL)
		return "is not set in the environment, and has no default";
	if (has_control(value))
		return "has a control character in its value";
	put_escaped(stream, value, strlen(value));
	return NULL;
}

static void put_variable(FILE *stream, const char *text, size_t length,
			 struct location place, struct findings *findings)
{
	char *inside = strndup(text + 2, length - 3);
	struct variable variable = { .name = NULL };
	const char *why = inside == NULL ? strerror(ENOMEM)
					 : split(inside, &variable);

	if (why == NULL)
		why = put_value(stream, &variable);
	if (why != NULL) {
		findings_add(findings, SEVERITY_ERROR, place, "\"%s\" %s",
			     quote(text, length).text, why);
		put_escaped(stream, text, length);
	}
	free(inside);
}

char *config_variable_expand(struct token token, struct location place,
			     struct findings *findings)
{
	const char *from = token.text, *variable;
	char *text = NULL;
	size_t size, length;
	FILE *stream;

	if (token_variable(token, from, &length) == NULL)
		return NULL;
	stream = open_memstream(&text, &size);
	if (stream == NULL) {
		findings->incomplete = true;
		return NULL;
	}
	while ((variable = token_variable(token, from, &length)) != NULL) {
		fwrite(from, 1, (size_t)(variable - from), stream);
		put_variable(stream, variable, length, place, findings);
		from = variable + length;
	}
	fwrite(from, 1, (size_t)(token.text + token.length - from), stream);
	if (fclose(stream) == 0)
		return text;
	findings->incomplete = true;
	free(text);
	return NULL;
}
