/* SPDX-License-Identifier: MIT */
#include "cli/report/status.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli/program.h"

#define N_ELEMENTS(array) (sizeof(array) / sizeof((array)[0]))

static const struct output_section policy_section = {
	.kind = "policy", .key = "policy", .single = true,
	.columns = {
		{ .name = "range" },
		{ .name = "n_ports", .number = true },
		{ .name = "algorithm" },
		{ .name = "rule" },
		{ .name = "source" },
	},
};
static const struct output_section map_section = {
	.kind = "own-map", .key = "own_map", .single = true,
	.columns = {
		{ .name = "path" },
		{ .name = "state" },
	},
};
static const struct output_section ports_section = {
	.kind = "ports", .key = "ports", .title = "Ports of the range",
	.columns = {
		{ "protocol", 8, false },
		{ "free", 6, true },
		{ "whole", 6, true },
		{ "bound", 6, true },
		{ "connect", 7, true },
		{ "rest", 6, true },
	},
};
static const struct output_section counter_section = {
	.kind = "counter", .key = "counters", .title = "Events",
	.columns = {
		{ "counter", 15, false },
		{ "count", 10, true },
	},
};
static const struct output_section lease_section = {
	.kind = "lease", .key = "leases", .title = "Leased ports",
	.columns = {
		{ "protocol", 8, false },
		{ "port", 5, true },
		{ "use", 7, false },
		{ "leases", 6, true },
		{ "pid", 7, true },
		{ "program", 15, false },
	},
};
static const struct output_section outside_section = {
	.kind = "outside", .key = "outside",
	.title = "Outside Berth",
	.columns = {
		{ "protocol", 8, false },
		{ "port", 5, true },
		{ "socket", 9, false },
		{ "pid", 7, true },
		{ "program", 15, false },
		{ "where", 8, false },
	},
};

static const struct output_section found_section = {
	.kind = "map", .key = "maps", .title = "Maps",
	.columns = {
		{ "user", 8, false },
		{ "path", 40, false },
		{ "state", 8, false },
	},
};

static const char *const use_names[N_USES] = {
	[USE_FREE] = "free",
	[USE_WHOLE] = "whole",
	[USE_BOUND] = "bound",
	[USE_CONNECT] = "connect",
};

static const char *const counter_names[] = {
	[COUNTER_KERNEL_ASKED] = "kernel-asked",
	[COUNTER_PIN_IGNORED] = "pin-ignored",
	[COUNTER_SELF_CONNECT] = "self-connect",
	[COUNTER_FOREIGN] = "foreign",
	[COUNTER_RESERVED] = "reserved",
	[COUNTER_SERVER_IN_RANGE] = "server-in-range",
	[COUNTER_OUTSIDE] = "outside",
	[COUNTER_OBSERVED] = "observed",
	[COUNTER_EXHAUSTED] = "exhausted",
	[COUNTER_NO_MAP] = "no-map",
	[COUNTER_SWEPT] = "swept",
	[COUNTER_BAD_POLICY] = "bad-policy",
	[COUNTER_FILTERED] = "filtered",
};
_Static_assert(N_ELEMENTS(counter_names) == N_COUNTERS, "each has a name");

static void show_policy(struct status *status)
{
	const struct policy *policy = &status->view.policy;
	const struct port_set *range =
		policy->ranges[PROTOCOL_TCP][ROLE_OF_CONNECT];

	output_section(&status->output, &policy_section);
	output_row(&status->output, output_ports(&status->output, range),
		   output_number(range->n_ports).text,
		   setting_word(SETTING_ALGORITHM,
				policy->settings[SETTING_ALGORITHM]),
		   policy->rule, view_source(&status->view));
}

static const char *map_state(int error)
{
	switch (error) {
	case 0: return "shared";
	case -ENOENT: return "none yet";
	case -ESTALE: return "of another version or namespace";
	default: return strerror(-error);
	}
}

static void show_map(struct status *status)
{
	const int error = status->map_error;

	output_section(&status->output, &map_section);
	output_row(&status->output, error == 0 ? status->map_path : NULL,
		   map_state(error));
}

static void show_ports_of(struct status *status, enum protocol protocol)
{
	uint32_t counts[N_USES] = { 0 }, n_resting = 0;

	for (uint32_t port = 0; port < N_PORTS; port++) {
		const struct status_port *tally =
			&status->ports[protocol][port];

		if (!policy_has(status->view.policy.dynamic[protocol],
				(uint16_t)port))
			continue;
		if (tally->use == USE_FREE && tally->rests)
			n_resting++;
		else
			counts[tally->use]++;
	}
	output_row(&status->output, protocol_name(protocol),
		   output_number(counts[USE_FREE]).text,
		   output_number(counts[USE_WHOLE]).text,
		   output_number(counts[USE_BOUND]).text,
		   output_number(counts[USE_CONNECT]).text,
		   output_number(n_resting).text);
}

static void show_counters(struct status *status)
{
	output_section(&status->output, &counter_section);
	if (status->n_read == 0)
		return;
	for (int i = 0; i < N_COUNTERS; i++)
		output_row(&status->output, counter_names[i],
			   output_number(status->counters[i]).text);
}

static void show_lease(struct status *status, enum protocol protocol,
		       uint16_t port)
{
	const struct status_port *tally = &status->ports[protocol][port];
	const struct output_number number = output_number(port);
	const struct output_number n_leases = output_number(tally->n_leases);
	const char *values[] = {
		protocol_name(protocol), number.text, use_names[tally->use],
		n_leases.text,		 NULL,	      NULL
	};
	pid_t last = 0;
	size_t n_holders;
	const struct holder *holder =
		sockets_holders(&status->sockets, protocol, port, &n_holders);

	if (tally->use == USE_FREE)
		return;
	/* There are sockets, but their processes are gone or not visible. */
	if (n_holders > 0)
		values[4] = values[5] = "?";
	for (; n_holders > 0; n_holders--, holder++) {
		if (holder->pid == last)
			continue;
		last = holder->pid;

		const struct program_label label = program_label(last);

		values[4] = label.pid;
		values[5] = label.name;
		output_values(&status->output, values);
	}
	if (last == 0)
		output_values(&status->output, values);
}

static bool is_reserved(const struct status *status, enum protocol protocol,
			uint16_t port)
{
	const struct policy_tables *tables = &status->view.in_force.tables;

	if (status->view.in_force.image == NULL)
		return port_set_has(&status->view.environment.reserved, port);
	for (uint32_t i = 0; i < tables->image->n_reserves; i++)
		if (policy_has(policy_set(tables,
					  tables->reserves[i].ports[protocol]),
			       port))
			return true;
	return port_set_has(&status->view.kernel.reserved, port);
}

/* Where a port that concerns Berth lies, or NULL. */
static const char *concern(const struct status *status,
			   const struct holder *holder)
{
	const struct port_interval *range = &status->view.kernel.port_range;

	if (is_reserved(status, holder->protocol, holder->port))
		return "reserved";
	if (policy_has(status->view.policy.dynamic[holder->protocol],
		       holder->port))
		return "range";
	return range->hi != 0 && holder->port >= range->lo &&
			       holder->port <= range->hi
		       ? "kernel"
		       : NULL;
}

/* Remembers the last process: many have several sockets. */
static bool is_covered(pid_t pid)
{
	static pid_t last;
	static bool answer;

	if (pid != last) {
		last = pid;
		answer = program_is_covered(pid);
	}
	return answer;
}

/*
 * Whether a process has a port that Berth did not assign. Whether the kernel or
 * the process chose it cannot be told from outside. Accepted sockets have the
 * port of their listener and do not count. A mark in the map may be from a
 * sweep, so it does not prove that the process is under Berth.
 */
static bool is_outside(const struct status *status, const struct holder *holder,
		       const char *where)
{
	if (holder->state == SOCKET_ORPHAN || where == NULL)
		return false;
	if (holder->state != SOCKET_LISTEN &&
	    port_set_has(&status->sockets.listening[holder->protocol],
			 holder->port))
		return false;
	if (holder->pid != 0 && !is_covered(holder->pid))
		return true;
	if (holder->pid != 0 && strcmp(where, "reserved") == 0)
		return false;
	return status->ports[holder->protocol][holder->port].use == USE_FREE;
}

static void show_outside(struct status *status)
{
	output_section(&status->output, &outside_section);
	for (size_t i = 0; i < status->sockets.n_items; i++) {
		const struct holder *holder = &status->sockets.items[i];
		const char *where = concern(status, holder);

		if (!is_outside(status, holder, where))
			continue;

		const struct program_label label = program_label(holder->pid);

		output_row(&status->output, protocol_name(holder->protocol),
			   output_number(holder->port).text,
			   socket_state_name(holder->state), label.pid,
			   label.name, where);
	}
}

static void show_maps(struct status *status)
{
	output_section(&status->output, &found_section);
	for (size_t i = 0; i < status->n_maps; i++) {
		const struct status_map *map = &status->maps[i];

		output_row(&status->output, user_name(map->uid), map->path,
			   map_state(map->error));
	}
}

int status_report(struct status *status)
{
	show_policy(status);
	show_map(status);
	output_section(&status->output, &ports_section);
	for (int protocol = 0; protocol < N_PROTOCOLS; protocol++)
		show_ports_of(status, protocol);
	show_counters(status);
	output_section(&status->output, &lease_section);
	for (int protocol = 0; protocol < N_PROTOCOLS; protocol++)
		for (uint32_t port = 0; port < N_PORTS; port++)
			show_lease(status, protocol, (uint16_t)port);
	show_outside(status);
	show_maps(status);
	return output_close(&status->output);
}
