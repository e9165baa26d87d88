/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "cli/commands.h"
#include "cli/maps.h"
#include "cli/message.h"
#include "cli/netns.h"
#include "cli/status_report.h"
#include "map/map.h"

static const char usage[] =
	"Usage: berth status [--porcelain | --json]\n"
	"\n"
	"Shows the policy of this environment, how many of all ports that are\n"
	"assigned from are in use in this network namespace, who holds them, and\n"
	"which processes outside Berth have a port that is reserved, of a range or\n"
	"of the kernel's choice. Root is shown what the maps of all users say.\n"
	"\n"
	"  --porcelain  tab-separated records, see berth(1)\n"
	"  --json       one JSON object\n";

/* Those of which map_state() tells all: no program of this user has it. */
static bool is_map_known(int error)
{
	return error == 0 || error == -ENOENT || found_map_is_denied(error);
}

/* Returns whether all of this user's were read; else says which were not. */
static bool gather_maps(const struct place *place, struct status *status)
{
	struct tally *tally = &status->tally;
	const int result = tally_open(place, status->policy.rest_ms,
				      clock_now_ms(), tally);
	bool is_whole = result == 0;

	if (result < 0)
		message("berth: cannot list the shared maps: %s\n",
			strerror(-result));
	for (size_t i = 0; i < tally->maps.n_items; i++) {
		const struct tally_map *map = &tally->maps.items[i];

		if (is_map_known(map->error))
			continue;
		message("berth: cannot read the map %s: %s\n", map->path,
			strerror(-map->error));
		is_whole = false;
	}
	return is_whole;
}

/* Returns whether all were read; else says which were not. */
static bool gather_claims(struct claims *claims)
{
	const int result = claims_open(claims);
	bool is_whole = result == 0;

	if (result < 0)
		message("berth: cannot tell who holds a port: %s\n",
			strerror(-result));
	for (int protocol = 0; protocol < N_PROTOCOLS; protocol++) {
		if (claims->errors[protocol] == 0)
			continue;
		message("berth: cannot list %s sockets: %s\n",
			protocol_name((enum protocol)protocol),
			strerror(-claims->errors[protocol]));
		is_whole = false;
	}
	return is_whole;
}

/*
 * Reads what is to be shown; what cannot be read is said and left out. Returns
 * whether that is nothing.
 */
static bool gather(struct status *status)
{
	struct place place;
	bool is_whole;
	int fd;

	kernel_read(&status->kernel);
	netns_place(&status->kernel, &place);
	netns_policy(&status->kernel, &place, &status->environment,
		     &status->published, &status->policy);
	status->map_error = map_find(&place, MAP_EXISTING, &fd,
					 status->map_path);
	/* Its path is all that is wanted: what is in it is copied. */
	if (status->map_error == 0)
		close(fd);
	is_whole = gather_maps(&place, status);
	if (is_whole && !is_map_known(status->map_error)) {
		message("berth: cannot open the shared map: %s\n",
			strerror(-status->map_error));
		is_whole = false;
	}
	is_whole = is_whole && !status->published.is_damaged &&
		   !published_is_unknown(status->published.missed);
	return gather_claims(&status->claims) && is_whole;
}

/* Returns the format; or -1 for an error, which is said, -2 for --help. */
static int read_format(int argc, char *argv[])
{
	int format = OUTPUT_TABLE;

	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--help") == 0 ||
		    strcmp(argv[i], "-h") == 0)
			return -2;
		if (strcmp(argv[i], "--porcelain") == 0) {
			format = OUTPUT_PORCELAIN;
		} else if (strcmp(argv[i], "--json") == 0) {
			format = OUTPUT_JSON;
		} else {
			message("berth status: unknown %s \"%s\"; see "
				"berth status --help\n",
				argv[i][0] == '-' ? "option" : "word", argv[i]);
			return -1;
		}
	}
	return format;
}

int command_status(int argc, char *argv[])
{
	const int format = read_format(argc, argv);
	static struct status status;

	if (format == -2)
		return message_usage(usage);
	if (format < 0)
		return EXIT_USAGE;

	const bool is_whole = gather(&status);

	output_open(&status.output, (enum output_format)format, stdout);

	const int result = status_report(&status);

	claims_close(&status.claims);
	published_deinit(&status.published);
	tally_close(&status.tally);
	if (result == 0)
		return is_whole ? EXIT_SUCCESS : EXIT_FAILURE;
	message("berth: cannot write: %s\n", strerror(-result));
	return EXIT_FAILURE;
}
