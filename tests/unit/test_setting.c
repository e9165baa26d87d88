/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <ctype.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "map/choice.h"
#include "policy/setting.h"

/* The contract of berth.conf(5), written a second time. */
static const struct {
	const char *name;
	const char *words[6];
	const char *standard;
} expected[N_SETTINGS] = {
	[SETTING_ALGORITHM] = { "algorithm",
				{ "sequential", "random", "hash", "double-hash",
				  "random-increments" },
				"double-hash" },
	[SETTING_MODE] = { "mode", { "enforce", "observe" }, "enforce" },
	[SETTING_SELF_CONNECT] = { "self-connect",
				   { "refuse", "allow" },
				   "refuse" },
	[SETTING_SERVER_IN_RANGE] = { "server-in-range",
				      { "allow", "warn", "refuse" },
				      "allow" },
	[SETTING_OUTSIDE] = { "outside", { "allow", "refuse" }, "allow" },
	[SETTING_REST] = { "rest", { "none", "listen", "all" }, "listen" },
	[SETTING_PIN] = { "pin", { "no", "yes" }, "yes" },
	[SETTING_ON_ERROR] = { "on-error", { "private", "refuse" }, "private" },
	[SETTING_LOG] = { "log",
			  { "none", "start", "stderr", "syslog" },
			  "start" },
};

#define FOR_EACH(setting) \
	for (enum setting setting = 0; setting < N_SETTINGS; setting++)

Test(setting, every_setting_has_a_name_of_its_own)
{
	FOR_EACH(setting)
	{
		cr_assert_not_null(setting_name(setting), "%d", (int)setting);
		cr_expect_str_eq(setting_name(setting), expected[setting].name);
		for (enum setting other = 0; other < setting; other++)
			cr_expect_str_neq(setting_name(setting),
					  setting_name(other));
	}
}

Test(setting, every_word_reads_back_as_its_value)
{
	FOR_EACH(setting)
	{
		unsigned int value = 0;

		for (const char *word;
		     (word = setting_word(setting, value)) != NULL; value++) {
			cr_assert_lt(value, 5);
			cr_expect_str_eq(word, expected[setting].words[value]);
			cr_expect_eq(setting_by_word(setting, word), (int)value,
				     "%s", word);
		}
		cr_expect_geq(value, 2);
		cr_expect_null(expected[setting].words[value]);
	}
}

Test(setting, beyond_the_last_value_there_is_no_word)
{
	FOR_EACH(setting)
	{
		unsigned int value = 0;

		while (setting_word(setting, value) != NULL)
			value++;
		for (; value < 300; value++)
			cr_assert_null(setting_word(setting, value));
		cr_assert_null(setting_word(setting, UINT_MAX));
		cr_assert_null(setting_word(setting, 1u << 31));
	}
}

Test(setting, the_default_is_one_of_the_words)
{
	FOR_EACH(setting)
	{
		const char *word = setting_word(setting,
						setting_default(setting));

		cr_assert_not_null(word, "%s", setting_name(setting));
		cr_expect_str_eq(word, expected[setting].standard);
	}
}

Test(setting, no_other_word_is_known)
{
	FOR_EACH(setting)
	{
		const char *word = setting_word(setting, 0);
		char other[64];

		cr_expect_eq(setting_by_word(setting, ""), -1);
		cr_expect_eq(setting_by_word(setting, "berth"), -1);
		cr_expect_eq(setting_by_word(setting, setting_name(setting)),
			     -1);
		snprintf(other, sizeof(other), "%sx", word);
		cr_expect_eq(setting_by_word(setting, other), -1, "%s", other);
		snprintf(other, sizeof(other), " %s", word);
		cr_expect_eq(setting_by_word(setting, other), -1, "%s", other);
		snprintf(other, sizeof(other), "%s", word);
		other[strlen(other) - 1] = '\0';
		cr_expect_eq(setting_by_word(setting, other), -1, "%s", other);
		snprintf(other, sizeof(other), "%s", word);
		other[0] = (char)toupper((unsigned char)other[0]);
		cr_expect_eq(setting_by_word(setting, other), -1, "%s", other);
	}
}

static bool is_of_word(char c)
{
	return isalpha((unsigned char)c) || c == '-';
}

/* Not as a part of a longer word. */
static bool names_word(const char *reason, const char *word)
{
	const size_t length = strlen(word);

	for (const char *at = reason; (at = strstr(at, word)) != NULL; at++)
		if ((at == reason || !is_of_word(at[-1])) &&
		    !is_of_word(at[length]))
			return true;
	return false;
}

Test(setting, a_reason_names_every_word_and_no_other)
{
	FOR_EACH(setting)
	{
		const char *reason = setting_reason(setting);
		size_t n_letters = strlen("is not ");
		unsigned int n = 0;

		cr_assert_not_null(reason);
		cr_expect_eq(strncmp(reason, "is not ", 7), 0, "%s", reason);
		for (const char *word;
		     (word = setting_word(setting, n)) != NULL; n++) {
			cr_expect(names_word(reason, word), "%s: %s", reason,
				  word);
			n_letters += strlen(word);
		}
		/* ", " between them, and " or " before the last. */
		n_letters += 2 * (n - 2) + 4;
		cr_expect_eq(strlen(reason), n_letters, "%s", reason);
	}
}
