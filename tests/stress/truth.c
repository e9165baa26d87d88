/* SPDX-License-Identifier: MIT */
#include "truth.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "map/choice.h"
#include "map/layout.h"
#include "map/map.h"
#include "stepper.h"

#define N_WORDS (TRUTH_N_PORTS / PORT_WORD_BITS)

/* The use in bits 0 and 1; from bit 2 on the indices that have a socket; from
 * bit 16 on those of them that are not connected yet. */
#define INDEX_BIT(index) (UINT32_C(4) << (index))
#define INDEX_BITS UINT32_C(0xfffc)
#define UNCONNECTED_BIT(index) (UINT32_C(0x10000) << (index))
#define USE_OF(word) ((enum use)((word)&3))

static const struct map *map;
static atomic_u32 *sockets; /* by port, shared */
static struct endpoint ends[N_USES][TRUTH_N_INDICES];
static uint16_t planes[N_USES][TRUTH_N_INDICES];
static uint64_t expected[N_PLANES_TCP][N_WORDS];

static struct endpoint ipv4(uint8_t third, uint8_t last, uint16_t port)
{
	return (struct endpoint){
		.address = { [10] = 0xff, 0xff, 127, 0, third, last },
		.port = port,
		.family = AF_INET,
	};
}

static uint16_t plane_of(const struct endpoint *local,
			 const struct endpoint *remote)
{
	return ledger_plane(PROTOCOL_TCP,
			    choice_flow_hash(&map->memory->header.key, local,
					     remote));
}

/*
 * Addresses of which each has a plane to itself, and a connection the planes of
 * its local address too: a sweep looks at these, since it cannot know whether
 * the program has bound it.
 */
static void choose_end(enum use use, unsigned int index)
{
	static bool is_taken[N_PLANES_TCP];
	const struct endpoint local = ipv4(0, 1, 0);

	is_taken[plane_of(&local, NULL)] = true;
	for (uint8_t last = 1; last != 0; last++) {
		const bool bound = use == USE_BOUND;
		const struct endpoint end = bound ? ipv4(1, last, 0)
						  : ipv4(2, last, 80);
		const uint16_t plane = bound ? plane_of(&end, NULL)
					     : plane_of(NULL, &end);
		const uint16_t other = bound ? plane : plane_of(&local, &end);

		if (is_taken[plane] || is_taken[other])
			continue;
		is_taken[plane] = is_taken[other] = true;
		planes[use][index] = plane;
		ends[use][index] = end;
		return;
	}
	exit(99);
}

void truth_set_up(const struct map *shared, struct port_set *range)
{
	map = shared;
	/* The same planes in every run. */
	map->memory->header.key = (struct siphash_key){ 1, 2 };
	sockets = stepper_share(TRUTH_N_PORTS * sizeof(*sockets));
	for (unsigned int i = 0; i < TRUTH_N_INDICES; i++) {
		choose_end(USE_BOUND, i);
		choose_end(USE_CONNECT, i);
	}
	port_set_add(range, TRUTH_LO, TRUTH_LO + TRUTH_N_PORTS - 1);
	port_set_finish(range);
}

struct lease truth_lease(const struct claim *claim)
{
	return (struct lease){
		.protocol = PROTOCOL_TCP,
		.use = claim->use,
		.port = claim->port,
		.plane = claim->use == USE_WHOLE
				 ? 0
				 : planes[claim->use][claim->index],
	};
}

bool truth_take(const struct claim *claim)
{
	atomic_u32 *wordp = &sockets[claim->port - TRUTH_LO];
	const uint32_t bit = INDEX_BIT(claim->index);
	uint32_t now = load_acquire_u32(wordp);

	do {
		if (now != 0 && (USE_OF(now) != claim->use ||
				 claim->use == USE_WHOLE || (now & bit) != 0))
			return false;
	} while (!swap_if_acq_rel_u32(wordp, &now, now | claim->use | bit));
	return true;
}

void truth_unconnect(const struct claim *claim)
{
	atomic_u32 *wordp = &sockets[claim->port - TRUTH_LO];

	or_relaxed_u32(wordp, UNCONNECTED_BIT(claim->index));
}

void truth_drop(const struct claim *claim)
{
	atomic_u32 *wordp = &sockets[claim->port - TRUTH_LO];
	uint32_t now = load_acquire_u32(wordp);
	uint32_t next;

	do {
		next = now & ~INDEX_BIT(claim->index) &
		       ~UNCONNECTED_BIT(claim->index);
		if ((next & INDEX_BITS) == 0)
			next = 0;
	} while (!swap_if_acq_rel_u32(wordp, &now, next));
}

bool truth_has(const struct claim *claim)
{
	const uint32_t word =
		load_acquire_u32(&sockets[claim->port - TRUTH_LO]);

	return USE_OF(word) == claim->use &&
	       (word & INDEX_BIT(claim->index)) != 0;
}

static bool is_unconnected(const struct claim *claim)
{
	return (load_acquire_u32(&sockets[claim->port - TRUTH_LO]) &
		UNCONNECTED_BIT(claim->index)) != 0;
}

static struct kernel_socket socket_of(const struct claim *claim)
{
	struct kernel_socket socket = {
		.protocol = PROTOCOL_TCP,
		.state = TCP_CLOSE,
		.local = ipv4(0, 1, claim->port),
		.remote = { .family = AF_INET },
	};

	if (claim->use == USE_BOUND) {
		memcpy(socket.local.address,
		       ends[USE_BOUND][claim->index].address, 16);
	} else if (claim->use == USE_WHOLE || is_unconnected(claim)) {
		memset(socket.local.address + 12, 0, 4);
	} else {
		socket.state = TCP_ESTABLISHED;
		socket.remote = ends[USE_CONNECT][claim->index];
	}
	if (claim->use == USE_WHOLE)
		socket.state = TCP_LISTEN;
	return socket;
}

/* Calls visit for the claims of every socket. */
static void each(void (*visit)(const struct claim *claim, void *context),
		 void *context)
{
	for (uint32_t i = 0; i < TRUTH_N_PORTS; i++) {
		const uint32_t word = load_acquire_u32(&sockets[i]);

		for (unsigned int at = 0; at < TRUTH_N_INDICES; at++) {
			const struct claim claim = {
				.use = USE_OF(word),
				.index = at,
				.port = (uint16_t)(TRUTH_LO + i),
			};

			if ((word & INDEX_BIT(at)) != 0)
				visit(&claim, context);
		}
	}
}

struct listing {
	kernel_socket_visit visit;
	void *context;
};

static void list_one(const struct claim *claim, void *context)
{
	const struct listing *listing = context;
	const struct kernel_socket socket = socket_of(claim);

	listing->visit(&socket, listing->context);
}

int truth_list(enum protocol protocol, uint16_t port, kernel_socket_visit visit,
	       void *context)
{
	struct listing listing = { visit, context };

	(void)port;
	if (protocol == PROTOCOL_TCP)
		each(list_one, &listing);
	return 0;
}

/* --- the comparison ------------------------------------------------------- */

static void expect_one(const struct claim *claim, void *context)
{
	const uint32_t at = claim->port - TRUTH_LO;

	(void)context;
	if (claim->use != USE_WHOLE)
		expected[planes[claim->use][claim->index]][at / PORT_WORD_BITS] |=
			UINT64_C(1) << at % PORT_WORD_BITS;
}

static uint32_t expected_use(uint32_t port)
{
	const uint32_t at = port - TRUTH_LO;
	const uint32_t word = at < TRUTH_N_PORTS
				      ? load_acquire_u32(&sockets[at])
				      : 0;

	return word == 0 ? 0
			 : (uint32_t)__builtin_popcount(word & INDEX_BITS) * 4 +
				   USE_OF(word);
}

static bool uses_agree(void)
{
	bool agree = true;

	for (uint32_t port = 0; port < N_PORTS; port++) {
		const uint32_t use = ledger_use_word(map, PROTOCOL_TCP,
						     (uint16_t)port);

		if (use == expected_use(port))
			continue;
		printf("# port %u has use word %u instead of %u\n", port, use,
		       expected_use(port));
		agree = false;
	}
	return agree;
}

static bool planes_agree(void)
{
	const uint32_t first = TRUTH_LO / PORT_WORD_BITS;
	bool agree = true;

	memset(expected, 0, sizeof(expected));
	each(expect_one, NULL);
	for (uint32_t plane = 0; plane < N_PLANES_TCP; plane++)
		for (uint32_t word = 0; word < N_PORT_WORDS; word++) {
			const uint64_t bits = ledger_plane_bits(
				map, PROTOCOL_TCP, plane, word);
			const uint64_t wanted =
				word - first < N_WORDS
					? expected[plane][word - first]
					: 0;

			if (bits == wanted)
				continue;
			printf("# plane %u, ports from %u: %#llx instead of "
			       "%#llx\n",
			       plane, word * PORT_WORD_BITS,
			       (unsigned long long)bits,
			       (unsigned long long)wanted);
			agree = false;
		}
	return agree;
}

/* Hints against what they hint at, whatever that is. */
static bool hints_agree(void)
{
	const struct protocol_memory *protocol =
		&map->memory->protocols[PROTOCOL_TCP];
	bool agree = true;

	for (uint32_t port = 0; port < N_PORTS; port++) {
		const uint32_t is = ledger_use_of(
			ledger_use_word(map, PROTOCOL_TCP, (uint16_t)port));

		for (uint32_t use = USE_WHOLE; use < N_USES; use++) {
			const uint64_t word = load_acquire_u64(
				&protocol->hints[use][port / PORT_WORD_BITS]);

			if ((word >> port % PORT_WORD_BITS & 1) == (is == use))
				continue;
			printf("# port %u has use %u, and its hint of use %u "
			       "is wrong\n",
			       port, is, use);
			agree = false;
		}
	}
	return agree;
}

bool truth_agrees(void)
{
	const bool uses = uses_agree();
	const bool on_planes = planes_agree();

	return hints_agree() && on_planes && uses;
}

/* --- the ports of the tests alone ----------------------------------------- */

static void mix(uint64_t *sump, uint64_t value)
{
	/* As in FNV-1a, a word at a time, and the high bits brought down. */
	*sump = (*sump ^ value) * UINT64_C(0x100000001b3);
	*sump ^= *sump >> 29;
}

uint64_t truth_fingerprint(void)
{
	const uint32_t first = TRUTH_LO / PORT_WORD_BITS;
	const struct map_memory *memory = map->memory;
	const struct protocol_memory *protocol =
		&memory->protocols[PROTOCOL_TCP];
	uint64_t sum = UINT64_C(0xcbf29ce484222325);

	for (uint32_t word = first; word < first + N_WORDS; word++) {
		for (int use = USE_WHOLE; use < N_USES; use++)
			mix(&sum,
			    load_acquire_u64(&protocol->hints[use][word]));
		for (uint32_t plane = 0; plane < N_PLANES_TCP; plane++)
			mix(&sum, load_acquire_u64(
					  &memory->planes[plane].words[word]));
	}
	for (uint32_t i = 0; i < TRUTH_N_PORTS; i++) {
		mix(&sum, load_acquire_u16(&protocol->uses[TRUTH_LO + i]));
		mix(&sum, load_acquire_u32(&sockets[i]));
	}
	return sum;
}

void truth_reset(void)
{
	const uint32_t first = TRUTH_LO / PORT_WORD_BITS;
	struct map_memory *memory = map->memory;
	struct protocol_memory *protocol = &memory->protocols[PROTOCOL_TCP];

	for (uint32_t word = first; word < first + N_WORDS; word++) {
		for (int use = USE_FREE; use < N_USES; use++)
			store_release_u64(&protocol->hints[use][word], 0);
		for (uint32_t plane = 0; plane < N_PLANES_TCP; plane++)
			store_release_u64(&memory->planes[plane].words[word],
					  0);
	}
	for (uint32_t i = 0; i < TRUTH_N_PORTS; i++) {
		store_relaxed_u16(&protocol->uses[TRUTH_LO + i], 0);
		store_release_u32(&sockets[i], 0);
	}
}
