/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The words of berth.conf, cut as libconfuse 3.3 cuts them. What libconfuse
 * would pass over in silence is refused: an unquoted * or a + by itself, and
 * quotes and comments without an end.
 */

#include <stdbool.h>
#include <stddef.h>

enum token_kind {
	TOKEN_END,
	TOKEN_WORD,
	TOKEN_STRING,		/* in quotes, single or double */
	TOKEN_EQUALS,		/* "=" or "+=" */
	TOKEN_COMMA,
	TOKEN_OPEN,		/* "{" */
	TOKEN_CLOSE,
	TOKEN_OPEN_LIST,	/* "(" */
	TOKEN_CLOSE_LIST,
	TOKEN_COMMENT,
	TOKEN_BAD,
};

struct token {
	enum token_kind kind;
	const char *text;	/* with its quotes */
	size_t length;
	int line;		/* where it starts */
	const char *reason;	/* of TOKEN_BAD: "has no end on its line" */
};

struct token_reader {
	const char *at;
	int line;
};

/* Reads the next one, TOKEN_END for ever at the end. */
void token_next(struct token_reader *reader, struct token *tokenp);

static inline bool token_is_text(struct token token)
{
	return token.kind == TOKEN_WORD || token.kind == TOKEN_STRING;
}

/* What stands between the quotes, or the word; not terminated. */
struct token token_content(struct token token);

bool token_equals(struct token token, const char *word);

/* A word fit for a message: at most 60 bytes of it. */
struct quoted {
	char text[64];
};

struct quoted token_quote(struct token token);
struct quoted quote(const char *word, size_t length);

/* Where a ${NAME} or ${NAME:-DEFAULT} begins behind from in a string in double
 * quotes; NULL = there is none. *lengthp is that of all of it. */
const char *token_variable(struct token token, const char *from,
			   size_t *lengthp);

/* Turns all but line breaks into blanks. */
void blank(char *start, const char *end);
