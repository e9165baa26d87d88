/* SPDX-License-Identifier: MIT */
#include "cli/map_sweep.h"

#include <errno.h>
#include <stddef.h>

#include "base/clock.h"
#include "cli/apart.h"
#include "cli/maps.h"
#include "core/arena.h"
#include "core/policy.h"

/* In memory that both processes have. */
struct sweep_work {
	const struct map *map;
	const struct arena_place *place;
	const struct policy *policy;
	sweep_lister list;
	struct map_sweep swept;
};

static void sweep_spaces(const struct arena *arena, struct sweep_work *work)
{
	static const struct port_set none;
	struct map_sweep *swept = &work->swept;

	for (int space = 0; space < N_SPACES; space++) {
		const struct port_set *range = work->policy->dynamic[space];

		swept->errors[space] = sweep_space(
			arena, (enum space)space, range != NULL ? range : &none,
			work->list, clock_now_ms(), &swept->results[space]);
	}
}

static void sweep(void *memory)
{
	struct sweep_work *work = memory;
	struct arena arena;

	work->swept.error = map_open(work->map, work->place, &arena);
	if (work->swept.error < 0)
		return;
	arena_set_rest(&arena, work->policy->rest_ms);
	sweep_spaces(&arena, work);
}

int map_sweep(const struct map *map, const struct arena_place *place,
	      const struct policy *policy, sweep_lister list,
	      struct map_sweep *sweptp)
{
	static struct sweep_work *work;
	int result;

	if (work == NULL)
		work = apart_memory(sizeof(*work));
	if (work == NULL)
		return -ENOMEM;
	*work = (struct sweep_work){ .map = map, .place = place,
				     .policy = policy, .list = list };
	result = apart_run(sweep, work);
	*sweptp = work->swept;
	return result < 0 ? result : sweptp->error;
}
