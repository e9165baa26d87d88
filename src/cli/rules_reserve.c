/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/port_sets.h"
#include "cli/rules_make.h"
#include "cli/rules_scope.h"
#include "cli/services.h"
#include "core/kernel.h"
#include "core/reserved_set.h"

/* Marks the spaces of the protocols that a reservation is for. */
static void read_protocols(struct maker *maker,
			   const struct config_reserve *config,
			   bool covers[N_SPACES])
{
	const struct config_list *list = &config->protocols;

	for (int space = 0; space < N_SPACES; space++)
		covers[space] = list->n == 0;
	for (size_t i = 0; i < list->n; i++) {
		const char *word = list->values[i];

		if (strcmp(word, "tcp") == 0)
			covers[SPACE_TCP] = true;
		else if (strcmp(word, "udp") == 0)
			covers[SPACE_UDP] = covers[SPACE_UDPLITE] = true;
		else if (strcmp(word, "sctp") == 0)
			covers[SPACE_SCTP] = true;
		else
			maker_refuse(maker, list->place, "protocols", word,
				     "is not tcp, udp or sctp");
	}
}

static bool is_owner(const struct config_reserve *reserve, const char *name)
{
	for (size_t i = 0; i < reserve->owners.n; i++)
		if (strcmp(reserve->owners.values[i], name) == 0)
			return true;
	return false;
}

static void read_owners(struct maker *maker,
			const struct config_reserve *config)
{
	const struct config_list *owners = &config->owners;
	const struct config *whole = maker->config;

	for (size_t i = 0; i < owners->n; i++) {
		bool known = false;

		for (size_t j = 0; j < whole->n_processes; j++) {
			if (strcmp(owners->values[i],
				   whole->processes[j].name) != 0)
				continue;
			known = true;
			if (maker->owns != NULL)
				maker->owns[j] = true;
		}
		if (!known)
			maker_refuse(maker, owners->place, "owners",
				     owners->values[i],
				     "is the name of no process section");
	}
}

/* Returns the sets of all spaces, read at the first need, or NULL. */
static const struct port_set *services_of(struct maker *maker,
					  const struct config_text *ports,
					  struct port_set **servicesp)
{
	int result;

	if (*servicesp != NULL || strstr(ports->value, "services") == NULL)
		return *servicesp;
	*servicesp = rules_memory_take(maker->memory, N_SPACES,
				       sizeof(**servicesp));
	if (*servicesp == NULL)
		return NULL;
	result = services_read(SERVICES_PATH, *servicesp);
	if (result < 0)
		findings_add(maker->findings, SEVERITY_ERROR, ports->place,
			     "ports: \"services\" needs %s: %s", SERVICES_PATH,
			     strerror(-result));
	return *servicesp;
}

static void read_ports(struct maker *maker,
		       const struct config_reserve *config,
		       const bool covers[N_SPACES],
		       struct port_set **servicesp,
		       const struct port_set *ports[N_SPACES])
{
	struct reserved_sources sources = { .kernel = maker->kernel };
	const struct port_set *services;
	struct range_error error;

	if (config->ports.value == NULL) {
		findings_add(maker->findings, SEVERITY_ERROR, config->place,
			     "reservation \"%s\" says no ports", config->name);
		return;
	}
	services = services_of(maker, &config->ports, servicesp);
	if (rules_memory_failed(maker->memory))
		return;
	for (int space = 0; space < N_SPACES; space++) {
		sources.services = services != NULL ? &services[space] : NULL;
		if (reserved_set_parse(config->ports.value, &sources,
				       maker_scratch(maker), &error) < 0) {
			maker_refuse_ports(maker, config->ports.place, "ports",
					   &error);
			return;
		}
		if (covers[space])
			ports[space] = maker_keep(maker);
	}
}

static void read_reserve(struct maker *maker, struct rule_reserve *reserve,
			 struct port_set **servicesp)
{
	bool covers[N_SPACES];

	for (int space = 0; space < N_SPACES; space++)
		reserve->ports[space] = maker->empty;
	read_protocols(maker, reserve->config, covers);
	read_owners(maker, reserve->config);
	read_ports(maker, reserve->config, covers, servicesp, reserve->ports);
}

static bool has_owners_of(const struct config_reserve *a,
			  const struct config_reserve *b)
{
	for (size_t i = 0; i < b->owners.n; i++)
		if (!is_owner(a, b->owners.values[i]))
			return false;
	return true;
}

static void check_two(struct maker *maker, const struct rule_reserve *earlier,
		      const struct rule_reserve *later)
{
	const struct config_reserve *a = earlier->config, *b = later->config;
	struct port_set *common = maker_scratch(maker);
	bool found = false;

	if (has_owners_of(a, b) && has_owners_of(b, a))
		return;
	for (int space = 0; space < N_SPACES; space++)
		if (port_sets_add_common(common, earlier->ports[space],
					 later->ports[space]))
			found = true;
	if (found)
		findings_add(maker->findings, SEVERITY_ERROR,
			     b->ports.place, "reservation \"%s\" overlaps "
			     "reservation \"%s\" at %s:%d, which has other "
			     "owners: %s", b->name, a->name,
			     a->ports.place.file, a->ports.place.line,
			     scope_ports(common).text);
}

/* Compares with those before it only where some of them has its ports. */
static void check_overlap(struct maker *maker, size_t index,
			  const struct port_set all[N_SPACES])
{
	const struct rule_reserve *reserves = maker->rules->reserves;
	bool meets = false;

	for (int space = 0; space < N_SPACES; space++)
		meets = meets || port_sets_meet(&all[space],
						reserves[index].ports[space]);
	for (size_t i = 0; meets && i < index; i++)
		check_two(maker, &reserves[i], &reserves[index]);
}

static void finish_common(struct maker *maker, struct port_set all[N_SPACES],
			  bool import_kernel)
{
	for (int space = 0; space < N_SPACES; space++) {
		struct port_set *set = &all[space];

		maker->reserved[space] = rules_memory_keep(maker->memory, set);
		if (import_kernel && maker->kernel->reserved_known)
			port_sets_add(set, &maker->kernel->reserved);
		maker->avoided[space] = rules_memory_keep(maker->memory, set);
	}
}

void reserves_read(struct maker *maker, bool import_kernel)
{
	struct rules *rules = maker->rules;
	const struct config *config = maker->config;
	struct port_set *services = NULL;
	struct port_set *all =
		rules_memory_take(maker->memory, N_SPACES, sizeof(*all));

	maker->owns = rules_memory_take(maker->memory, config->n_processes + 1,
					sizeof(*maker->owns));
	rules->reserves =
		rules_memory_take(maker->memory, config->n_reserves + 1,
				  sizeof(*rules->reserves));
	if (all == NULL || maker->owns == NULL || rules->reserves == NULL)
		return;
	rules->n_reserves = config->n_reserves;
	for (size_t i = 0; i < config->n_reserves; i++) {
		struct rule_reserve *reserve = &rules->reserves[i];

		reserve->config = &config->reserves[i];
		read_reserve(maker, reserve, &services);
		check_overlap(maker, i, all);
		for (int space = 0; space < N_SPACES; space++)
			port_sets_add(&all[space], reserve->ports[space]);
	}
	finish_common(maker, all, import_kernel);
}

static const struct port_set *reserved_ports(struct maker *maker,
					     const char *name, int space,
					     bool owned)
{
	struct port_set *set = maker_scratch(maker);

	for (size_t i = 0; i < maker->rules->n_reserves; i++) {
		const struct rule_reserve *reserve =
			&maker->rules->reserves[i];

		if (is_owner(reserve->config, name) == owned)
			port_sets_add(set, reserve->ports[space]);
	}
	return maker_keep(maker);
}

void reserves_apply(struct maker *maker, struct rule *rule)
{
	const bool owns = rule->process != NULL &&
		maker->owns[rule->process - maker->config->processes];

	for (int space = 0; space < N_SPACES; space++) {
		rule->avoided[space] = maker->avoided[space];
		rule->refused[space] =
			owns ? reserved_ports(maker, rule->name, space, false)
			     : maker->reserved[space];
		rule->owned[space] =
			owns ? reserved_ports(maker, rule->name, space, true)
			     : maker->empty;
	}
}
