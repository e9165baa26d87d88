/* SPDX-License-Identifier: MIT */
#include "cli/tally_maps.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int tally_maps_add(struct tally_maps *maps, const char *path, uint32_t uid,
		   int error)
{
	struct tally_map *items = reallocarray(maps->items, maps->n_items + 1,
					       sizeof(*items));
	char *copy;

	if (items == NULL)
		return -ENOMEM;
	maps->items = items;
	copy = strdup(path);
	if (copy == NULL)
		return -ENOMEM;
	items[maps->n_items++] = (struct tally_map){
		.path = copy, .uid = uid, .error = error
	};
	return 0;
}

void tally_maps_deinit(struct tally_maps *maps)
{
	for (size_t i = 0; i < maps->n_items; i++)
		free(maps->items[i].path);
	free(maps->items);
	*maps = (struct tally_maps){ 0 };
}
