/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/rules/maker.h"
#include "map/map.h"

#define MS_PER_SECOND 1000u
#define REST_SECONDS_MAX 86400u
#define MAP_MODE_MAX 0666u
#define UID_MAX_TEXT 4294967294u /* (uid_t)-1 is none: setreuid(2) */

/* Returns whether all of word is a number of these digits, lo to hi. */
static bool read_number(const char *word, int base, unsigned long lo,
			unsigned long hi, unsigned long *numberp)
{
	const char *digits = base == 8 ? "01234567" : "0123456789";

	if (*word == '\0' || word[strspn(word, digits)] != '\0')
		return false;
	errno = 0;
	*numberp = strtoul(word, NULL, base);
	return errno == 0 && *numberp >= lo && *numberp <= hi;
}

/* Leaves *valuep as it is if the option is not given, or wrong. */
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

static void read_map(struct maker *maker)
{
	const struct config_text *mode = &maker->config->map_mode;
	const struct config_text *name = &maker->config->map_group;
	unsigned long number = MAP_MODE_DEFAULT;
	const struct group *group = NULL;

	if (mode->value != NULL &&
	    (!read_number(mode->value, 8, 0, MAP_MODE_MAX, &number) ||
	     (number & ~(unsigned long)MAP_MODE_MAX) != 0))
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
	maker->rules->map_mode = (mode_t)number;
	maker->rules->map_group = group != NULL ? (long)group->gr_gid : -1;
}

void values_read_top(struct maker *maker, bool *import_kernelp)
{
	const struct config_text *rest = &maker->config->rest_time;
	unsigned long seconds = REST_MS_DEFAULT / MS_PER_SECOND;

	if (rest->value != NULL &&
	    !read_number(rest->value, 10, 1, REST_SECONDS_MAX, &seconds))
		maker_refuse(maker, rest->place, "rest-time", rest->value,
			     "is not a number of seconds from 1 to 86400");
	else
		maker->rules->rest_ms = (uint32_t)seconds * MS_PER_SECOND;
	read_yes_no(maker, &maker->config->import_kernel, "import-kernel",
		    import_kernelp);
	read_map(maker);
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
			 const struct config_options *options,
			 struct rule *rule)
{
	const struct config_text *rate = &options->rate;
	unsigned long number = rule->rate;

	for (int i = 0; i < N_SETTINGS; i++)
		read_setting(maker, &options->settings[i], i,
			     &rule->settings[i]);
	read_bool(maker, &options->overlap, "overlap",
		  (const char *const[]){ "refuse", "carve" },
		  "is not refuse or carve", &rule->carves);
	read_yes_no(maker, &options->privileged, "privileged",
		    &rule->privileged);
	if (rate->value != NULL &&
	    !read_number(rate->value, 10, 0, RULE_RATE_MAX, &number))
		maker_refuse(maker, rate->place, "rate", rate->value,
			     "is not a number of connections a second from 0 "
			     "to 1000000");
	else
		rule->rate = (unsigned int)number;
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

static bool is_user(const char *word, unsigned long *uidp)
{
	const struct passwd *user;

	if (read_number(word, 10, 0, UID_MAX_TEXT, uidp))
		return true;
	user = getpwnam(word);
	if (user != NULL)
		*uidp = user->pw_uid;
	return user != NULL;
}

/* Large enough for 2^32 in decimal. */
struct uid_text {
	char text[12];
};

static void read_uids(struct maker *maker, const struct config_list *list,
		      struct rule *rule)
{
	struct uid_text *texts = memory_take(&maker->rules->memory, list->n,
					     sizeof(*texts));
	const char **uids = memory_take(&maker->rules->memory, list->n,
					sizeof(*uids));

	if (texts == NULL || uids == NULL)
		return;
	for (size_t i = 0; i < list->n; i++) {
		unsigned long uid = 0;

		if (!is_user(list->values[i], &uid))
			maker_refuse(maker, list->place, "uid", list->values[i],
				     "is not a user of this machine");
		snprintf(texts[i].text, sizeof(texts[i].text), "%u",
			 (unsigned int)uid);
		uids[i] = texts[i].text;
	}
	rule->uids = uids;
	rule->n_uids = list->n;
}

void values_read_conditions(struct maker *maker, struct rule *rule)
{
	const struct config_list *conditions = rule->process->conditions;

	check_exe(maker, &conditions[CONDITION_EXE]);
	if (conditions[CONDITION_UID].n > 0)
		read_uids(maker, &conditions[CONDITION_UID], rule);
}
