/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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
	struct map_sweep sum;
	size_t n_swept;
	struct maps_missed missed;
} sweeping;

static void show(enum protocol protocol, const struct sweep_result *result)
{
	output_row(&sweeping.output, protocol_name(protocol),
		   output_number(result->n_sockets).text,
		   output_number(result->n_leases).text,
		   output_number(result->n_cleared).text,
		   output_number(result->n_marked).text);
}

/* A protocol that the kernel lacks is no error, nor is SCTP with --proc: only
 * sock_diag lists its sockets. */
static bool is_left_out(enum protocol protocol, int result)
{
	return result == -ENOENT || (protocol == PROTOCOL_SCTP &&
				     result == -EOPNOTSUPP && request.by_proc);
}

/* --- one map -------------------------------------------------------------- */

struct sweep_work {
	const struct found_map *found;
	const struct view *view;
	struct map_sweep *swept;
};

static void sweep_protocols(const struct map *map, struct sweep_work *work)
{
	static const struct port_set none;
	struct map_sweep *swept = work->swept;

	for (int protocol = 0; protocol < N_PROTOCOLS; protocol++) {
		const struct port_set *range =
			work->view->policy.dynamic[protocol];

		swept->errors[protocol] = sweep_protocol(
			map, protocol, range != NULL ? range : &none,
			request.by_proc ? proc_net_list : socket_table_list,
			clock_now_ms(), &swept->results[protocol]);
	}
}

static int do_sweep(void *context)
{
	struct sweep_work *work = context;
	struct map map;
	const int result = found_map_open(work->found, &work->view->place,
					  &map);

	if (result < 0)
		return result;
	map_set_rest(&map, work->view->policy.rest_ms);
	sweep_protocols(&map, work);
	return 0;
}

/* --- all maps ------------------------------------------------------------- */

/* Adds the result for one map to the sum. The sockets are the same for each
 * map, and count once. */
static void add(const struct map_sweep *swept)
{
	for (int protocol = 0; protocol < N_PROTOCOLS; protocol++) {
		const struct sweep_result *from = &swept->results[protocol];
		struct sweep_result *to = &sweeping.sum.results[protocol];

		if (swept->errors[protocol] < 0) {
			sweeping.sum.errors[protocol] = swept->errors[protocol];
			continue;
		}
		if (to->n_sockets < from->n_sockets)
			to->n_sockets = from->n_sockets;
		to->n_leases += from->n_leases;
		to->n_cleared += from->n_cleared;
		to->n_marked += from->n_marked;
	}
	sweeping.n_swept++;
}

static void visit(const struct found_map *found, void *context)
{
	const struct view *view = context;
	struct map_sweep swept;
	struct sweep_work work = { found, view, &swept };
	int error = found->error;

	/* Mapped for writing: another user may shorten it meanwhile. */
	if (error == 0)
		error = bus_error_catch(do_sweep, &work);
	if (error == 0)
		add(&swept);
	else
		maps_missed_add(&sweeping.missed, found, error);
}

static int show_all(void)
{
	int status = EXIT_SUCCESS;

	output_open(&sweeping.output, request.format, stdout);
	output_section(&sweeping.output, &section);
	for (int protocol = 0; protocol < N_PROTOCOLS && sweeping.n_swept > 0;
	     protocol++) {
		const int result = sweeping.sum.errors[protocol];

		if (result == 0) {
			show(protocol, &sweeping.sum.results[protocol]);
		} else if (!is_left_out(protocol, result)) {
			message("cannot list %s sockets: %s",
				protocol_name(protocol), strerror(-result));
			status = EXIT_FAILURE;
		}
	}
	return output_close(&sweeping.output) == EXIT_SUCCESS ? status
							      : EXIT_FAILURE;
}

static int sweep_all(struct view *view)
{
	const int result = found_maps_visit(&view->place, O_RDWR, visit, view);
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
	status = view_is_sound(view) ? sweep_all(view) : EXIT_FAILURE;
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
