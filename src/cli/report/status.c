/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "cli/commands.h"
#include "cli/message.h"
#include "cli/options.h"
#include "cli/report/status.h"
#include "map/ledger.h"
#include "map/map.h"

static enum output_format format;
static const struct command_option list[] = {
	OPTIONS_FORMAT(&format),
	OPTION_HELP,
};

/* --- the maps ------------------------------------------------------------- */

/* Orders the uses: a higher one leaves less of the port to others. */
static const uint8_t ranks[N_USES] = {
	[USE_FREE] = 0,
	[USE_CONNECT] = 1,
	[USE_BOUND] = 2,
	[USE_WHOLE] = 3,
};

static void add_port(struct status *status, const struct map *map,
		     enum protocol protocol, uint16_t port)
{
	struct status_port *sum = &status->ports[protocol][port];
	uint32_t n_leases;
	bool rests;
	const enum use use = ledger_use(map, protocol, port, status->now_ms,
					&n_leases, &rests);

	sum->n_leases += n_leases;
	sum->rests |= rests;
	if (ranks[use] > ranks[sum->use])
		sum->use = (uint8_t)use;
}

static void add_contents(struct status *status, const struct map *map)
{
	for (int i = 0; i < N_COUNTERS; i++)
		/* Relaxed: this process's own copy. */
		status->counters[i] +=
			load_relaxed_u64(&map->memory->counter.counters[i]);
	for (int protocol = 0; protocol < N_PROTOCOLS; protocol++)
		for (uint32_t port = 0; port < N_PORTS; port++)
			add_port(status, map, protocol, (uint16_t)port);
	status->n_read++;
}

static void visit(const struct found_map *found, void *context)
{
	struct status *status = context;
	struct memory *memory = &status->output.memory;
	struct map copy;
	int error = found->error;

	if (error == 0)
		error = found_map_copy(found, &status->view.place, 0,
				       sizeof(struct map_memory), &copy);
	*memory_add(memory, &status->maps,
		    &status->n_maps) = (struct status_map){
		memory_copy(memory, found->path, strlen(found->path)),
		found->uid,
		error,
	};
	if (error < 0) {
		maps_missed_add(&status->missed, found, error);
		return;
	}
	map_set_rest(&copy, status->view.policy.rest_ms);
	add_contents(status, &copy);
	map_close(&copy);
}

/* Returns whether all maps were read that this user may read. */
static bool gather_maps(struct status *status)
{
	int result;

	status->now_ms = clock_now_ms();
	result = found_maps_visit(&status->view.place, O_RDONLY, visit, status);
	if (result < 0)
		message("cannot list the shared maps: %s", strerror(-result));
	return result == 0 && !status->missed.is_broken;
}

/* --- the whole ------------------------------------------------------------ */

/* Whether the state of a map, as the report shows it, is enough. Other errors
 * get a message too. */
static bool is_map_known(int error)
{
	return error == 0 || error == -ENOENT || found_map_is_denied(error);
}

/* Returns whether all sockets were read; reports what was not. */
static bool gather_sockets(struct sockets *sockets)
{
	const int result = sockets_open(sockets);
	bool is_whole = result == 0;

	if (result < 0)
		message("cannot tell who holds a port: %s", strerror(-result));
	for (int protocol = 0; protocol < N_PROTOCOLS; protocol++) {
		if (sockets->errors[protocol] == 0)
			continue;
		message("cannot list %s sockets: %s", protocol_name(protocol),
			strerror(-sockets->errors[protocol]));
		is_whole = false;
	}
	return is_whole;
}

/* Reads what is to be shown; reports and leaves out what cannot be read.
 * Returns whether all was read. */
static bool gather(struct status *status)
{
	struct view *view = &status->view;
	bool is_whole;
	int fd;

	view_open_policy(view);
	status->map_error = map_find(&view->place, MAP_EXISTING, &fd,
				     status->map_path);
	/* Only the path is needed. */
	if (status->map_error == 0)
		close(fd);
	is_whole = gather_maps(status);
	if (is_whole && !is_map_known(status->map_error)) {
		message("cannot open the shared map: %s",
			strerror(-status->map_error));
		is_whole = false;
	}
	is_whole = is_whole && view_is_sound(view);
	return gather_sockets(&status->sockets) && is_whole;
}

static int run(const struct command_words *words)
{
	static struct status status;
	bool is_whole;
	int result;

	(void)words;
	output_open(&status.output, format, stdout);
	is_whole = gather(&status);
	result = status_report(&status);
	sockets_close(&status.sockets);
	view_close(&status.view);
	return is_whole ? result : EXIT_FAILURE;
}

const struct options command_status = {
	.command = "status",
	.help = "show which processes hold which ports",
	.run = run,
	.synopsis = "",
	.list = list,
	.about =
		"Shows the policy that applies to a program in this environment; how\n"
		"many of the ports that any rule assigns are in use in this network\n"
		"namespace, and who holds them; and which processes have a reserved\n"
		"port, a port of a range or a port of the kernel's range that Berth\n"
		"did not assign. Root sees the maps of all users.\n",
};
