/* SPDX-License-Identifier: MIT */
#include "base/scratch.h"

#include "base/raw.h"

void *scratch_take(size_t size)
{
	return raw_map_private(size);
}

void scratch_put(void *memory, size_t size)
{
	if (memory != NULL)
		raw_unmap(memory, size);
}
