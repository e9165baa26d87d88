/* SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include "base/clock.h"
#include "cli/program.h"
#include "cli/report/explain.h"
#include "cli/report/maps.h"
#include "cli/rules/rules.h"
#include "cli/sockets.h"
#include "map/ledger.h"
#include "map/map.h"
#include "policy/policy.h"

static const struct output_section range_section = {
	.kind = "in-range", .key = "in_ranges",
	.title = "In the ranges of",
	.columns = {
		{ "protocol", 8, false },
		{ "role", 7, false },
		{ "rule", 15, false },
		{ "place", 0, false },
	},
};
static const struct output_section reserve_section = {
	.kind = "reserved", .key = "reserved",
	.title = "Reserved",
	.columns = {
		{ "protocol", 8, false },
		{ "reservation", 15, false },
		{ "owners", 20, false },
		{ "place", 0, false },
	},
};
static const struct output_section holder_section = {
	.kind = "holder", .key = "holders",
	.title = "Held by",
	.columns = {
		{ "protocol", 8, false },
		{ "socket", 9, false },
		{ "pid", 7, true },
		{ "program", 15, false },
	},
};
static const struct output_section verdict_section = {
	.kind = "now", .key = "now",
	.title = "Assignable now",
	.columns = {
		{ "protocol", 8, false },
		{ "assignable", 10, false },
		{ "reason", 0, false },
	},
};

/* One port. */
struct port_view {
	struct view *view;
	struct output *output;
	uint16_t port;
	struct map map;
	struct sockets sockets;
	bool is_assigned[N_PROTOCOLS]; /* some rule's range has it */
	bool is_reserved[N_PROTOCOLS];
};

static void show_range(struct port_view *self, int protocol, int role,
		       const char *rule, const char *place)
{
	self->is_assigned[protocol] = true;
	output_row(self->output, protocol_name(protocol), role_name(role), rule,
		   place);
}

static void show_loaded_ranges(struct port_view *self)
{
	const struct policy_tables *tables = &self->view->in_force.tables;

	for (uint32_t i = 0; i < tables->image->n_rules; i++) {
		const struct policy_rule *rule = &tables->rules[i];

		for (int pair = 0; pair < N_PAIRS; pair++) {
			const int protocol = PAIR_PROTOCOL(pair);
			const int role = PAIR_ROLE(pair);
			const uint32_t set = rule->ranges[protocol][role];

			if (policy_has(policy_set(tables, set), self->port))
				show_range(self, protocol, role,
					   policy_string(tables, rule->name),
					   policy_string(tables, rule->place));
		}
	}
}

static void show_ranges(struct port_view *self)
{
	struct environment_error ignored;

	output_section(self->output, &range_section);
	if (self->view->in_force.image != NULL) {
		show_loaded_ranges(self);
		return;
	}
	(void)environment_read(getenv, &self->view->kernel,
			       &self->view->environment, &ignored);
	if (!port_set_has(&self->view->environment.range, self->port))
		return;
	for (int protocol = 0; protocol < N_PROTOCOLS; protocol++)
		for (int role = 0; role < N_ROLES; role++)
			show_range(self, protocol, role, "environment", NULL);
}

static void show_reservation(struct port_view *self,
			     const struct policy_reserve *reserve)
{
	const struct policy_tables *tables = &self->view->in_force.tables;
	const char *owners = output_strings(
		self->output, policy_string(tables, reserve->owners), ", ");

	for (int protocol = 0; protocol < N_PROTOCOLS; protocol++) {
		if (!policy_has(policy_set(tables, reserve->ports[protocol]),
				self->port))
			continue;
		self->is_reserved[protocol] = true;
		output_row(self->output, protocol_name(protocol),
			   policy_string(tables, reserve->name), owners,
			   policy_string(tables, reserve->place));
	}
}

static void show_reserved(struct port_view *self)
{
	const struct policy_tables *tables = &self->view->in_force.tables;

	output_section(self->output, &reserve_section);
	if (self->view->in_force.image != NULL)
		for (uint32_t i = 0; i < tables->image->n_reserves; i++)
			show_reservation(self, &tables->reserves[i]);
	if (!port_set_has(&self->view->kernel.reserved, self->port))
		return;
	for (int protocol = 0; protocol < N_PROTOCOLS; protocol++)
		output_row(self->output, protocol_name(protocol), "kernel",
			   NULL, "ip_local_reserved_ports");
}

static void show_holders(struct port_view *self)
{
	output_section(self->output, &holder_section);
	for (int protocol = 0; protocol < N_PROTOCOLS; protocol++) {
		size_t n;
		const struct holder *holder = sockets_holders(
			&self->sockets, protocol, self->port, &n);

		for (; n > 0; n--, holder++) {
			const struct program_label label =
				program_label(holder->pid);

			output_row(self->output,
				   protocol_name(holder->protocol),
				   socket_state_name(holder->state), label.pid,
				   label.name);
		}
	}
}

/* Why it would not be assigned, NULL if it would. */
static const char *obstacle(const struct port_view *self,
			    enum protocol protocol, bool *oftenp)
{
	uint32_t n_leases = 0;
	bool rests = false;
	enum use use = USE_FREE;
	size_t n_holders;

	*oftenp = false;
	if (self->is_reserved[protocol])
		return "it is reserved";
	if (!self->is_assigned[protocol])
		return "no range contains it";
	if (self->map.memory != NULL)
		use = ledger_use(&self->map, protocol, self->port,
				 clock_now_ms(), &n_leases, &rests);
	if (use == USE_WHOLE)
		return "it is in use, says the map";
	sockets_holders(&self->sockets, protocol, self->port, &n_holders);
	*oftenp = true;
	if (use != USE_FREE || n_holders > 0)
		return "to other addresses only: it is in use";
	return rests ? "only if no other is left: it rests" : NULL;
}

static void show_verdicts(struct port_view *self)
{
	output_section(self->output, &verdict_section);
	for (int protocol = 0; protocol < N_PROTOCOLS; protocol++) {
		bool often;
		const char *reason = obstacle(self, protocol, &often);

		output_row(self->output, protocol_name(protocol),
			   reason == NULL ? "yes"
			   : often	  ? "perhaps"
					  : "no",
			   reason);
	}
}

int explain_port(struct view *view, struct output *output, uint16_t port)
{
	static struct port_view self; /* too large for the stack */
	int result;

	self = (struct port_view){ .view = view,
				   .output = output,
				   .port = port };
	/* Without a map no port is in use. */
	if (map_copy_own(&view->place, &self.map) == 0 &&
	    view->in_force.image != NULL)
		map_set_rest(&self.map, view->in_force.tables.image->rest_ms);
	result = sockets_open(&self.sockets);
	if (result == 0) {
		show_ranges(&self);
		show_reserved(&self);
		show_holders(&self);
		show_verdicts(&self);
	}
	sockets_close(&self.sockets);
	map_close(&self.map);
	return result;
}
