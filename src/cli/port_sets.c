/* SPDX-License-Identifier: MIT */
#include "cli/port_sets.h"

bool port_sets_meet(const struct port_set *a, const struct port_set *b)
{
	for (uint32_t i = 0; i < N_PORT_WORDS; i++)
		if ((a->words[i] & b->words[i]) != 0)
			return true;
	return false;
}

void port_sets_add(struct port_set *set, const struct port_set *other)
{
	for (uint32_t i = 0; i < N_PORT_WORDS; i++)
		set->words[i] |= other->words[i];
}

bool port_sets_add_common(struct port_set *set, const struct port_set *a,
			  const struct port_set *b)
{
	uint64_t any = 0;

	for (uint32_t i = 0; i < N_PORT_WORDS; i++) {
		const uint64_t common = a->words[i] & b->words[i];

		set->words[i] |= common;
		any |= common;
	}
	return any != 0;
}
