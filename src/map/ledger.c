/* SPDX-License-Identifier: MIT */
#include "map/ledger.h"

#include <errno.h>

#include "map/map.h"

#define LEASE_UNIT 4u /* one lease in a use word, above the bits of the use */

static const uint16_t first_plane[N_PROTOCOLS] = {
	[PROTOCOL_TCP] = 0,
	[PROTOCOL_UDP] = N_PLANES_TCP,
	[PROTOCOL_UDPLITE] = N_PLANES_TCP + N_PLANES_UDP,
	[PROTOCOL_SCTP] = N_PLANES_TCP + N_PLANES_UDP + N_PLANES_UDPLITE,
};

static const uint16_t n_planes[N_PROTOCOLS] = {
	[PROTOCOL_TCP] = N_PLANES_TCP,
	[PROTOCOL_UDP] = N_PLANES_UDP,
	[PROTOCOL_UDPLITE] = N_PLANES_UDPLITE,
	[PROTOCOL_SCTP] = N_PLANES_SCTP,
};

uint32_t ledger_n_planes(enum protocol protocol)
{
	return n_planes[protocol];
}

uint16_t ledger_plane(enum protocol protocol, uint64_t hash)
{
	/* The low 48 bits choose the port: see choice_flow_hash(). */
	return (uint16_t)((hash >> 48) * n_planes[protocol] >> 16);
}

static struct protocol_memory *protocol_of(const struct map *map,
					   const struct lease *lease)
{
	return &map->memory->protocols[lease->protocol];
}

static atomic_u64 *plane_word(const struct map *map, const struct lease *lease,
			      uint32_t word)
{
	return &map->memory->planes[first_plane[lease->protocol] + lease->plane]
			.words[word];
}

/*
 * Makes the hint of a port agree with its use word, which has just changed to
 * or from use. Another process may change the word meanwhile, so it is read
 * again after each write of the hint, until both agree: the last process to
 * write the hint has then seen the last use. Each further turn is caused by
 * another process's change.
 */
static void follow(struct protocol_memory *protocol, uint16_t port,
		   enum use use)
{
	atomic_u64 *hintp = &protocol->hints[use][port / PORT_WORD_BITS];
	/* Acquire, after this process's own change: either a newer use is seen
	 * here, or the process that made it writes the hint after this one. */
	bool used = ledger_use_of(load_acquire_u16(&protocol->uses[port])) ==
		    use;
	bool was_used;

	do {
		/* Acq_rel: of two writers, the later one reads the use word
		 * after the earlier one's change of it. */
		if (used)
			or_acq_rel_u64(hintp, port_bit(port));
		else
			and_acq_rel_u64(hintp, ~port_bit(port));
		was_used = used;
		used = ledger_use_of(load_acquire_u16(&protocol->uses[port])) ==
		       use;
	} while (used != was_used);
}

/*
 * Adds a lease to the use of a port. Returns 0, or -EADDRINUSE where the port
 * has another use.
 */
static int join(struct protocol_memory *protocol, const struct lease *lease)
{
	atomic_u16 *usep = &protocol->uses[lease->port];
	/* Relaxed: the compare-and-swap below decides. */
	uint16_t now = load_relaxed_u16(usep);
	uint16_t next;

	do {
		const enum use use = ledger_use_of(now);

		if (use == USE_FREE)
			next = (uint16_t)(LEASE_UNIT + lease->use);
		else if (use == lease->use && use != USE_WHOLE &&
			 now <= UINT16_MAX - LEASE_UNIT)
			next = (uint16_t)(now + LEASE_UNIT);
		else
			return -EADDRINUSE;
		/* Acq_rel: the last holder's use of the port has ended before
		 * this lease begins; the lease is in the map before its holder
		 * calls bind() or connect(). */
	} while (!swap_if_acq_rel_u16(usep, &now, next));

	if (ledger_use_of(now) == USE_FREE)
		follow(protocol, lease->port, lease->use);
	return 0;
}

static void leave(struct protocol_memory *protocol, const struct lease *lease)
{
	atomic_u16 *usep = &protocol->uses[lease->port];
	/* Relaxed: the compare-and-swap below decides. */
	uint16_t now = load_relaxed_u16(usep);
	uint16_t next;

	do {
		if (ledger_use_of(now) != lease->use)
			return;
		next = now < 2 * LEASE_UNIT ? USE_FREE
					    : (uint16_t)(now - LEASE_UNIT);
		/* Acq_rel: this use has ended before the next one begins. */
	} while (!swap_if_acq_rel_u16(usep, &now, next));

	if (next == USE_FREE)
		follow(protocol, lease->port, lease->use);
}

int ledger_lease(const struct map *map, const struct lease *lease)
{
	struct protocol_memory *protocol = protocol_of(map, lease);
	const uint64_t bit = port_bit(lease->port);

	if (lease->use == USE_WHOLE)
		return join(protocol, lease);

	atomic_u64 *planep = plane_word(map, lease,
					lease->port / PORT_WORD_BITS);

	/* Acq_rel: whoever finds the bit set finds it before this connect(),
	 * and this one finds the last holder's connection closed. */
	if ((or_acq_rel_u64(planep, bit) & bit) != 0)
		return -EADDRINUSE;

	const int result = join(protocol, lease);

	if (result < 0)
		/* Acq_rel: pairs with the or above, for the next process that
		 * tries the port. */
		and_acq_rel_u64(planep, ~bit);
	return result;
}

void ledger_release(const struct map *map, const struct lease *lease,
		    uint64_t rest_now_ms)
{
	struct protocol_memory *protocol = protocol_of(map, lease);
	const uint64_t bit = port_bit(lease->port);

	/* The port rests before it is free, so that no search finds it free and
	 * not resting. */
	if (rest_now_ms != 0)
		ledger_rest(map, lease->protocol, lease->port, rest_now_ms);

	if (lease->use != USE_WHOLE) {
		atomic_u64 *planep = plane_word(map, lease,
						lease->port / PORT_WORD_BITS);

		/* Acq_rel: this connection has ended before another one begins;
		 * and only the process that clears the bit may end the use. */
		if ((and_acq_rel_u64(planep, ~bit) & bit) == 0)
			return;
	}
	if (lease->use != USE_FREE)
		leave(protocol, lease);
}

static uint32_t epoch_of(const struct map *map, uint64_t now_ms)
{
	/* Relaxed: a number by itself, see map_set_rest(). */
	return (uint32_t)(now_ms / load_relaxed_u32(&map->rest_ms));
}

/*
 * The time at which a port began to rest is kept in units of 2^shift ms: the
 * shortest unit of which twice the rest time has fewer than 2^15, 4 ms for a
 * minute. Where processes have different rest times, only the order among the
 * ports suffers.
 */
static uint32_t rested_shift(const struct map *map)
{
	/* Relaxed: as in epoch_of(). */
	const uint32_t most_ms = 2 * load_relaxed_u32(&map->rest_ms);

	return most_ms >> 15 == 0 ? 0 : 17 - (uint32_t)__builtin_clz(most_ms);
}

void ledger_rest(const struct map *map, enum protocol protocol, uint16_t port,
		 uint64_t now_ms)
{
	const uint32_t epoch = epoch_of(map, now_ms);
	struct protocol_memory *memory = &map->memory->protocols[protocol];
	atomic_u64 *wordp = &memory->rest[epoch & 1][port / REST_WORD_BITS];
	const uint64_t bit = UINT64_C(1) << port % REST_WORD_BITS;
	/* Relaxed: the compare-and-swap below decides. */
	uint64_t now = load_relaxed_u64(wordp);
	uint64_t next;

	/* Relaxed: before the bit, whose release orders it. */
	store_relaxed_u16(&memory->rested_at[port],
			  (uint16_t)(now_ms >> rested_shift(map)));
	do {
		/* A process may read the clock and be stopped until two epochs
		 * later. The word then belongs to the later epoch (ahead == 2),
		 * which it keeps: the port rests as long as the ports of that
		 * epoch. */
		const uint32_t ahead = (uint32_t)(now >> 32) - epoch;

		next = ahead == 0 || ahead == 2 ? now | bit
						: (uint64_t)epoch << 32 | bit;
		/* Acq_rel: the port rests before its lease ends, for the next
		 * search. */
	} while (!swap_if_acq_rel_u64(wordp, &now, next));
}

/*
 * The ports of a word of 64 that were released in an epoch, as a mask. A word
 * of two epochs later counts too: the caller may have read the clock before
 * that epoch began.
 */
static uint64_t resting_since(const struct protocol_memory *protocol,
			      uint32_t epoch, uint32_t word)
{
	uint64_t mask = 0;

	for (uint32_t half = 0; half < 2; half++) {
		/* Relaxed: a hint; the attempt to lease the port decides. */
		const uint64_t value = load_relaxed_u64(
			&protocol->rest[epoch & 1][2 * word + half]);

		const uint32_t ahead = (uint32_t)(value >> 32) - epoch;

		if (ahead == 0 || ahead == 2)
			mask |= (value & UINT32_MAX) << half * REST_WORD_BITS;
	}
	return mask;
}

static uint64_t resting(const struct protocol_memory *protocol, uint32_t epoch,
			uint32_t word)
{
	return resting_since(protocol, epoch, word) |
	       resting_since(protocol, epoch - 1, word);
}

/*
 * The ports of a word that have a use which excludes the wanted one, as a mask.
 */
static uint64_t shut_out(const struct map *map, const struct lease *wanted,
			 uint32_t word)
{
	const struct protocol_memory *protocol = protocol_of(map, wanted);
	uint64_t mask = 0;

	/* Relaxed throughout: these are hints, ledger_lease() decides. */
	for (uint32_t use = USE_WHOLE; use < N_USES; use++)
		if (use != wanted->use || use == USE_WHOLE)
			mask |= load_relaxed_u64(&protocol->hints[use][word]);
	if (wanted->use != USE_WHOLE)
		mask |= load_relaxed_u64(plane_word(map, wanted, word));
	return mask;
}

int ledger_find(const struct map *map, const struct lease *wanted,
		const struct port_set *range, uint32_t from, bool rests,
		uint64_t now_ms)
{
	const struct protocol_memory *protocol = protocol_of(map, wanted);
	const uint32_t epoch = epoch_of(map, now_ms);
	const uint32_t first = from / PORT_WORD_BITS;
	uint64_t within = UINT64_MAX << from % PORT_WORD_BITS;

	/* Once around, and then the ports below from in its word. */
	for (uint32_t step = 0; step <= N_PORT_WORDS; step++) {
		const uint32_t word = (first + step) % N_PORT_WORDS;
		uint64_t open = range->words[word] & within;

		if (open != 0)
			open &= ~shut_out(map, wanted, word);
		if (open != 0 && !rests)
			open &= ~resting(protocol, epoch, word);
		if (open != 0)
			return (int)(word * PORT_WORD_BITS) +
			       __builtin_ctzll(open);
		within = UINT64_MAX;
	}
	return -1;
}

bool ledger_rests(const struct map *map, enum protocol protocol, uint16_t port,
		  uint64_t now_ms)
{
	const uint64_t mask = resting(&map->memory->protocols[protocol],
				      epoch_of(map, now_ms),
				      port / PORT_WORD_BITS);

	return (mask & port_bit(port)) != 0;
}

uint32_t ledger_rested_ms(const struct map *map, enum protocol protocol,
			  uint16_t port, uint64_t now_ms)
{
	const uint32_t shift = rested_shift(map);
	/* Relaxed: only for the order among ports. */
	const uint16_t rested_at = load_relaxed_u16(
		&map->memory->protocols[protocol].rested_at[port]);
	const uint16_t age = (uint16_t)((now_ms >> shift) - rested_at);

	/* The port was released after the caller had read the clock. */
	return age > INT16_MAX ? 0 : (uint32_t)age << shift;
}

bool ledger_is_open(const struct map *map, const struct lease *wanted)
{
	return (shut_out(map, wanted, wanted->port / PORT_WORD_BITS) &
		port_bit(wanted->port)) == 0;
}

uint32_t ledger_use_word(const struct map *map, enum protocol protocol,
			 uint16_t port)
{
	/* Acquire: the lease is seen before the kernel's table is asked. */
	return load_acquire_u16(&map->memory->protocols[protocol].uses[port]);
}

uint64_t ledger_plane_bits(const struct map *map, enum protocol protocol,
			   uint32_t plane, uint32_t word)
{
	/* Acquire: as above. */
	return load_acquire_u64(
		&map->memory->planes[first_plane[protocol] + plane].words[word]);
}

void ledger_settle(const struct map *map, enum protocol protocol, uint16_t port,
		   uint32_t use_word, uint32_t n_leases)
{
	struct protocol_memory *memory = &map->memory->protocols[protocol];
	const enum use use = ledger_use_of(use_word);
	const uint16_t next = n_leases == 0
				      ? USE_FREE
				      : (uint16_t)(n_leases * LEASE_UNIT + use);
	uint16_t now = (uint16_t)use_word;

	if (next == now)
		return;
	/* Acq_rel: as in leave(). A later change of the word stays. */
	if (swap_if_acq_rel_u16(&memory->uses[port], &now, next) &&
	    next == USE_FREE)
		follow(memory, port, use);
}

void ledger_mend_hints(const struct map *map, enum protocol protocol,
		       uint32_t word)
{
	struct protocol_memory *memory = &map->memory->protocols[protocol];
	uint64_t wanted[N_USES] = { 0 };

	for (uint32_t i = 0; i < PORT_WORD_BITS; i++) {
		const uint32_t port = word * PORT_WORD_BITS + i;

		/* Relaxed: follow() looks again. */
		wanted[ledger_use_of(load_relaxed_u16(&memory->uses[port]))] |=
			port_bit(port);
	}
	for (uint32_t use = USE_WHOLE; use < N_USES; use++) {
		/* Relaxed: as above. */
		uint64_t wrong = wanted[use] ^
				 load_relaxed_u64(&memory->hints[use][word]);

		for (; wrong != 0; wrong &= wrong - 1)
			follow(memory,
			       (uint16_t)(word * PORT_WORD_BITS +
					  (uint32_t)__builtin_ctzll(wrong)),
			       (enum use)use);
	}
}

enum use ledger_use(const struct map *map, enum protocol protocol,
		    uint16_t port, uint64_t now_ms, uint32_t *n_leasesp,
		    bool *restsp)
{
	const struct protocol_memory *memory =
		&map->memory->protocols[protocol];
	/* Relaxed: for a report, nothing is decided on it. */
	const uint32_t value = load_relaxed_u16(&memory->uses[port]);

	*n_leasesp = value / LEASE_UNIT;
	*restsp = ledger_rests(map, protocol, port, now_ms);
	return ledger_use_of(value);
}
