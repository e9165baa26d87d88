/* SPDX-License-Identifier: MIT */
#include "cli/report/tally.h"

#include <fcntl.h>
#include <string.h>

#include "map/ledger.h"
#include "map/map.h"
#include "map/place.h"

struct tallying {
	struct tally *tally;
	const struct place *place;
	uint32_t rest_ms;
	uint64_t now_ms;
};

/* Orders the uses: a higher one leaves less of the port to others. */
static unsigned int rank(enum use use)
{
	static const unsigned int ranks[N_USES] = {
		[USE_FREE] = 0,
		[USE_CONNECT] = 1,
		[USE_BOUND] = 2,
		[USE_WHOLE] = 3,
	};

	return ranks[use];
}

static void add_port(const struct tallying *tallying, const struct map *map,
		     enum protocol protocol, uint16_t port)
{
	struct port_tally *sum = &tallying->tally->ports[protocol][port];
	uint32_t n_leases;
	bool rests;
	const enum use use = ledger_use(map, protocol, port, tallying->now_ms,
					&n_leases, &rests);

	sum->n_leases += n_leases;
	sum->rests |= rests;
	if (rank(use) > rank(sum->use))
		sum->use = (uint8_t)use;
}

static void add_contents(const struct tallying *tallying, const struct map *map)
{
	struct tally *tally = tallying->tally;

	for (int i = 0; i < N_COUNTERS; i++)
		/* Relaxed: this process's own copy. */
		tally->counters[i] +=
			load_relaxed_u64(&map->memory->counter.counters[i]);
	for (int protocol = 0; protocol < N_PROTOCOLS; protocol++)
		for (uint32_t port = 0; port < N_PORTS; port++)
			add_port(tallying, map, protocol, (uint16_t)port);
}

static void add_map(struct tally_maps *maps, const struct found_map *found,
		    int error)
{
	const char *path = memory_copy(&maps->memory, found->path,
				       strlen(found->path));

	*memory_add(&maps->memory, &maps->items, &maps->n_items) =
		(struct tally_map){ path, found->uid, error };
}

static void visit(const struct found_map *found, void *context)
{
	struct tallying *tallying = context;
	struct map copy;
	int error = found->error;

	if (error == 0)
		error = found_map_copy(found, tallying->place, 0,
				       sizeof(struct map_memory), &copy);
	add_map(&tallying->tally->maps, found, error);
	if (error < 0) {
		maps_missed_add(&tallying->tally->missed, found, error);
		return;
	}
	map_set_rest(&copy, tallying->rest_ms);
	add_contents(tallying, &copy);
	tallying->tally->n_read++;
	map_close(&copy);
}

int tally_open(const struct place *place, uint32_t rest_ms, uint64_t now_ms,
	       struct tally *tally)
{
	struct tallying tallying = { .tally = tally,
				     .place = place,
				     .rest_ms = rest_ms,
				     .now_ms = now_ms };

	memset(tally, 0, sizeof(*tally));
	return found_maps_visit(place, O_RDONLY, visit, &tallying);
}

void tally_close(struct tally *tally)
{
	memory_free(&tally->maps.memory);
	tally->maps = (struct tally_maps){ 0 };
}
