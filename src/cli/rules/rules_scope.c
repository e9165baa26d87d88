/* SPDX-License-Identifier: MIT */
#include "cli/rules/rules_scope.h"

#include <string.h>

#include "kernel/ports_text.h"
#include "policy/image.h"

#define MAX_PORTS_LENGTH 80
#define MAX_NAME_LENGTH 48

unsigned int scope_of(int pair, const void *context,
		      bool (*is_same)(const void *context, int a, int b))
{
	unsigned int pairs = 0;

	for (int other = 0; other < N_PAIRS; other++)
		if (is_same(context, pair, other))
			pairs |= 1u << other;
	return (pairs & ((1u << pair) - 1)) == 0 ? pairs : 0;
}

static bool is_same_range(const void *rule, int a, int b)
{
	const struct rule_range *left = rule_range_of(rule, a);
	const struct rule_range *right = rule_range_of(rule, b);

	return left->ports == right->ports &&
	       left->place.line == right->place.line &&
	       left->place.file == right->place.file;
}

bool scope_of_range(const struct rule *rule, int pair, struct scope *scopep)
{
	*scopep = (struct scope){
		.rule = rule,
		.range = rule_range_of(rule, pair),
		.pairs = scope_of(pair, rule, is_same_range),
	};
	return scopep->pairs != 0;
}

char *scope_protocols(struct memory *memory, unsigned int pairs,
		      unsigned int roles, const char *joint)
{
	char *text = NULL;

	for (int protocol = 0; protocol < N_PROTOCOLS; protocol++)
		if (scope_roles_of(pairs, protocol) == roles)
			text = memory_append(memory, text, joint,
					     protocol_name(protocol));
	return text;
}

char *scope_roles(struct memory *memory, unsigned int roles, const char *joint)
{
	char *text = NULL;

	for (int role = 0; role < N_ROLES; role++)
		if (roles >> role & 1)
			text = memory_append(memory, text, joint,
					     role_name(role));
	return text;
}

/* "tcp, listen; udp/udplite, connect/listen" */
static char *pairs_text(struct memory *memory, unsigned int pairs)
{
	char *text = NULL;

	for (unsigned int roles = 1; roles <= ALL_ROLES; roles++) {
		const char *protocols = scope_protocols(memory, pairs, roles,
							"/");

		if (protocols == NULL)
			continue;
		text = memory_append(memory, text, "; ", protocols);
		text = memory_append(memory, text, ", ",
				     scope_roles(memory, roles, "/"));
	}
	return text;
}

char *scope_title(struct memory *memory, const struct scope *scope)
{
	const char *pairs = pairs_text(memory, scope->pairs);

	if (scope->rule->process == NULL)
		return memory_print(memory, "the range of the defaults (%s)",
				    pairs);
	return memory_print(memory, "the range of process \"%.*s\" (%s)",
			    MAX_NAME_LENGTH, scope->rule->name, pairs);
}

char *scope_ports(struct memory *memory, const struct port_set *set)
{
	char ports[MAX_PORTS_LENGTH + 1];
	const bool whole = range_text_format(set, ports, sizeof(ports)) <
			   sizeof(ports);
	char *comma = strrchr(ports, ',');

	/* The number behind the last comma may have lost digits. */
	if (!whole && comma != NULL)
		*comma = '\0';
	return memory_print(memory, "port%s %s%s",
			    strpbrk(ports, ",-") == NULL ? "" : "s", ports,
			    whole ? "" : ", ...");
}

struct location scope_place(const struct scope *scope)
{
	return scope->range->place.file != NULL ? scope->range->place
						: scope->rule->place;
}

void scope_tell(const struct scope *scope, enum severity severity,
		struct findings *findings, const char *before,
		const struct port_set *ports, const char *behind)
{
	findings_add(findings, severity, scope_place(scope), "%s%s%s%s",
		     scope_title(&findings->memory, scope), before,
		     scope_ports(&findings->memory, ports), behind);
}
