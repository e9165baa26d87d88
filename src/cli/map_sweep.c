/* SPDX-License-Identifier: MIT */
#include "cli/map_sweep.h"

#include <errno.h>
#include <stddef.h>

#include "base/clock.h"
#include "cli/apart.h"
#include "cli/maps.h"
#include "map/map.h"
#include "policy/policy.h"

/* In memory that both processes have. */
struct sweep_work {
	const struct found_map *found;
	const struct place *place;
	const struct policy *policy;
	sweep_lister list;
	struct found_map_sweep swept;
};

static void sweep_protocols(const struct map *map, struct sweep_work *work)
{
	static const struct port_set none;
	struct found_map_sweep *swept = &work->swept;

	for (int protocol = 0; protocol < N_PROTOCOLS; protocol++) {
		const struct port_set *range = work->policy->dynamic[protocol];

		swept->errors[protocol] = sweep_protocol(
			map, (enum protocol)protocol,
			range != NULL ? range : &none, work->list,
			clock_now_ms(), &swept->results[protocol]);
	}
}

static void sweep(void *memory)
{
	struct sweep_work *work = memory;
	struct map map;

	work->swept.error = found_map_open(work->found, work->place, &map);
	if (work->swept.error < 0)
		return;
	map_set_rest(&map, work->policy->rest_ms);
	sweep_protocols(&map, work);
}

int found_map_sweep(const struct found_map *found, const struct place *place,
	      const struct policy *policy, sweep_lister list,
	      struct found_map_sweep *sweptp)
{
	static struct sweep_work *work;
	int result;

	if (work == NULL)
		work = apart_memory(sizeof(*work));
	if (work == NULL)
		return -ENOMEM;
	*work = (struct sweep_work){ .found = found, .place = place,
				     .policy = policy, .list = list };
	result = apart_run(sweep, work);
	*sweptp = work->swept;
	return result < 0 ? result : sweptp->error;
}
