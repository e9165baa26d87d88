/* SPDX-License-Identifier: MIT */
#include "cli/config_token.h"

#include <string.h>

#define QUOTE_LENGTH 60u
#define DELIMITERS " \t\r\n={}(),+\"'#"

static struct token bad(const char *text, size_t length, const char *reason)
{
	return (struct token){ .kind = TOKEN_BAD, .text = text,
			       .length = length, .reason = reason };
}

static struct token read_comment(const char *text)
{
	struct token token = { .kind = TOKEN_COMMENT, .text = text };
	const char *end;

	if (text[1] != '*' || text[0] == '#') {
		token.length = strcspn(text, "\n");
		return token;
	}
	end = strstr(text + 2, "*/");
	if (end == NULL)
		return bad(text, 2, "starts a comment that has no end");
	token.length = (size_t)(end + 2 - text);
	return token;
}

/* libconfuse looks for the end of ${NAME} beyond quotes and lines. */
static size_t variable_length(const char *text)
{
	size_t n = strcspn(text, "}\"\n");

	return text[n] == '}' ? n + 1 : 0;
}

static struct token read_string(const char *text)
{
	size_t n = 1;

	while (text[n] != text[0]) {
		size_t step = 1;

		if (text[n] == '\0' || text[n] == '\n')
			return bad(text + 1, strcspn(text + 1, "\r\n"),
				   "has no closing quote on its line");
		if (text[n] == '\\' && text[n + 1] != '\0')
			step = 2;
		else if (text[0] == '"' && strncmp(text + n, "${", 2) == 0)
			step = variable_length(text + n);
		if (step == 0)
			return bad(text + n, strcspn(text + n, "\"\r\n"),
				   "has no closing brace");
		n += step;
	}
	return (struct token){ .kind = TOKEN_STRING, .text = text,
			       .length = n + 1 };
}

static struct token read_word(const char *text)
{
	size_t n = strcspn(text, DELIMITERS);

	if (n == 0)
		return bad(text, 1, "makes no sense here");
	if (memchr(text, '*', n) != NULL ||
	    (text[n] == '{' && text[n - 1] == '$'))
		return bad(text, n, "must stand in quotes");
	return (struct token){ .kind = TOKEN_WORD, .text = text, .length = n };
}

static struct token read_sign(const char *text)
{
	struct token token = { .text = text, .length = 1 };

	switch (text[0]) {
	case '=': token.kind = TOKEN_EQUALS; return token;
	case ',': token.kind = TOKEN_COMMA; return token;
	case '{': token.kind = TOKEN_OPEN; return token;
	case '}': token.kind = TOKEN_CLOSE; return token;
	case '(': token.kind = TOKEN_OPEN_LIST; return token;
	case ')': token.kind = TOKEN_CLOSE_LIST; return token;
	case '\0': token.length = 0; return token;
	default: return read_word(text);
	}
}

static struct token read_token(const char *text)
{
	if (text[0] == '#' ||
	    (text[0] == '/' && (text[1] == '/' || text[1] == '*')))
		return read_comment(text);
	if (text[0] == '"' || text[0] == '\'')
		return read_string(text);
	if (text[0] == '+' && text[1] == '=')
		return (struct token){ .kind = TOKEN_EQUALS, .text = text,
				       .length = 2 };
	return read_sign(text);
}

static void advance(struct token_reader *reader, size_t n)
{
	for (; n > 0; n--)
		if (*reader->at++ == '\n')
			reader->line++;
}

void token_next(struct token_reader *reader, struct token *tokenp)
{
	advance(reader, strspn(reader->at, " \t\r\n"));
	*tokenp = read_token(reader->at);
	tokenp->line = reader->line;
	advance(reader, tokenp->length);
}

struct token token_content(struct token token)
{
	if (token.kind == TOKEN_STRING) {
		token.text++;
		token.length -= 2;
	}
	return token;
}

bool token_equals(struct token token, const char *word)
{
	token = token_content(token);
	return strlen(word) == token.length &&
	       memcmp(token.text, word, token.length) == 0;
}

struct quoted quote(const char *word, size_t length)
{
	struct quoted quoted = { "" };
	size_t n = length;

	if (n > QUOTE_LENGTH) {
		n = QUOTE_LENGTH - 3;
		while (n > 0 && ((unsigned char)word[n] & 0xc0) == 0x80)
			n--;
	}
	memcpy(quoted.text, word, n);
	if (n < length)
		memcpy(quoted.text + n, "...", sizeof("..."));
	return quoted;
}

struct quoted token_quote(struct token token)
{
	token = token_content(token);
	return quote(token.text, token.length);
}

const char *token_variable(struct token token, const char *from,
			   size_t *lengthp)
{
	const char *end = token.text + token.length;

	if (token.kind != TOKEN_STRING || token.text[0] != '"')
		return NULL;
	for (const char *at = from; at + 1 < end; at++) {
		if (*at == '\\') {
			at++;
		} else if (strncmp(at, "${", 2) == 0) {
			*lengthp = variable_length(at);
			return at;
		}
	}
	return NULL;
}

void blank(char *start, const char *end)
{
	for (; start < end; start++)
		if (*start != '\n')
			*start = ' ';
}
