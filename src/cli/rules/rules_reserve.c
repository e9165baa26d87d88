/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "cli/conf/config_options.h"
#include "cli/conf/reserved_set.h"
#include "cli/rules/maker.h"
#include "cli/rules/rules_scope.h"
#include "kernel/kernel.h"

/* Marks the protocols that a reservation is for. */
static void read_protocols(struct maker *maker,
			   const struct config_section *config,
			   bool covers[N_PROTOCOLS])
{
	const struct config_list *list = &config->protocols;

	for (int protocol = 0; protocol < N_PROTOCOLS; protocol++)
		covers[protocol] = list->n == 0;
	for (size_t i = 0; i < list->n; i++) {
		const enum protocol protocol =
			config_protocol_of(list->values[i]);

		if (protocol < N_PROTOCOLS)
			covers[protocol] = true;
		else
			maker_refuse(maker, list->place, "protocols",
				     list->values[i],
				     "is not tcp, udp or sctp");
	}
	covers[PROTOCOL_UDPLITE] = covers[PROTOCOL_UDP];
}

static bool is_owner(const struct config_section *reserve, const char *name)
{
	for (size_t i = 0; i < reserve->owners.n; i++)
		if (strcmp(reserve->owners.values[i], name) == 0)
			return true;
	return false;
}

static void read_owners(struct maker *maker,
			const struct config_section *config)
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
			maker->owns[j] = true;
		}
		if (!known)
			maker_refuse(maker, owners->place, "owners",
				     owners->values[i],
				     "is not the title of a process section");
	}
}

/* Returns the sets of services(5), read when first needed; or NULL. */
static const struct port_set *services_of(struct maker *maker,
					  const struct config_text *ports)
{
	int result;

	if (maker->services != NULL || strstr(ports->value, "services") == NULL)
		return maker->services;
	maker->services = memory_take(&maker->rules->memory, N_PROTOCOLS,
				      sizeof(*maker->services));
	result = services_read(SERVICES_PATH, maker->services);
	if (result < 0)
		findings_add(maker->findings, SEVERITY_ERROR, ports->place,
			     "ports: \"services\" needs %s: %s", SERVICES_PATH,
			     strerror(-result));
	return maker->services;
}

static void read_ports(struct maker *maker, const struct config_section *config,
		       const bool covers[N_PROTOCOLS],
		       const struct port_set *ports[N_PROTOCOLS])
{
	struct reserved_sources sources = { .kernel = maker->kernel };
	const struct port_set *services;
	struct range_error error;

	if (config->ports.value == NULL) {
		findings_add(maker->findings, SEVERITY_ERROR, config->place,
			     "reservation \"%s\" has no ports", config->name);
		return;
	}
	services = services_of(maker, &config->ports);
	for (int protocol = 0; protocol < N_PROTOCOLS; protocol++) {
		sources.services = services != NULL ? &services[protocol]
						    : NULL;
		if (reserved_set_parse(config->ports.value, &sources,
				       maker_scratch(maker), &error) < 0) {
			maker_refuse_ports(maker, config->ports.place, "ports",
					   &error);
			return;
		}
		if (covers[protocol])
			ports[protocol] = maker_keep(maker, &maker->scratch);
	}
}

static void read_reserve(struct maker *maker, struct rule_reserve *reserve)
{
	bool covers[N_PROTOCOLS];

	for (int protocol = 0; protocol < N_PROTOCOLS; protocol++)
		reserve->ports[protocol] = maker->empty;
	read_protocols(maker, reserve->config, covers);
	read_owners(maker, reserve->config);
	read_ports(maker, reserve->config, covers, reserve->ports);
}

static bool has_owners_of(const struct config_section *a,
			  const struct config_section *b)
{
	for (size_t i = 0; i < b->owners.n; i++)
		if (!is_owner(a, b->owners.values[i]))
			return false;
	return true;
}

static void check_two(struct maker *maker, const struct rule_reserve *earlier,
		      const struct rule_reserve *later)
{
	const struct config_section *a = earlier->config, *b = later->config;
	struct port_set *common = maker_scratch(maker);
	bool found = false;

	if (has_owners_of(a, b) && has_owners_of(b, a))
		return;
	for (int protocol = 0; protocol < N_PROTOCOLS; protocol++)
		if (port_set_add_common(common, earlier->ports[protocol],
					later->ports[protocol]))
			found = true;
	if (found)
		findings_add(maker->findings, SEVERITY_ERROR, b->ports.place,
			     "reservation \"%s\" overlaps "
			     "reservation \"%s\" at %s:%d, which has other "
			     "owners: %s",
			     b->name, a->name, a->ports.place.file,
			     a->ports.place.line,
			     scope_ports(&maker->findings->memory, common));
}

/* Compares it with each earlier one, if any of them has ports of it. */
static void check_overlap(struct maker *maker, size_t index,
			  const struct port_set all[N_PROTOCOLS])
{
	const struct rule_reserve *reserves = maker->rules->reserves;
	bool meets = false;

	for (int protocol = 0; protocol < N_PROTOCOLS; protocol++)
		meets = meets ||
			port_set_meets(&all[protocol],
				       reserves[index].ports[protocol]);
	for (size_t i = 0; meets && i < index; i++)
		check_two(maker, &reserves[i], &reserves[index]);
}

static void finish_common(struct maker *maker, struct port_set all[N_PROTOCOLS],
			  bool import_kernel)
{
	for (int protocol = 0; protocol < N_PROTOCOLS; protocol++) {
		struct port_set *set = &all[protocol];

		maker->reserved[protocol] = maker_keep(maker, set);
		if (import_kernel && maker->kernel->reserved_known)
			port_set_unite(set, &maker->kernel->reserved);
		maker->avoided[protocol] = maker_keep(maker, set);
	}
}

void reserves_read(struct maker *maker, bool import_kernel)
{
	struct rules *rules = maker->rules;
	const struct config *config = maker->config;
	struct port_set *all = memory_take(&rules->memory, N_PROTOCOLS,
					   sizeof(*all));

	maker->owns = memory_take(&rules->memory, config->n_processes,
				  sizeof(*maker->owns));
	rules->reserves = memory_take(&rules->memory, config->n_reserves,
				      sizeof(*rules->reserves));
	rules->n_reserves = config->n_reserves;
	for (size_t i = 0; i < config->n_reserves; i++) {
		struct rule_reserve *reserve = &rules->reserves[i];

		reserve->config = &config->reserves[i];
		read_reserve(maker, reserve);
		check_overlap(maker, i, all);
		for (int protocol = 0; protocol < N_PROTOCOLS; protocol++)
			port_set_unite(&all[protocol],
				       reserve->ports[protocol]);
	}
	finish_common(maker, all, import_kernel);
}

static const struct port_set *reserved_ports(struct maker *maker,
					     const char *name, int protocol,
					     bool owned)
{
	struct port_set *set = maker_scratch(maker);

	for (size_t i = 0; i < maker->rules->n_reserves; i++) {
		const struct rule_reserve *reserve = &maker->rules->reserves[i];

		if (is_owner(reserve->config, name) == owned)
			port_set_unite(set, reserve->ports[protocol]);
	}
	return maker_keep(maker, &maker->scratch);
}

void reserves_apply(struct maker *maker, struct rule *rule)
{
	const bool owns = rule->process != NULL &&
			  maker->owns[rule->process - maker->config->processes];

	for (int protocol = 0; protocol < N_PROTOCOLS; protocol++) {
		rule->avoided[protocol] = maker->avoided[protocol];
		rule->refused[protocol] = owns ? reserved_ports(maker,
								rule->name,
								protocol, false)
					       : maker->reserved[protocol];
		rule->owned[protocol] = owns ? reserved_ports(maker, rule->name,
							      protocol, true)
					     : maker->empty;
	}
}
