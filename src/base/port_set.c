/* SPDX-License-Identifier: MIT */
#include "base/port_set.h"

void port_set_add(struct port_set *set, uint32_t lo, uint32_t hi)
{
	uint32_t first = lo / PORT_WORD_BITS, last = hi / PORT_WORD_BITS;
	uint64_t from_lo = ~UINT64_C(0) << (lo % PORT_WORD_BITS);
	uint64_t to_hi = ~UINT64_C(0) >>
			 (PORT_WORD_BITS - 1 - hi % PORT_WORD_BITS);

	for (uint32_t i = first; i <= last; i++)
		set->words[i] |= (i == first ? from_lo : ~UINT64_C(0)) &
				 (i == last ? to_hi : ~UINT64_C(0));
}

void port_set_subtract(struct port_set *set, const struct port_set *other)
{
	for (uint32_t i = 0; i < N_PORT_WORDS; i++)
		set->words[i] &= ~other->words[i];
}

void port_set_unite(struct port_set *set, const struct port_set *other)
{
	for (uint32_t i = 0; i < N_PORT_WORDS; i++)
		set->words[i] |= other->words[i];
}

bool port_set_add_common(struct port_set *set, const struct port_set *a,
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

bool port_set_meets(const struct port_set *a, const struct port_set *b)
{
	for (uint32_t i = 0; i < N_PORT_WORDS; i++)
		if ((a->words[i] & b->words[i]) != 0)
			return true;
	return false;
}

void port_set_finish(struct port_set *set)
{
	uint32_t n_ports = 0;

	for (uint32_t i = 0; i < N_PORT_WORDS; i++) {
		/* At most 65,472 here, so nothing is lost. For an empty set,
		 * and most are empty, no page is written. */
		if (set->ranks[i] != n_ports)
			set->ranks[i] = (uint16_t)n_ports;
		n_ports += (uint32_t)__builtin_popcountll(set->words[i]);
	}
	if (set->n_ports != n_ports)
		set->n_ports = n_ports;
}

uint32_t port_set_select(const struct port_set *set, uint32_t index)
{
	uint32_t i = 0;

	/* The last word with a rank of at most index has the member: an empty
	 * word has the same rank as the word behind it. */
	for (uint32_t step = N_PORT_WORDS / 2; step; step /= 2)
		if (set->ranks[i + step] <= index)
			i += step;

	uint64_t word = set->words[i];

	/* Where another process writes to the set, the word may have too few
	 * bits. */
	for (uint32_t n = index - set->ranks[i]; n && word; n--)
		word &= word - 1;
	return i * PORT_WORD_BITS +
	       (word ? (uint32_t)__builtin_ctzll(word) : 0);
}

/* The first port at or after from whose bit, xored with flip, is 1. */
static uint32_t next_bit(const struct port_set *set, uint32_t from,
			 uint64_t flip)
{
	uint32_t i = from / PORT_WORD_BITS;
	uint64_t mask = ~UINT64_C(0) << (from % PORT_WORD_BITS);

	for (; i < N_PORT_WORDS; i++, mask = ~UINT64_C(0)) {
		uint64_t word = (set->words[i] ^ flip) & mask;

		if (word)
			return i * PORT_WORD_BITS +
			       (uint32_t)__builtin_ctzll(word);
	}
	return N_PORTS;
}

bool port_set_next_run(const struct port_set *set, uint32_t from, uint32_t *lop,
		       uint32_t *hip)
{
	uint32_t lo = next_bit(set, from, 0);

	if (lo == N_PORTS)
		return false;
	*lop = lo;
	*hip = next_bit(set, lo, ~UINT64_C(0)) - 1;
	return true;
}

uint32_t port_set_longest_run(const struct port_set *set, uint32_t *lop,
			      uint32_t *hip)
{
	uint32_t n_longest = 0, lo, hi;

	for (uint32_t from = 0;
	     from < N_PORTS && port_set_next_run(set, from, &lo, &hi);
	     from = hi + 1) {
		if (hi - lo + 1 <= n_longest)
			continue;
		n_longest = hi - lo + 1;
		*lop = lo;
		*hip = hi;
	}
	return n_longest;
}
