/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/param.h>

#include "base/clock.h"
#include "cli/bus_error.h"
#include "cli/commands.h"
#include "cli/message.h"
#include "cli/options.h"
#include "cli/report/maps.h"
#include "cli/view.h"
#include "kernel/socket_table.h"
#include "map/map.h"
#include "map/sweep.h"

static const struct output_section section = {
	.kind = "sweep", .key = "sweeps", .title = "Sweep",
	.columns = {
		{ "protocol", 8, false },
		{ "sockets", 8, true },
		{ "leases", 8, true },
		{ "cleared", 8, true },
		{ "marked", 8, true },
	},
};

static struct {
	enum output_format format;
	bool by_proc;
} request;

static const struct command_option list[] = {
	{ .name = "proc",
	  .flagp = &request.by_proc,
	  .help = "read /proc/net instead of asking sock_diag(7)" },
	OPTIONS_FORMAT(&request.format),
	OPTION_HELP,
};

struct map_sweep {
	/* By protocol: the result, or why there is none. */
	struct sweep_result results[N_PROTOCOLS];
	int errors[N_PROTOCOLS];
};

/* Too large for the stack. */
static struct {
	struct view view;
	struct output output;
	struct map_sweep last, sum; /* of one map, of all */
	size_t n_swept;
	struct maps_missed missed;
} sweeping;

/* A protocol that the kernel lacks is no error, nor is SCTP with --proc: only
 * sock_diag lists its sockets. */
static bool is_left_out(enum protocol protocol, int result)
{
	return result == -ENOENT || (protocol == PROTOCOL_SCTP &&
				     result == -EOPNOTSUPP && request.by_proc);
}

/* --- one map -------------------------------------------------------------- */

static int do_sweep(void *context)
{
	static const struct port_set none;
	const struct policy *policy = &sweeping.view.policy;
	struct map map;
	const int result = found_map_open(context, &sweeping.view.place, &map);

	if (result < 0)
		return result;
	map_set_rest(&map, policy->rest_ms);
	for (int protocol = 0; protocol < N_PROTOCOLS; protocol++) {
		const struct port_set *range = policy->dynamic[protocol];

		sweeping.last.errors[protocol] = sweep_protocol(
			&map, protocol, range != NULL ? range : &none,
			request.by_proc ? proc_net_list : socket_table_list,
			clock_now_ms(), &sweeping.last.results[protocol]);
	}
	return 0;
}

/* --- all maps ------------------------------------------------------------- */

/* Adds the result for one map to the sum. The sockets are the same for each
 * map, and count once. */
static void add(const struct map_sweep *last, struct map_sweep *sum)
{
	for (int protocol = 0; protocol < N_PROTOCOLS; protocol++) {
		const struct sweep_result *from = &last->results[protocol];
		struct sweep_result *to = &sum->results[protocol];

		if (last->errors[protocol] < 0) {
			sum->errors[protocol] = last->errors[protocol];
			continue;
		}
		to->n_sockets = MAX(to->n_sockets, from->n_sockets);
		to->n_leases += from->n_leases;
		to->n_cleared += from->n_cleared;
		to->n_marked += from->n_marked;
	}
	sweeping.n_swept++;
}

static void visit(const struct found_map *found, void *context)
{
	struct found_map map = *found;
	/* Mapped for writing: another user may shorten it meanwhile. */
	const int error = found->error != 0 ? found->error
					    : bus_error_catch(do_sweep, &map);

	(void)context;
	if (error == 0)
		add(&sweeping.last, &sweeping.sum);
	else
		maps_missed_add(&sweeping.missed, found, error);
}

static int show_all(void)
{
	struct output *output = &sweeping.output;
	int status = EXIT_SUCCESS;

	output_open(output, request.format, stdout);
	output_section(output, &section);
	for (int protocol = 0; protocol < N_PROTOCOLS && sweeping.n_swept > 0;
	     protocol++) {
		const int error = sweeping.sum.errors[protocol];
		const struct sweep_result *result =
			&sweeping.sum.results[protocol];

		if (error == 0) {
			output_row(output, protocol_name(protocol),
				   output_number(result->n_sockets).text,
				   output_number(result->n_leases).text,
				   output_number(result->n_cleared).text,
				   output_number(result->n_marked).text);
		} else if (!is_left_out(protocol, error)) {
			message("cannot list %s sockets: %s",
				protocol_name(protocol), strerror(-error));
			status = EXIT_FAILURE;
		}
	}
	return output_close(output) == EXIT_SUCCESS ? status : EXIT_FAILURE;
}

static int sweep_all(void)
{
	const int result = found_maps_visit(&sweeping.view.place, O_RDWR, visit,
					    NULL);
	int status;

	if (result < 0)
		message("cannot list the shared maps: %s", strerror(-result));
	else if (sweeping.n_swept == 0 && !sweeping.missed.is_broken)
		message("there is no shared map in this namespace yet");
	maps_missed_tell(&sweeping.missed);
	status = show_all();
	return result == 0 && !sweeping.missed.is_broken ? status
							 : EXIT_FAILURE;
}

static int run(const struct command_words *words)
{
	struct view *view = &sweeping.view;
	int status;

	(void)words;
	view_open_policy(view);
	/* By other ranges than those in force, wrong ports would be marked. */
	status = view_is_sound(view) ? sweep_all() : EXIT_FAILURE;
	view_close(view);
	return status;
}

const struct options command_sweep = {
	.command = "sweep",
	.help = "repair the map, from the kernel's sockets",
	.run = run,
	.synopsis = "",
	.list = list,
	.about =
		"Compares the map with the kernel's table of sockets, repairs it, and\n"
		"prints what was found. A leased port that no socket has is put to\n"
		"rest; a port of a range that a socket has, and that the map does not\n"
		"show, is marked. Programs under Berth do the same if they find no\n"
		"free port. Root repairs the maps of all users.\n",
};
