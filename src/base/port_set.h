/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A set of ports, 0 to 65535, as a bitmap with a rank table.
 *
 * Ports are in host byte order. A set is built by port_set_add(), and
 * port_set_finish() then makes n_ports and the ranks that port_set_select()
 * needs. No function allocates, locks or calls the kernel. A finished set is
 * only read, so that any number of threads, processes and signal handlers may
 * share it. The struct has no pointers and a fixed layout: it may lie in a
 * file.
 */

#include <stdbool.h>
#include <stdint.h>

#define N_PORTS 65536u
#define PORT_WORD_BITS 64u
#define N_PORT_WORDS (N_PORTS / PORT_WORD_BITS)

struct port_set {
	uint64_t words[N_PORT_WORDS]; /* bit (port % 64) of word port / 64 */
	uint32_t n_ports;	      /* valid after port_set_finish() */
	uint16_t ranks[N_PORT_WORDS]; /* members below word i, modulo 65536 */
	uint8_t pad[4];
};

_Static_assert(sizeof(struct port_set) == 8192 + 4 + 2048 + 4,
	       "the layout of a port set is fixed");

/* Adds lo to hi, both included; lo <= hi <= 65535. */
void port_set_add(struct port_set *set, uint32_t lo, uint32_t hi);

/* Removes from the set all members of other. */
void port_set_subtract(struct port_set *set, const struct port_set *other);

/* Adds what is in other too. */
void port_set_unite(struct port_set *set, const struct port_set *other);

/* Adds what is both in a and in b. Returns whether there is anything. */
bool port_set_add_common(struct port_set *set, const struct port_set *a,
			 const struct port_set *b);

/* Whether two sets have a port in common. */
bool port_set_meets(const struct port_set *a, const struct port_set *b);

/*
 * Computes the number of members and their ranks. Call it after the last
 * change.
 */
void port_set_finish(struct port_set *set);

/* The bit of a port in its word. */
static inline uint64_t port_bit(uint32_t port)
{
	return UINT64_C(1) << port % PORT_WORD_BITS;
}

static inline bool port_set_has(const struct port_set *set, uint32_t port)
{
	return set->words[port / PORT_WORD_BITS] >> (port % PORT_WORD_BITS) & 1;
}

/*
 * The member with index members below it; index < n_ports. Bounded: ten steps
 * over the ranks and at most 64 within a word.
 */
uint32_t port_set_select(const struct port_set *set, uint32_t index);

/*
 * The next run of neighbouring members at or after from.
 * Returns false when there is none; else fills *lop and *hip.
 */
bool port_set_next_run(const struct port_set *set, uint32_t from, uint32_t *lop,
		       uint32_t *hip);

/* The first of the longest runs. Returns its number of ports, 0 for none. */
uint32_t port_set_longest_run(const struct port_set *set, uint32_t *lop,
			      uint32_t *hip);

/* The number of members below a port; the inverse of port_set_select(). */
static inline uint32_t port_set_rank(const struct port_set *set, uint32_t port)
{
	const uint32_t word = port / PORT_WORD_BITS;
	const uint64_t below = port_bit(port) - 1;

	return set->ranks[word] +
	       (uint32_t)__builtin_popcountll(set->words[word] & below);
}
