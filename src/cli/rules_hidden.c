/* SPDX-License-Identifier: MIT */
#include "cli/rules_hidden.h"

#include <limits.h>
#include <string.h>

#include "policy/glob.h"

/* What stands for the wildcards of a pattern, to see whether another one takes
 * it: characters that no name has, and none at all where that is possible. */
struct sample {
	const char *any, *component, *one;
};

static const struct sample samples[] = {
	{ "", "", "\1" },
	{ "\1\2\3/\1\2\3", "\1\2\3", "\1" },
};

/* Returns false if the pattern is too long. */
static bool instantiate(const char *pattern, const struct sample *sample,
			char text[PATH_MAX])
{
	size_t length = 0;

	while (*pattern != '\0') {
		const char literal[] = { *pattern, '\0' };
		const char *part = literal;
		size_t n_taken = 1;

		if (strncmp(pattern, "**", 2) == 0) {
			part = sample->any;
			n_taken = 2;
		} else if (*pattern == '*') {
			part = sample->component;
		} else if (*pattern == '?') {
			part = sample->one;
		}
		if (length + strlen(part) >= PATH_MAX)
			return false;
		memcpy(text + length, part, strlen(part));
		length += strlen(part);
		pattern += n_taken;
	}
	text[length] = '\0';
	return true;
}

static bool is_wildcard(char c)
{
	return c == '*' || c == '?' || c == '[' || c == '\\';
}

/* Quick, since most patterns of a long file differ before any wildcard. */
static bool may_cover(const char *earlier, const char *later)
{
	while (*earlier == *later && *earlier != '\0' &&
	       !is_wildcard(*earlier)) {
		earlier++;
		later++;
	}
	return *earlier == *later || is_wildcard(*earlier) ||
	       is_wildcard(*later);
}

/* Whether whatever matches the later pattern matches the earlier one. */
static bool covers(const char *earlier, const char *later)
{
	char text[PATH_MAX];

	if (!may_cover(earlier, later))
		return false;
	if (strcmp(earlier, later) == 0)
		return true;
	if (strpbrk(later, "*?[\\") == NULL)
		return glob_matches(earlier, later);
	if (strpbrk(earlier, "[\\") != NULL || strpbrk(later, "[\\") != NULL)
		return false;
	for (size_t i = 0; i < sizeof(samples) / sizeof(*samples); i++)
		if (!instantiate(later, &samples[i], text) ||
		    !glob_matches(earlier, text))
			return false;
	return true;
}

/* A condition's patterns, as the compiled rule has them. */
struct patterns {
	size_t n;
	const char *const *values;
};

static struct patterns patterns_of(const struct rule *rule, int condition)
{
	const struct config_list *list = &rule->process->conditions[condition];

	if (condition == CONDITION_UID)
		return (struct patterns){ rule->n_uids, rule->uids };
	return (struct patterns){ list->n, list->values };
}

static bool any_covers(struct patterns earlier, const char *later)
{
	for (size_t i = 0; i < earlier.n; i++)
		if (covers(earlier.values[i], later))
			return true;
	return false;
}

static bool hides(const struct rule *earlier, const struct rule *later)
{
	for (int i = 0; i < N_CONDITIONS; i++) {
		const struct patterns old = patterns_of(earlier, i);
		const struct patterns new = patterns_of(later, i);

		if (old.n == 0)
			continue;
		if (new.n == 0)
			return false;
		for (size_t j = 0; j < new.n; j++)
			if (!any_covers(old, new.values[j]))
				return false;
	}
	return true;
}

void rules_warn_hidden(const struct rules *rules, struct findings *findings)
{
	/* The last, which is for all the rest, is not looked at. */
	for (size_t i = 1; i + 1 < rules->n_rules; i++) {
		const struct rule *later = &rules->rules[i];

		for (size_t j = 0; j < i; j++) {
			const struct rule *earlier = &rules->rules[j];

			if (!hides(earlier, later))
				continue;
			findings_add(findings, SEVERITY_WARNING, later->place,
				     "process \"%s\" never applies: all that "
				     "it matches is taken by process \"%s\" at "
				     "%s:%d before it", later->name,
				     earlier->name, earlier->place.file,
				     earlier->place.line);
			break;
		}
	}
}
