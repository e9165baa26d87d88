/* SPDX-License-Identifier: MIT */
#include "map/sweep.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/commands.h"
#include "cli/map_sweep.h"
#include "cli/maps.h"
#include "cli/message.h"
#include "cli/netns.h"
#include "cli/output.h"
#include "cli/published.h"
#include "kernel/kernel.h"
#include "kernel/proc_net.h"
#include "map/place.h"
#include "policy/policy.h"

static const char usage[] =
	"Usage: berth sweep [--proc] [--porcelain | --json]\n"
	"\n"
	"Repairs the shared map from the kernel's table of sockets, as\n"
	"programs under Berth do when they find no port left: a leased port\n"
	"that has no socket is put to rest, a socket in a range that the map\n"
	"does not show is marked. Root repairs the maps of all users. Prints\n"
	"what was found.\n"
	"\n"
	"  --proc       read /proc/net in place of NETLINK_SOCK_DIAG\n"
	"  --porcelain  tab-separated records, see berth(1)\n"
	"  --json       one JSON object\n";

static const struct output_column columns[] = {
	{ "protocol", 8, false },
	{ "sockets", 8, true },
	{ "leases", 8, true },
	{ "cleared", 8, true },
	{ "marked", 8, true },
};
static const struct output_section section = {
	.kind = "sweep", .key = "sweeps", .title = "Sweep",
	.n_columns = sizeof(columns) / sizeof(columns[0]), .columns = columns,
};

struct sweep_options {
	enum output_format format;
	sweep_lister list;
	bool help;
};

/* All that is read before; too large for the stack. */
static struct {
	struct kernel kernel;
	struct environment environment;
	struct published published;
	struct policy policy;
	struct output output;
	struct found_map_sweep sum;
	size_t n_swept;
	struct maps_missed missed;
} sweeping;

static void show(enum protocol protocol, const struct sweep_result *result)
{
	const uint32_t values[] = { result->n_sockets, result->n_leases,
				    result->n_cleared, result->n_marked };
	char texts[4][12];

	for (int i = 0; i < 4; i++)
		snprintf(texts[i], sizeof(texts[i]), "%u", values[i]);
	output_row(&sweeping.output,
		   (const char *const[]){ protocol_name(protocol), texts[0],
					  texts[1], texts[2], texts[3] });
}

/* A protocol that the kernel lacks has nothing to be swept, nor does SCTP where
 * it was told to do without the only way to list it. */
static bool is_left_out(const struct sweep_options *options,
			enum protocol protocol, int result)
{
	return result == -ENOENT ||
	       (protocol == PROTOCOL_SCTP && result == -EOPNOTSUPP &&
		options->list == proc_net_list);
}

struct sweep_visit {
	const struct place *place;
	sweep_lister list;
};

/* Of several maps: all have been told of the same sockets. */
static void add(const struct found_map_sweep *swept)
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
	const struct sweep_visit *how = context;
	struct found_map_sweep swept;
	int error = found->error;

	if (error == 0)
		error = found_map_sweep(found, how->place, &sweeping.policy,
					how->list, &swept);
	if (error == 0)
		add(&swept);
	else
		maps_missed_add(&sweeping.missed, found, error);
}

static int show_all(const struct sweep_options *options)
{
	int status = EXIT_SUCCESS;

	output_open(&sweeping.output, options->format, stdout);
	output_section(&sweeping.output, &section);
	for (int protocol = 0; protocol < N_PROTOCOLS && sweeping.n_swept > 0;
	     protocol++) {
		const int result = sweeping.sum.errors[protocol];

		if (result == 0) {
			show((enum protocol)protocol,
			     &sweeping.sum.results[protocol]);
		} else if (!is_left_out(options, (enum protocol)protocol,
					result)) {
			message("berth: cannot list %s sockets: %s\n",
				protocol_name((enum protocol)protocol),
				strerror(-result));
			status = EXIT_FAILURE;
		}
	}
	return output_finish(&sweeping.output) == EXIT_SUCCESS ? status
							       : EXIT_FAILURE;
}

static int sweep_all(const struct sweep_options *options,
		     const struct place *place)
{
	struct sweep_visit how = { .place = place, .list = options->list };
	const int result = found_maps_visit(place, O_RDWR, visit, &how);
	int status;

	if (result < 0)
		message("berth: cannot list the shared maps: %s\n",
			strerror(-result));
	else if (sweeping.n_swept == 0 && !sweeping.missed.is_broken)
		message("berth: there is no shared map in this namespace yet\n");
	maps_missed_tell(&sweeping.missed);
	status = show_all(options);
	return result == 0 && !sweeping.missed.is_broken ? status
							 : EXIT_FAILURE;
}

/* Returns 0, or -EINVAL for a mistake, which is said. */
static int read_options(char *argv[], struct sweep_options *options)
{
	*options = (struct sweep_options){ .list = socket_table_list };
	while (*++argv != NULL) {
		if (strcmp(*argv, "--help") == 0 || strcmp(*argv, "-h") == 0) {
			options->help = true;
		} else if (strcmp(*argv, "--proc") == 0) {
			options->list = proc_net_list;
		} else if (strcmp(*argv, "--porcelain") == 0) {
			options->format = OUTPUT_PORCELAIN;
		} else if (strcmp(*argv, "--json") == 0) {
			options->format = OUTPUT_JSON;
		} else {
			message("berth sweep: unknown %s \"%s\"; see "
				"berth sweep --help\n",
				(*argv)[0] == '-' ? "option" : "word", *argv);
			return -EINVAL;
		}
	}
	return 0;
}

int command_sweep(int argc, char *argv[])
{
	struct sweep_options options;
	struct place place;
	int result;

	(void)argc;
	if (read_options(argv, &options) < 0)
		return EXIT_USAGE;
	if (options.help)
		return message_usage(usage);
	kernel_read(&sweeping.kernel);
	netns_place(&sweeping.kernel, &place);
	netns_policy(&sweeping.kernel, &place, &sweeping.environment,
		     &sweeping.published, &sweeping.policy);
	/* By other ranges than those in force, wrong ports would be marked. */
	if (published_is_unknown(sweeping.published.missed) ||
	    sweeping.published.is_damaged) {
		published_deinit(&sweeping.published);
		return EXIT_FAILURE;
	}
	result = sweep_all(&options, &place);
	published_deinit(&sweeping.published);
	return result;
}
