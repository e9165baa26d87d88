/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "policy/glob.h"

#define N_ELEMENTS(array) (sizeof(array) / sizeof((array)[0]))

struct glob_case {
	const char *pattern, *text;
	bool matches;
};

static void assert_cases(const struct glob_case *cases, size_t n)
{
	for (size_t i = 0; i < n; i++)
		cr_expect_eq(glob_matches(cases[i].pattern, cases[i].text),
			     cases[i].matches, "\"%s\" %s \"%s\"",
			     cases[i].pattern,
			     cases[i].matches ? "does not match" : "matches",
			     cases[i].text);
}

#define ASSERT_CASES(...) \
	do { \
		const struct glob_case cases[] = { __VA_ARGS__ }; \
		assert_cases(cases, N_ELEMENTS(cases)); \
	} while (0)

Test(glob, plain_text_matches_itself_as_a_whole)
{
	ASSERT_CASES({ "nginx", "nginx", true }, { "nginx", "nginx2", false },
		     { "nginx", "ngin", false }, { "nginx", "xnginx", false },
		     { "nginx", "Nginx", false },
		     { "/usr/bin/a", "/usr/bin/a", true }, { "a]", "a]", true },
		     { "a-b!^", "a-b!^", true });
}

Test(glob, an_empty_text_is_matched_by_stars_and_nothing_else)
{
	ASSERT_CASES({ "", "", true }, { "*", "", true }, { "**", "", true },
		     { "***", "", true },
		     { "**"
		       "**",
		       "", true },
		     { "", "a", false }, { "a", "", false }, { "?", "", false },
		     { "[a]", "", false }, { "[!a]", "", false },
		     { "*a", "", false }, { "\\", "", false });
}

/* Such are compared with a plain matcher below. */
Test(glob, stars_and_question_marks_are_those_of_paths)
{
	ASSERT_CASES({ "*", "redis-server", true }, { "/usr/*", "/usr/", true },
		     { "/usr/*/a", "/usr/bin/a", true },
		     { "/usr/*/a", "/usr/local/bin/a", false },
		     { "/usr/**/a", "/usr/local/bin/a", true },
		     { "/usr/**/a", "/usr/a", false },
		     { "**/python3*", "/usr/bin/python3.11", true },
		     { "**/python3*", "/usr/bin/python3/x", false },
		     { "***", "a/b", true }, { "a?c", "abc", true },
		     { "a?c", "a/c", false });
}

Test(glob, a_set_is_one_of_its_bytes)
{
	ASSERT_CASES({ "[abc]", "b", true }, { "[abc]", "d", false },
		     { "[abc]", "ab", false }, { "[a-c]", "b", true },
		     { "[a-c]", "a", true }, { "[a-c]", "c", true },
		     { "[a-c]", "d", false }, { "[a-c]", "-", false },
		     { "[a-cx-z]", "y", true }, { "[a-cx-z]", "d", false },
		     { "[c-a]", "b", false }, { "[a-]", "-", true },
		     { "[-a]", "-", true }, { "[-a]", "a", true },
		     { "[a-]", "b", false }, { "[]]", "]", true },
		     { "[]a]", "]", true }, { "[]a]", "a", true },
		     { "[]a]", "]]", false }, { "[*]", "*", true },
		     { "[*]", "a", false }, { "[?]", "a", false },
		     { "[[]", "[", true }, { "x[0-9][0-9]", "x42", true },
		     { "x[0-9]*", "x4abc", true });
}

Test(glob, a_negated_set_is_any_byte_but_those)
{
	ASSERT_CASES({ "[!a]", "b", true }, { "[!a]", "a", false },
		     { "[^a]", "b", true }, { "[^a]", "a", false },
		     { "[!a-c]", "b", false }, { "[!a-c]", "d", true },
		     { "[!]a]", "]", false }, { "[!]a]", "b", true },
		     { "[!!]", "!", false }, { "[!!]", "a", true },
		     { "[a!]", "!", true }, { "[!a]", "", false });
}

Test(glob, no_set_has_a_slash)
{
	ASSERT_CASES({ "[/]", "/", false }, { "[!a]", "/", false },
		     { "a[!b]c", "a/c", false }, { "a[.-0]c", "a/c", false },
		     { "a[.-0]c", "a.c", true });
}

Test(glob, an_open_set_matches_nothing)
{
	ASSERT_CASES({ "[", "[", false }, { "[", "", false },
		     { "[]", "]", false }, { "[]", "[]", false },
		     { "[!", "a", false }, { "[!]", "a", false },
		     { "[!]", "[!]", false }, { "[a", "a", false },
		     { "[a-", "a", false }, { "[a-z", "b", false },
		     { "x[a", "xa", false }, { "x[a", "x[a", false },
		     { "*[a", "a", false }, { "**[a", "x/[a", false });
}

Test(glob, a_backslash_takes_the_next_byte_for_itself)
{
	ASSERT_CASES({ "\\*", "*", true }, { "\\*", "a", false },
		     { "\\*", "\\*", false }, { "\\?", "?", true },
		     { "\\?", "a", false }, { "\\[a]", "[a]", true },
		     { "\\[a]", "a", false }, { "\\\\", "\\", true },
		     { "\\a", "a", true }, { "a\\/b", "a/b", true },
		     { "*\\*", "ab*", true }, { "*\\*", "ab", false },
		     { "\\**", "*abc", true });
}

Test(glob, a_backslash_at_the_end_matches_nothing)
{
	ASSERT_CASES({ "\\", "\\", false }, { "a\\", "a", false },
		     { "a\\", "a\\", false }, { "*\\", "abc", false },
		     { "**\\", "abc\\", false });
}

Test(glob, bytes_above_127_are_bytes_like_others)
{
	ASSERT_CASES(
		{ "\xc3\xa9", "\xc3\xa9", true }, { "?", "\xc3\xa9", false },
		{ "??", "\xc3\xa9", true }, { "*", "\xc3\xa9\xff", true },
		{ "[\x80-\xff]", "\xc3", true },
		{ "[\x80-\xff]", "\x80", true },
		{ "[\x80-\xff]", "\xff", true }, { "[\x80-\xff]", "a", false },
		{ "[a-\xff]", "\xe4", true }, { "[!a-z]", "\xe4", true },
		{ "\\\xe4", "\xe4", true }, { "\xe4", "\xe5", false });
}

/* The same by recursion: slow, and plain. Sets here are [a] and [!a]. */
static bool matches_plainly(const char *pattern, const char *text)
{
	if (pattern[0] == '\0')
		return text[0] == '\0';
	if (pattern[0] == '*') {
		const bool any = pattern[1] == '*';
		const char *rest = pattern + (any ? 2 : 1);

		for (;; text++) {
			if (matches_plainly(rest, text))
				return true;
			if (*text == '\0' || (!any && *text == '/'))
				return false;
		}
	}
	if (text[0] == '\0')
		return false;
	if (pattern[0] == '?')
		return text[0] != '/' && matches_plainly(pattern + 1, text + 1);
	if (!strncmp(pattern, "[a]", 3))
		return text[0] == 'a' && matches_plainly(pattern + 3, text + 1);
	if (!strncmp(pattern, "[!a]", 4))
		return text[0] != 'a' && text[0] != '/' &&
		       matches_plainly(pattern + 4, text + 1);
	return pattern[0] == text[0] && matches_plainly(pattern + 1, text + 1);
}

Test(glob, it_says_the_same_as_trying_all_there_is)
{
	static const char *const elements[] = {
		"a", "b", "/", "*", "*", "**", "?", "[a]", "[!a]",
	};
	char pattern[64], text[16];
	int n_matching = 0;

	srand(1);
	for (int i = 0; i < 300000; i++) {
		const int n_elements = rand() % 8, length = rand() % 11;

		pattern[0] = '\0';
		for (int j = 0; j < n_elements; j++)
			strcat(pattern,
			       elements[rand() % (int)N_ELEMENTS(elements)]);
		for (int j = 0; j < length; j++)
			text[j] = "aab/"[rand() % 4];
		text[length] = '\0';

		const bool expected = matches_plainly(pattern, text);

		n_matching += expected;
		cr_assert_eq(glob_matches(pattern, text), expected,
			     "\"%s\", \"%s\"", pattern, text);
	}
	cr_assert_gt(n_matching, 10000);
}

/* What costs a matcher that tries all exponential time. */
Test(glob, many_stars_over_a_long_text_end_soon)
{
	static char text[4001], path[4001];

	memset(text, 'a', sizeof(text) - 1);
	for (size_t i = 0; i < sizeof(path) - 1; i++)
		path[i] = i % 2 == 0 ? '/' : 'a';
	cr_expect_not(glob_matches("*a*a*a*a*a*a*a*a*a*a*b", text));
	cr_expect_not(glob_matches("**a**a**a**a**a**a**a**a**b", text));
	cr_expect_not(glob_matches("**a*a*a*a*a*a*a*a*a*a*b", text));
	cr_expect_not(glob_matches("**/*/**/*/**/*/**/*/**b", path));
	cr_expect(glob_matches("**/*/**/*/**/*/**/*/**a", path));
}
