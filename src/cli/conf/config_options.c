/* SPDX-License-Identifier: MIT */
#include "cli/conf/config_options.h"

#include <string.h>
#include <sys/param.h>

#define LONGEST 20u	  /* no name is as long */
#define CLOSE ((size_t)2) /* letters between a name and a misspelt one */

#define TOP (1u << SCOPE_TOP)
#define PROCESS (1u << SCOPE_PROCESS)
#define RESERVE (1u << SCOPE_RESERVE)
#define PROTOCOL (1u << SCOPE_PROTOCOL)

#define SECTION(member) offsetof(struct config_section, member)
#define RANGES(member) offsetof(struct config_ranges, member)
#define CONDITION(name) SECTION(conditions[CONDITION_##name])

/* All but the settings. */
static const struct config_option options[] = {
	{ "range", TOP | PROCESS | PROTOCOL, TYPE_TEXT, RANGES(range) },
	{ "connect", TOP | PROCESS | PROTOCOL, TYPE_TEXT, RANGES(connect) },
	{ "listen", TOP | PROCESS | PROTOCOL, TYPE_TEXT, RANGES(listen) },
	{ "overlap", TOP | PROCESS, TYPE_TEXT, SECTION(overlap) },
	{ "privileged", TOP | PROCESS, TYPE_TEXT, SECTION(privileged) },
	{ "rate", TOP | PROCESS, TYPE_TEXT, SECTION(rate) },
	{ "rest-time", TOP, TYPE_TEXT, SECTION(rest_time) },
	{ "import-kernel", TOP, TYPE_TEXT, SECTION(import_kernel) },
	{ "map-mode", TOP, TYPE_TEXT, SECTION(map_mode) },
	{ "map-group", TOP, TYPE_TEXT, SECTION(map_group) },
	{ "exe", PROCESS, TYPE_LIST, CONDITION(EXE) },
	{ "name", PROCESS, TYPE_LIST, CONDITION(NAME) },
	{ "uid", PROCESS, TYPE_LIST, CONDITION(UID) },
	{ "profile", PROCESS, TYPE_LIST, CONDITION(PROFILE) },
	{ "arguments", PROCESS, TYPE_LIST, SECTION(arguments) },
	{ "ports", RESERVE, TYPE_TEXT, SECTION(ports) },
	{ "protocols", RESERVE, TYPE_LIST, SECTION(protocols) },
	{ "owners", RESERVE, TYPE_LIST, SECTION(owners) },
	{ "tcp", TOP | PROCESS, TYPE_BLOCK, 0 },
	{ "udp", TOP | PROCESS, TYPE_BLOCK, 0 },
	{ "sctp", TOP | PROCESS, TYPE_BLOCK, 0 },
	{ "process", TOP, TYPE_SECTION, 0 },
	{ "reserve", TOP, TYPE_SECTION, 0 },
	{ "include", TOP, TYPE_INCLUDE, 0 },
};

_Static_assert(sizeof(options) / sizeof(options[0]) + N_SETTINGS ==
		       N_CONFIG_OPTIONS,
	       "every option has an index");

struct config_option config_option(size_t index)
{
	if (index >= N_SETTINGS)
		return options[index - N_SETTINGS];
	return (struct config_option){
		.name = setting_name(index),
		.scopes = TOP | PROCESS,
		.type = TYPE_TEXT,
		.offset = SECTION(settings) +
			  index * sizeof(struct config_text),
	};
}

bool config_option_find(const char *name, struct config_option *optionp)
{
	for (size_t i = 0; i < N_CONFIG_OPTIONS; i++) {
		*optionp = config_option(i);
		if (strcmp(optionp->name, name) == 0)
			return true;
	}
	optionp->scopes = 0;
	return false;
}

enum protocol config_protocol_of(const char *name)
{
	enum protocol protocol = PROTOCOL_TCP;

	while (protocol < N_PROTOCOLS &&
	       (protocol == PROTOCOL_UDPLITE ||
		strcmp(protocol_name(protocol), name) != 0))
		protocol++;
	return protocol;
}

/* The Levenshtein distance of two words shorter than LONGEST. */
static size_t distance(const char *a, const char *b)
{
	size_t row[LONGEST] = { 0 };
	const size_t b_length = strlen(b);

	for (size_t j = 0; j <= b_length; j++)
		row[j] = j;
	for (size_t i = 1; a[i - 1] != '\0'; i++) {
		size_t diagonal = row[0];

		row[0] = i;
		for (size_t j = 1; j <= b_length; j++) {
			const size_t change = diagonal + (a[i - 1] != b[j - 1]);

			diagonal = row[j];
			row[j] = MIN(change, MIN(row[j], row[j - 1]) + 1);
		}
	}
	return row[b_length];
}

/* Returns the closest option, at most CLOSE letters away, rather one of this
 * scope; or NULL. */
static const char *find_meant(const char *name, enum config_scope scope)
{
	const char *meant = NULL;
	size_t closest = 2 * (CLOSE + 1);

	/* With more than half of its letters changed it may mean anything. */
	for (size_t i = 0; i < N_CONFIG_OPTIONS && strlen(name) < LONGEST;
	     i++) {
		const struct config_option option = config_option(i);
		size_t away = distance(name, option.name);

		if (away > CLOSE || 2 * away > strlen(name))
			continue;
		if ((option.scopes & 1u << scope) == 0)
			away += CLOSE + 1;
		if (away < closest) {
			closest = away;
			meant = option.name;
		}
	}
	return meant;
}

/* An option of several scopes is always one of the top level, too. */
static void refuse_scope(const struct config_option *option,
			 enum config_scope scope, struct location place,
			 struct findings *findings)
{
	static const char *const texts[N_SCOPES] = {
		[SCOPE_TOP] = "at the top level",
		[SCOPE_PROCESS] = "in a process section",
		[SCOPE_RESERVE] = "in a reserve section",
		[SCOPE_PROTOCOL] = "in a tcp, udp or sctp block",
	};
	unsigned int first = SCOPE_TOP;

	while (!(option->scopes & 1u << first))
		first++;
	findings_add(findings, SEVERITY_ERROR, place,
		     "\"%s\" belongs %s%s, not %s", option->name, texts[first],
		     option->scopes == 1u << first ? " only"
						   : " or in a process section",
		     texts[scope]);
}

void config_option_refuse(const char *name, bool is_section,
			  enum config_scope scope, struct location place,
			  struct findings *findings)
{
	struct config_option option;
	const char *meant;

	if (config_option_find(name, &option)) {
		refuse_scope(&option, scope, place, findings);
		return;
	}
	meant = find_meant(name, scope);
	findings_add(findings, SEVERITY_ERROR, place, "unknown %s \"%s\"%s%s%s",
		     is_section ? "section" : "option",
		     findings_quote_text(name).text,
		     meant != NULL ? "; did you mean \"" : "",
		     meant != NULL ? meant : "", meant != NULL ? "\"?" : "");
}

/* What is between the quotes, or up to the end of the line. */
static struct config_word content(struct config_word word)
{
	const char quote = *word.text;

	if (quote != '"' && quote != '\'')
		return word;
	word.text++;
	word.length = word.length > 0 ? word.length - 2
				      : strcspn(word.text, "\r\n");
	return word;
}

struct finding_word config_word_quote(struct config_word word)
{
	word = content(word);
	return findings_quote(word.text, word.length);
}

bool config_names_add(struct config_names *names, struct config_word word,
		      bool is_section, bool has_title)
{
	struct config_option option;
	const char *text;
	size_t i = 0;

	word = content(word);
	text = memory_copy(names->memory, word.text, word.length);
	if (*text == '\0' || strpbrk(text, "|=\\") != NULL)
		return false;
	/* libconfuse ends the parsing with a section that is named root. */
	if (strcmp(text, "root") == 0 || config_option_find(text, &option))
		return true;
	while (i < names->n && strcmp(names->names[i].text, text) != 0)
		i++;
	if (i == names->n && i < MAX_CONFIG_NAMES)
		names->names[names->n++] =
			(struct config_name){ text, is_section, has_title };
	return true;
}
