/* SPDX-License-Identifier: MIT */
#include "policy/setting.h"

#include <string.h>

#include "map/choice.h"

#define MAX_WORDS 5

struct description {
	const char *name;
	const char *words[MAX_WORDS + 1];
	uint8_t value; /* the default */
	const char *reason;
};

static const struct description descriptions[N_SETTINGS] = {
	[SETTING_ALGORITHM] = {
		"algorithm",
		{ [ALGORITHM_SEQUENTIAL] = "sequential",
		  [ALGORITHM_RANDOM] = "random",
		  [ALGORITHM_HASH] = "hash",
		  [ALGORITHM_DOUBLE_HASH] = "double-hash",
		  [ALGORITHM_RANDOM_INCREMENTS] = "random-increments" },
		ALGORITHM_DEFAULT,
		"is not sequential, random, hash, double-hash or "
		"random-increments",
	},
	[SETTING_MODE] = {
		"mode",
		{ [MODE_ENFORCE] = "enforce", [MODE_OBSERVE] = "observe" },
		MODE_ENFORCE, "is not enforce or observe",
	},
	[SETTING_SELF_CONNECT] = {
		"self-connect",
		{ [SELF_CONNECT_REFUSE] = "refuse",
		  [SELF_CONNECT_ALLOW] = "allow" },
		SELF_CONNECT_REFUSE, "is not refuse or allow",
	},
	[SETTING_SERVER_IN_RANGE] = {
		"server-in-range",
		{ [SERVER_ALLOW] = "allow", [SERVER_WARN] = "warn",
		  [SERVER_REFUSE] = "refuse" },
		SERVER_ALLOW, "is not allow, warn or refuse",
	},
	[SETTING_OUTSIDE] = {
		"outside",
		{ [OUTSIDE_ALLOW] = "allow", [OUTSIDE_REFUSE] = "refuse" },
		OUTSIDE_ALLOW, "is not allow or refuse",
	},
	[SETTING_REST] = {
		"rest",
		{ [REST_OF_NONE] = "none", [REST_OF_LISTEN] = "listen",
		  [REST_OF_ALL] = "all" },
		REST_OF_LISTEN, "is not none, listen or all",
	},
	[SETTING_PIN] = {
		"pin",
		{ [PIN_NO] = "no", [PIN_YES] = "yes" },
		PIN_YES, "is not yes or no",
	},
	[SETTING_ON_ERROR] = {
		"on-error",
		{ [ON_ERROR_PRIVATE] = "private",
		  [ON_ERROR_REFUSE] = "refuse" },
		ON_ERROR_PRIVATE, "is not private or refuse",
	},
	[SETTING_LOG] = {
		"log",
		{ [LOG_NONE] = "none", [LOG_START] = "start",
		  [LOG_STDERR] = "stderr", [LOG_SYSLOG_TARGET] = "syslog" },
		LOG_START, "is not start, none, stderr or syslog",
	},
};

const char *setting_name(enum setting setting)
{
	return descriptions[setting].name;
}

uint8_t setting_default(enum setting setting)
{
	return descriptions[setting].value;
}

const char *setting_word(enum setting setting, unsigned int value)
{
	return value < MAX_WORDS ? descriptions[setting].words[value] : NULL;
}

int setting_by_word(enum setting setting, const char *word)
{
	const char *const *words = descriptions[setting].words;

	for (int i = 0; words[i] != NULL; i++)
		if (strcmp(words[i], word) == 0)
			return i;
	return -1;
}

const char *setting_reason(enum setting setting)
{
	return descriptions[setting].reason;
}
