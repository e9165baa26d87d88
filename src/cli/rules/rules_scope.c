/* SPDX-License-Identifier: MIT */
#include "cli/rules/rules_scope.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "kernel/ports_text.h"
#include "policy/image.h"

#define MAX_PORTS_LENGTH 80
#define MAX_NAME_LENGTH 48
#define ALL_ROLES ((1u << N_ROLES) - 1)

static bool same_place(const struct location *a, const struct location *b)
{
	return a->line == b->line && a->file == b->file;
}

static bool same_range(const struct rule *rule, int a, int b)
{
	const struct rule_range *left = rule_range_of(rule, a);
	const struct rule_range *right = rule_range_of(rule, b);

	return left->ports == right->ports &&
	       same_place(&left->place, &right->place);
}

static bool same_assigned(const struct rule *rule, int a, int b)
{
	return rule_assigned_of(rule, a) == rule_assigned_of(rule, b);
}

static bool make_scope(const struct rule *rule, int pair,
		       bool (*same)(const struct rule *rule, int a, int b),
		       struct scope *scopep)
{
	*scopep = (struct scope){ 0 };
	for (int other = 0; other < N_PAIRS; other++) {
		if (!same(rule, pair, other))
			continue;
		if (other < pair)
			return false;
		scopep->roles[PAIR_PROTOCOL(other)] |=
			(uint8_t)(1u << PAIR_ROLE(other));
	}
	return true;
}

bool scope_of_range(const struct rule *rule, int pair, struct scope *scopep)
{
	return make_scope(rule, pair, same_range, scopep);
}

bool scope_of_assigned(const struct rule *rule, int pair, struct scope *scopep)
{
	return make_scope(rule, pair, same_assigned, scopep);
}

static struct text begin(struct scope_text *result)
{
	return (struct text){ result->text, sizeof(result->text), 0 };
}

static void put_joined(struct text *text, const char *joint, const char *word)
{
	if (text->length > 0)
		text_put(text, joint);
	text_put(text, word);
}

struct scope_text scope_protocols(const struct scope *scope, unsigned int roles,
				  const char *joint)
{
	struct scope_text result = { "" };
	struct text text = begin(&result);

	for (int protocol = 0; protocol < N_PROTOCOLS; protocol++)
		if (scope->roles[protocol] == roles)
			put_joined(&text, joint, protocol_name(protocol));
	text_end(&text);
	return result;
}

struct scope_text scope_roles(unsigned int roles, const char *joint)
{
	struct scope_text result = { "" };
	struct text text = begin(&result);

	for (int role = 0; role < N_ROLES; role++)
		if (roles >> role & 1)
			put_joined(&text, joint, role_name(role));
	text_end(&text);
	return result;
}

/* "tcp, listen; udp/udplite, connect/listen" */
static struct scope_text text_of(const struct scope *scope)
{
	struct scope_text result = { "" };
	struct text text = begin(&result);

	for (unsigned int roles = 1; roles <= ALL_ROLES; roles++) {
		const struct scope_text protocols = scope_protocols(scope,
								    roles, "/");

		if (*protocols.text == '\0')
			continue;
		put_joined(&text, "; ", protocols.text);
		put_joined(&text, ", ", scope_roles(roles, "/").text);
	}
	text_end(&text);
	return result;
}

struct scope_text scope_title(const struct rule *rule,
			      const struct scope *scope)
{
	char name[MAX_NAME_LENGTH + sizeof("process \"\"")] = "the defaults";
	struct scope_text result = { "" };
	struct text text = begin(&result);

	if (rule->process != NULL)
		snprintf(name, sizeof(name), "process \"%.*s\"",
			 MAX_NAME_LENGTH, rule->name);
	text_put(&text, "the range of ");
	text_put(&text, name);
	text_put(&text, " (");
	text_put(&text, text_of(scope).text);
	text_put(&text, ")");
	text_end(&text);
	return result;
}

struct scope_text scope_ports(const struct port_set *set)
{
	char ports[MAX_PORTS_LENGTH + 1];
	const bool whole = range_text_format(set, ports, sizeof(ports)) <
			   sizeof(ports);
	char *comma = strrchr(ports, ',');
	struct scope_text result = { "" };
	struct text text = begin(&result);

	/* The number behind the last comma may have lost digits. */
	if (!whole && comma != NULL)
		*comma = '\0';
	text_put(&text, strpbrk(ports, ",-") == NULL ? "port " : "ports ");
	text_put(&text, ports);
	text_put(&text, whole ? "" : ", ...");
	text_end(&text);
	return result;
}

struct location scope_place(const struct rule *rule,
			    const struct rule_range *range)
{
	return range->place.file != NULL ? range->place : rule->place;
}
