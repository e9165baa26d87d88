/* SPDX-License-Identifier: MIT */
#include "cli/conf/config_text.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_SIZE ((size_t)1 << 20) /* of a file */
#define BLANKS " \t\r\n"
#define SIGNS "={}(),"
#define DEPTH_MAX 8u /* of braces; libconfuse calls itself for each */
#define NAME_CHARACTERS \
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_0123456789"

/* --- files ---------------------------------------------------------------- */

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

/* --- the scan ------------------------------------------------------------- */

/* Blanks a comment that has an end, by '\r': libconfuse reads many spaces
 * slowly. */
static void skip_comment(char *text)
{
	char *end = text;

	if (*text == '#' || strncmp(text, "//", 2) == 0)
		end += strcspn(text, "\n");
	else if (strncmp(text, "/*", 2) == 0 && strstr(text + 2, "*/") != NULL)
		end = strstr(text + 2, "*/") + 2;
	for (; text < end; text++)
		if (*text != '\n')
			*text = '\r';
}

/* The length of a blank, a sign, a word or a string; 0 = it is not closed. */
static size_t measure(char *text)
{
	size_t n = strcspn(text, BLANKS SIGNS "\"'#");

	if (n > 0 || (*text != '"' && *text != '\''))
		return n > 0 ? n : 1;
	for (n = 1; text[n] != text[0]; n++) {
		if (text[n] == '\0' || text[n] == '\n')
			return 0;
		if (text[n] == '\\' && text[n + 1] != '\0')
			n++;
		else if (text[0] == '"' && strncmp(text + n, "${", 2) == 0)
			text[n] = CONFIG_VARIABLE;
	}
	return n + 1;
}

static bool is_word(struct config_word token)
{
	return strchr(SIGNS, *token.text) == NULL;
}

/* Looks at last[0], behind the tokens before it. Returns what is wrong, or
 * NULL. */
static const char *judge(const struct config_word last[4],
			 struct config_names *names, struct config_word *wrongp)
{
	const char kind = *last[0].text, *text = last[0].text;
	const bool has_title = kind == '{' && is_word(last[2]) &&
			       *last[3].text != '=';
	const struct config_word name = last[has_title ? 2 : 1];

	*wrongp = last[0];
	if (last[0].length == 0)
		return "has no closing quote on its line";
	if (strncmp(text, "/*", 2) == 0)
		return "starts a comment that has no end";
	if (is_word(last[0]) && kind != '"' && kind != '\'' &&
	    (memchr(text, '*', last[0].length) != NULL ||
	     memchr(text, '+', last[0].length) != NULL ||
	     strncmp(text + last[0].length - 1, "${", 2) == 0))
		return "must be in quotes";
	if (kind == '}' && *last[1].text == '{' && *last[2].text == '=')
		return "ends an empty list; fill it or leave it out";
	/* libconfuse loses memory behind a parenthesis that is not closed. */
	*wrongp = last[*last[1].text == '(' ? 1 : 2];
	if (*wrongp->text == '(' &&
	    (*last[1].text == '(' ? !is_word(last[0]) : kind != ')'))
		return "must hold one path: include(\"PATH\")";
	*wrongp = name;
	if ((kind == '=' || kind == '{') && is_word(last[1]) &&
	    !config_names_add(names, name, kind == '{', has_title))
		return "is no name";
	return NULL;
}

bool config_text_scan(char *text, const char *path, struct config_names *names,
		      struct findings *findings)
{
	const struct config_word none = { text + strlen(text), 0, 1 };
	struct config_word last[] = { none, none, none, none }, open = none;
	struct config_word token = { text, 0, 1 }, wrong = none;
	const char *why = NULL;
	unsigned int depth = 0;

	for (;;) {
		skip_comment(token.text);
		token.length = measure(token.text);
		if (*token.text == '\0' ||
		    strchr(BLANKS, *token.text) == NULL) {
			memmove(last + 1, last, 3 * sizeof(token));
			last[0] = token;
			if (*token.text == '{' && depth++ == 0)
				open = token;
			depth -= *token.text == '}' && depth > 0;
			why = judge(last, names, &wrong);
		}
		if (depth > DEPTH_MAX) {
			why = "is nested too deep";
			wrong = token;
		}
		if (why != NULL || *token.text == '\0')
			break;
		for (; token.length > 0; token.length--)
			token.line += *token.text++ == '\n';
	}
	if (why == NULL && depth == 0)
		return true;
	if (why == NULL)
		wrong = open;
	findings_add(findings, SEVERITY_ERROR,
		     (struct location){ path, wrong.line }, "\"%s\" %s",
		     config_word_quote(wrong).text,
		     why != NULL ? why : "is never closed");
	if (why != NULL)
		*wrong.text = '\0';
	return false;
}

/* --- the variables of a value --------------------------------------------- */

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
	struct finding_word quoted = findings_quote(variable,
						    length + is_closed);
	const char *value = quoted.text, *why = "has no closing brace";

	if (is_closed)
		why = look_up(memory_copy(&findings->memory, variable + 2,
					  length - 2),
			      &value);
	for (char *mark = quoted.text;
	     (mark = strchr(mark, CONFIG_VARIABLE)) != NULL;)
		*mark = '$';
	if (why != NULL)
		findings_add(findings, SEVERITY_ERROR, place, "\"%s\" %s",
			     quoted.text, why);
	fputs(value, stream);
	return length + is_closed;
}

const char *config_text_expand(struct memory *memory, const char *value,
			       struct location place, struct findings *findings)
{
	char *text, *copy;
	size_t size;
	FILE *stream = memory_stream(&text, &size);

	while (*value != '\0') {
		if (strncmp(value, (char[]){ CONFIG_VARIABLE, '{', '\0' }, 2) ==
		    0)
			value += put_variable(stream, value, place, findings);
		else
			fputc(*value++, stream);
	}
	memory_stream_end(stream);
	copy = memory_copy(memory, text, size);
	free(text);
	return copy;
}
