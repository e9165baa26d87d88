/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <string.h>
#include <sys/socket.h>

#include "assign/pick.h"
#include "base/clock.h"
#include "kernel/endpoint.h"
#include "process/process.h"

static struct process process;
static struct environment *const environment = &process.source.environment;

static void take_environment(void)
{
	port_set_finish(&environment->range);
	policy_of_environment(environment, &process.source.policies[0]);
}

static void set_range(uint32_t lo, uint32_t hi)
{
	memset(&environment->range, 0, sizeof(environment->range));
	port_set_add(&environment->range, lo, hi);
	take_environment();
}

/* What a search was begun with. */
static struct policy policy;

static void start(struct port_pick *pick, enum use use,
		  const struct endpoint *remote)
{
	const struct port_wish wish = {
		.protocol = PROTOCOL_TCP,
		.use = use,
		.remote = remote,
		.role = remote != NULL ? ROLE_OF_CONNECT : ROLE_OF_LISTEN,
	};

	process_policy(&process, &policy);
	port_pick_start(pick, &process, &policy, &wish);
}

static void setup(void)
{
	cr_assert_eq(map_open_private(0, &process.map), 0);
	environment->settings[SETTING_ALGORITHM] = ALGORITHM_DEFAULT;
	set_range(40000, 40009);
}

TestSuite(port_pick, .init = setup);

static const struct endpoint remote = {
	.address = { [10] = 0xff, 0xff, 127, 0, 0, 1 },
	.port = 40003,
	.family = AF_INET,
};

static uint32_t counts[N_PORTS];

/* Searches until there is no more; counts how often each port was offered. */
static uint32_t exhaust(enum use use, const struct endpoint *to)
{
	struct port_pick pick;
	struct lease lease;
	uint32_t n = 0;

	start(&pick, use, to);
	while (port_pick_next(&pick, &lease)) {
		counts[lease.port]++;
		n++;
	}
	return n;
}

Test(port_pick, offers_every_port_but_the_destination_s)
{
	cr_expect_eq(exhaust(USE_CONNECT, &remote), 9);
	cr_expect_eq(counts[40003], 0);
	cr_expect_eq(counts[40000], 1);
	cr_expect_eq(counts[40009], 1);
}

/*
 * Edge case 63: behind a reserved stretch of 2000 ports comes one that is as
 * likely as any other. 20,000 draws of 100 ports: the variance of the count of
 * one is 198.
 */
Test(port_pick, the_port_behind_a_reserved_stretch_is_as_likely_as_others)
{
	memset(&environment->range, 0, sizeof(environment->range));
	port_set_add(&environment->range, 40000, 40049);
	port_set_add(&environment->range, 42050, 42099);
	environment->settings[SETTING_ALGORITHM] = ALGORITHM_RANDOM;
	take_environment();
	for (int i = 0; i < 20000; i++) {
		struct port_pick pick;
		struct lease lease;

		start(&pick, USE_WHOLE, NULL);
		cr_assert(port_pick_next(&pick, &lease));
		counts[lease.port]++;
		ledger_release(&process.map, &lease, 0);
	}
	cr_expect_lt(counts[42050], 300);
	cr_expect_gt(counts[42050], 100);
	cr_expect_lt(counts[40000], 300);
	cr_expect_gt(counts[40000], 100);
}

/* Edge case 10. */
Test(port_pick, a_range_of_the_destination_s_port_alone_offers_none)
{
	set_range(40003, 40003);
	cr_expect_eq(exhaust(USE_CONNECT, &remote), 0);
	cr_expect_eq(exhaust(USE_WHOLE, NULL), 1);
}

Test(port_pick, a_rejected_port_is_offered_once_a_pass)
{
	struct port_pick pick;
	struct lease lease;

	start(&pick, USE_WHOLE, NULL);
	while (port_pick_next(&pick, &lease)) {
		counts[lease.port]++;
		port_pick_reject(&pick, &lease);
	}
	for (uint32_t port = 40000; port <= 40009; port++)
		cr_expect_eq(counts[port], 2);
}

/* The search that finds all at rest takes no port that was just given back. */
Test(port_pick, of_resting_ports_the_one_that_rested_longest_is_offered_first)
{
	const uint64_t now_ms = clock_now_ms();
	struct port_pick pick;
	struct lease lease;

	set_range(40000, 40999);
	for (uint16_t port = 40000; port < 41000; port++)
		ledger_rest(&process.map, PROTOCOL_TCP, port, now_ms - 1);
	for (int i = 0; i < 200; i++) {
		/* One in ten is a second older than the rest. */
		for (uint16_t port = 40000; port < 41000; port++)
			ledger_rest(&process.map, PROTOCOL_TCP, port,
				    now_ms - (port / 100 % 10 == i % 10 ? 1000
									: 1));
		start(&pick, USE_WHOLE, NULL);
		cr_assert(port_pick_next(&pick, &lease));
		cr_expect_eq(pick.limit, REST_LONGEST);
		cr_expect_geq(ledger_rested_ms(&process.map, PROTOCOL_TCP,
					       lease.port, now_ms),
			      990);
		port_pick_reject(&pick, &lease);
	}
}

Test(port_pick, a_foreign_port_is_offered_last)
{
	struct port_pick pick;
	struct lease lease, other;

	start(&pick, USE_WHOLE, NULL);
	cr_assert(port_pick_next(&pick, &lease));
	port_pick_reject_foreign(&pick, &lease);
	start(&pick, USE_WHOLE, NULL);
	for (int i = 0; i < 9; i++) {
		cr_assert(port_pick_next(&pick, &other));
		cr_expect_neq(other.port, lease.port);
		cr_expect_eq(pick.limit, REST_NONE);
	}
	cr_assert(port_pick_next(&pick, &other));
	cr_expect_eq(other.port, lease.port);
	cr_expect_neq(pick.limit, REST_NONE);
}

/* RFC 6056: the next search does not try the same taken ports again. */
Test(port_pick, the_counter_moves_behind_the_ports_that_were_taken)
{
	struct port_pick pick;
	struct lease lease;

	environment->settings[SETTING_ALGORITHM] = ALGORITHM_SEQUENTIAL;
	take_environment();
	process.map.memory->choice.next_ephemeral[PROTOCOL_TCP] = 10;
	for (uint16_t port = 40000; port < 40005; port++) {
		const struct lease taken = { .protocol = PROTOCOL_TCP,
					     .use = USE_WHOLE,
					     .port = port };

		cr_assert_eq(ledger_lease(&process.map, &taken), 0);
	}
	start(&pick, USE_WHOLE, NULL);
	cr_assert(port_pick_next(&pick, &lease));
	cr_expect_eq(lease.port, 40005);
	start(&pick, USE_WHOLE, NULL);
	cr_expect_eq(pick.start, 40006);
}

Test(port_pick, both_ends_of_the_whole_port_range_are_offered)
{
	set_range(0, 65535);
	cr_expect_eq(exhaust(USE_WHOLE, NULL), 65536);
	cr_expect_eq(counts[0], 1);
	cr_expect_eq(counts[65535], 1);
}

Test(port_pick, without_a_map_it_offers_none)
{
	map_close(&process.map);
	cr_expect_eq(exhaust(USE_CONNECT, &remote), 0);
}

Test(port_pick, an_empty_range_offers_none)
{
	memset(&environment->range, 0, sizeof(environment->range));
	take_environment();
	cr_expect_eq(exhaust(USE_WHOLE, NULL), 0);
}
