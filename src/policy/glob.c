/* SPDX-License-Identifier: MIT */
#include "policy/glob.h"

#include <stddef.h>

/*
 * One element of a pattern against one byte. Returns the length of the element
 * where it matches, 0 where it does not.
 */
static size_t match_set(const char *set, unsigned char byte)
{
	size_t i = 1;
	const bool negated = set[i] == '!' || set[i] == '^';
	bool found = false;

	if (negated)
		i++;
	/* A "]" that comes first stands for itself. */
	for (size_t first = i; set[i] != ']' || i == first; i++) {
		unsigned char lo = (unsigned char)set[i];

		if (lo == '\0')
			return 0;

		unsigned char hi = lo;

		if (set[i + 1] == '-' && set[i + 2] != ']' &&
		    set[i + 2] != '\0') {
			hi = (unsigned char)set[i + 2];
			i += 2;
		}
		found |= lo <= byte && byte <= hi;
	}
	return found != negated && byte != '/' ? i + 1 : 0;
}

static size_t match_one(const char *pattern, unsigned char byte)
{
	switch (pattern[0]) {
	case '\0': return 0;
	case '?': return byte != '/';
	case '[': return match_set(pattern, byte);
	case '\\':
		return pattern[1] != '\0' && (unsigned char)pattern[1] == byte
			       ? 2
			       : 0;
	default: return (unsigned char)pattern[0] == byte;
	}
}

/*
 * Where to go on when the pattern behind a star did not match: one byte
 * further.
 */
struct retreat {
	/* Pattern NULL = there was no such star */
	const char *pattern, *text;
};

static bool step_back(struct retreat *star, struct retreat *stars,
		      const char **patternp, const char **textp)
{
	if (star->pattern != NULL && *star->text != '\0' &&
	    *star->text != '/') {
		star->text++;
	} else if (stars->pattern != NULL && *stars->text != '\0') {
		stars->text++;
		*star = (struct retreat){ 0 };
		*patternp = stars->pattern;
		*textp = stars->text;
		return true;
	} else {
		return false;
	}
	*patternp = star->pattern;
	*textp = star->text;
	return true;
}

bool glob_matches(const char *pattern, const char *text)
{
	struct retreat star = { 0 }, stars = { 0 };

	/* The earliest match behind a star is enough: a later star can match
	 * all that a longer match of this one could. */
	for (;;) {
		if (pattern[0] == '*' && pattern[1] == '*') {
			pattern += 2;
			stars = (struct retreat){ pattern, text };
			star = (struct retreat){ 0 };
			continue;
		}
		if (pattern[0] == '*') {
			pattern++;
			star = (struct retreat){ pattern, text };
			continue;
		}
		if (pattern[0] == '\0' && *text == '\0')
			return true;

		const size_t n = *text != '\0' ? match_one(pattern,
							   (unsigned char)*text)
					       : 0;

		if (n > 0) {
			pattern += n;
			text++;
		} else if (!step_back(&star, &stars, &pattern, &text)) {
			return false;
		}
	}
}
