/* SPDX-License-Identifier: MIT */
#include <grp.h>
#include <limits.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>

#include "cli/options.h"
#include "cli/rules/maker.h"
#include "map/map.h"

#define MS_PER_SECOND 1000u
#define REST_SECONDS_MAX 86400u
#define MAP_MODE_MAX 0666ul
#define UID_MAX_TEXT 4294967294u /* (uid_t)-1 is none: setreuid(2) */

/* Reads a decimal number. Leaves *numberp as it is if the option is not given,
 * or wrong. */
static void read_number(struct maker *maker, const struct config_text *text,
			const char *name, uint64_t min, uint64_t max,
			const char *reason, uint64_t *numberp)
{
	uint64_t number;

	if (text->value == NULL)
		return;
	if (options_number(text->value, min, max, &number))
		*numberp = number;
	else
		maker_refuse(maker, text->place, name, text->value, reason);
}

/* The same of one of two words. */
static void read_bool(struct maker *maker, const struct config_text *text,
		      const char *name, const char *const words[2],
		      const char *reason, bool *valuep)
{
	if (text->value == NULL)
		return;
	for (int i = 0; i < 2; i++) {
		if (strcmp(text->value, words[i]) != 0)
			continue;
		*valuep = i == 1;
		return;
	}
	maker_refuse(maker, text->place, name, text->value, reason);
}

static void read_yes_no(struct maker *maker, const struct config_text *text,
			const char *name, bool *valuep)
{
	read_bool(maker, text, name, (const char *const[]){ "no", "yes" },
		  "is not yes or no", valuep);
}

/* Returns MAP_MODE_MAX + 1 for what is no such mode. */
static unsigned long map_mode_of(const char *word)
{
	const bool is_octal = *word != '\0' &&
			      word[strspn(word, "01234567")] == '\0';
	const unsigned long mode = is_octal ? strtoul(word, NULL, 8)
					    : ULONG_MAX;

	return (mode & ~MAP_MODE_MAX) == 0 ? mode : MAP_MODE_MAX + 1;
}

static void read_map(struct maker *maker)
{
	const struct config_text *mode = &maker->config->top.map_mode;
	const struct config_text *name = &maker->config->top.map_group;
	const struct group *group = NULL;

	maker->rules->map_mode = MAP_MODE_DEFAULT;
	if (mode->value != NULL)
		maker->rules->map_mode = (mode_t)map_mode_of(mode->value);
	if (maker->rules->map_mode > MAP_MODE_MAX)
		maker_refuse(maker, mode->place, "map-mode", mode->value,
			     "is not an octal mode of read and write, up to "
			     "0666");
	if (name->value != NULL && *name->value != '\0') {
		group = getgrnam(name->value);
		if (group == NULL)
			maker_refuse(maker, name->place, "map-group",
				     name->value,
				     "is not a group of this machine");
	}
	maker->rules->map_group = group != NULL ? (long)group->gr_gid : -1;
}

bool values_read_top(struct maker *maker)
{
	const struct config_section *top = &maker->config->top;
	uint64_t seconds = REST_MS_DEFAULT / MS_PER_SECOND;
	bool import_kernel = true;

	read_number(maker, &top->rest_time, "rest-time", 1, REST_SECONDS_MAX,
		    "is not a number of seconds from 1 to 86400", &seconds);
	maker->rules->rest_ms = (uint32_t)seconds * MS_PER_SECOND;
	read_yes_no(maker, &top->import_kernel, "import-kernel",
		    &import_kernel);
	read_map(maker);
	return import_kernel;
}

static void read_setting(struct maker *maker, const struct config_text *text,
			 enum setting setting, uint8_t *valuep)
{
	int value;

	if (text->value == NULL)
		return;
	value = setting_by_word(setting, text->value);
	if (value < 0)
		maker_refuse(maker, text->place, setting_name(setting),
			     text->value, setting_reason(setting));
	else
		*valuep = (uint8_t)value;
}

void values_read_options(struct maker *maker,
			 const struct config_section *section,
			 struct rule *rule)
{
	uint64_t rate = rule->rate;

	for (int i = 0; i < N_SETTINGS; i++)
		read_setting(maker, &section->settings[i], i,
			     &rule->settings[i]);
	read_bool(maker, &section->overlap, "overlap",
		  (const char *const[]){ "refuse", "carve" },
		  "is not refuse or carve", &rule->carves);
	read_yes_no(maker, &section->privileged, "privileged",
		    &rule->privileged);
	read_number(maker, &section->rate, "rate", 0, RULE_RATE_MAX,
		    "is not a number of connections a second from 0 to 1000000",
		    &rate);
	rule->rate = (unsigned int)rate;
}

static void check_exe(struct maker *maker, const struct config_list *exe)
{
	for (size_t i = 0; i < exe->n; i++)
		if (exe->values[i][0] != '/' &&
		    strncmp(exe->values[i], "**", 2) != 0)
			maker_refuse(maker, exe->place, "exe", exe->values[i],
				     "begins with neither / nor **, and so "
				     "matches no program");
}

static bool is_user(const char *word, uint64_t *uidp)
{
	const struct passwd *user;

	if (options_number(word, 0, UID_MAX_TEXT, uidp))
		return true;
	user = getpwnam(word);
	if (user != NULL)
		*uidp = user->pw_uid;
	return user != NULL;
}

static void read_uids(struct maker *maker, struct config_list *list)
{
	struct memory *memory = &maker->rules->memory;
	const char **uids = memory_take(memory, list->n, sizeof(*uids));

	for (size_t i = 0; i < list->n; i++) {
		uint64_t uid = 0;

		if (!is_user(list->values[i], &uid))
			maker_refuse(maker, list->place, "uid", list->values[i],
				     "is not a user of this machine");
		uids[i] = memory_print(memory, "%u", (unsigned int)uid);
	}
	list->values = uids;
}

void values_read_conditions(struct maker *maker, struct rule *rule)
{
	memcpy(rule->conditions, rule->process->conditions,
	       sizeof(rule->conditions));
	check_exe(maker, &rule->conditions[CONDITION_EXE]);
	read_uids(maker, &rule->conditions[CONDITION_UID]);
}
