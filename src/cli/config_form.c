/* SPDX-License-Identifier: MIT */
#include "cli/config_form.h"

#include <string.h>

#define LONGEST 20u		/* no name is as long */
#define CLOSE ((size_t)2)	/* letters between a name and a misspelt one */

#define TOP (1u << SCOPE_TOP)
#define PROCESS (1u << SCOPE_PROCESS)
#define RESERVE (1u << SCOPE_RESERVE)
#define PROTOCOL (1u << SCOPE_PROTOCOL)

/* The last three members of a form: of an option, and of a block. */
#define OF(part, type, member) part, N_SCOPES, offsetof(struct type, member)
#define RANGES(member) OF(PART_RANGES, config_ranges, member)
#define OPTIONS(member) OF(PART_OPTIONS, config_options, member)
#define CONFIG(member) OF(PART_CONFIG, config, member)
#define OF_PROCESS(member) OF(PART_PROCESS, config_process, member)
#define OF_RESERVE(member) OF(PART_RESERVE, config_reserve, member)
#define BLOCK(inner) N_PARTS, inner, 0

static const struct config_form forms[] = {
	{ "range", TOP | PROCESS | PROTOCOL, TYPE_TEXT, RANGES(range) },
	{ "connect", TOP | PROCESS | PROTOCOL, TYPE_TEXT, RANGES(connect) },
	{ "listen", TOP | PROCESS | PROTOCOL, TYPE_TEXT, RANGES(listen) },
	{ "overlap", TOP | PROCESS, TYPE_TEXT, OPTIONS(overlap) },
	{ "privileged", TOP | PROCESS, TYPE_TEXT, OPTIONS(privileged) },
	{ "rate", TOP | PROCESS, TYPE_TEXT, OPTIONS(rate) },
	{ "rest-time", TOP, TYPE_TEXT, CONFIG(rest_time) },
	{ "import-kernel", TOP, TYPE_TEXT, CONFIG(import_kernel) },
	{ "map-mode", TOP, TYPE_TEXT, CONFIG(map_mode) },
	{ "map-group", TOP, TYPE_TEXT, CONFIG(map_group) },
	{ "exe", PROCESS, TYPE_LIST, OF_PROCESS(conditions[CONDITION_EXE]) },
	{ "name", PROCESS, TYPE_LIST, OF_PROCESS(conditions[CONDITION_NAME]) },
	{ "uid", PROCESS, TYPE_LIST, OF_PROCESS(conditions[CONDITION_UID]) },
	{ "profile", PROCESS, TYPE_LIST,
	  OF_PROCESS(conditions[CONDITION_PROFILE]) },
	{ "arguments", PROCESS, TYPE_LIST, OF_PROCESS(arguments) },
	{ "ports", RESERVE, TYPE_TEXT, OF_RESERVE(ports) },
	{ "protocols", RESERVE, TYPE_LIST, OF_RESERVE(protocols) },
	{ "owners", RESERVE, TYPE_LIST, OF_RESERVE(owners) },
	{ "tcp", TOP | PROCESS, TYPE_BLOCK, BLOCK(SCOPE_PROTOCOL) },
	{ "udp", TOP | PROCESS, TYPE_BLOCK, BLOCK(SCOPE_PROTOCOL) },
	{ "sctp", TOP | PROCESS, TYPE_BLOCK, BLOCK(SCOPE_PROTOCOL) },
	{ "process", TOP, TYPE_TITLED_BLOCK, BLOCK(SCOPE_PROCESS) },
	{ "reserve", TOP, TYPE_TITLED_BLOCK, BLOCK(SCOPE_RESERVE) },
};

_Static_assert(sizeof(forms) / sizeof(forms[0]) + N_SETTINGS == N_CONFIG_FORMS,
	       "every form has an index");

struct config_form config_form(size_t index)
{
	if (index >= N_SETTINGS)
		return forms[index - N_SETTINGS];
	return (struct config_form){
		.name = setting_name((enum setting)index),
		.scopes = TOP | PROCESS,
		.type = TYPE_TEXT,
		.part = PART_OPTIONS,
		.offset = offsetof(struct config_options, settings) +
			  index * sizeof(struct config_text),
		.inner = N_SCOPES,
	};
}

size_t config_form_find(struct token name)
{
	size_t i = 0;

	while (i < N_CONFIG_FORMS && !token_equals(name, config_form(i).name))
		i++;
	return i;
}

const char *config_protocol_name(enum config_protocol protocol)
{
	static const char *const names[N_CONFIG_PROTOCOLS] = {
		[CONFIG_TCP] = "tcp",
		[CONFIG_UDP] = "udp",
		[CONFIG_SCTP] = "sctp",
	};

	return names[protocol];
}

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* Letters to add, leave out or change (Levenshtein); below LONGEST both. */
static size_t distance(const char *a, size_t a_length, const char *b)
{
	size_t row[LONGEST] = { 0 };
	size_t b_length = strlen(b);

	for (size_t j = 0; j <= b_length; j++)
		row[j] = j;
	for (size_t i = 1; i <= a_length; i++) {
		size_t diagonal = row[0];

		row[0] = i;
		for (size_t j = 1; j <= b_length; j++) {
			size_t change = diagonal + (a[i - 1] != b[j - 1]);

			diagonal = row[j];
			row[j] = least(change, least(row[j], row[j - 1]) + 1);
		}
	}
	return row[b_length];
}

/* At most CLOSE letters away, and of this scope if there is one; or NULL. */
static const char *find_meant(struct token name, enum config_scope scope)
{
	struct token word = token_content(name);
	const char *meant = NULL;
	size_t closest = (size_t)2 * (CLOSE + 1);

	/* With half of its letters changed it may mean anything. */
	for (size_t i = 0; i < N_CONFIG_FORMS && word.length < LONGEST; i++) {
		struct config_form form = config_form(i);
		size_t away = distance(word.text, word.length, form.name);

		if (away > CLOSE || 2 * away > word.length)
			continue;
		if ((form.scopes & 1u << scope) == 0)
			away += CLOSE + 1;
		if (away < closest) {
			closest = away;
			meant = form.name;
		}
	}
	return meant;
}

static const char *scope_text(enum config_scope scope)
{
	static const char *const texts[N_SCOPES] = {
		[SCOPE_TOP] = "at the top level",
		[SCOPE_PROCESS] = "in a process section",
		[SCOPE_RESERVE] = "in a reserve section",
		[SCOPE_PROTOCOL] = "in a tcp, udp or sctp block",
	};

	return texts[scope];
}

/* What may stand in two scopes and more may stand at the top level. */
static void refuse_scope(const char *name, unsigned int scopes,
			 enum config_scope scope, struct location place,
			 struct findings *findings)
{
	unsigned int first = SCOPE_TOP;

	while (!(scopes & 1u << first))
		first++;
	findings_add(findings, SEVERITY_ERROR, place,
		     "\"%s\" stands %s%s, not %s", name,
		     scope_text((enum config_scope)first),
		     scopes == 1u << first ? " only"
					   : " or in a process section",
		     scope_text(scope));
}

void config_form_refuse(struct token name, enum config_scope scope,
			bool is_section, struct location place,
			struct findings *findings)
{
	size_t index = config_form_find(name);
	struct quoted word = token_quote(name);
	const char *what = is_section ? "section" : "option";
	const char *meant = find_meant(name, scope);

	if (index < N_CONFIG_FORMS)
		refuse_scope(word.text, config_form(index).scopes, scope, place,
			     findings);
	else if (token_equals(name, "include") && scope != SCOPE_TOP)
		refuse_scope(word.text, TOP, scope, place, findings);
	else if (token_equals(name, "include"))
		findings_add(findings, SEVERITY_ERROR, place,
			     "include takes one path: include(\"PATH\")");
	else if (meant != NULL)
		findings_add(findings, SEVERITY_ERROR, place,
			     "unknown %s \"%s\"; did you mean \"%s\"?", what,
			     word.text, meant);
	else
		findings_add(findings, SEVERITY_ERROR, place,
			     "unknown %s \"%s\"", what, word.text);
}
