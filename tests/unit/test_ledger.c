/* SPDX-License-Identifier: MIT */
#include "map_here.h"

#define T REST_MS_DEFAULT

TestSuite(ledger, .init = open_map_here);

static void give(enum use use, uint16_t port, uint16_t plane, uint64_t now_ms)
{
	const struct lease held = lease(use, port, plane);

	ledger_release(&map, &held, now_ms);
}

/* A whole port is shared with nobody, a bound one with other local addresses
 * only, a connected one with other destinations only. */
Test(ledger, a_port_is_shared_by_like_uses_of_other_planes)
{
	static const enum use uses[] = { USE_WHOLE, USE_BOUND, USE_CONNECT };

	for (int held = 0; held < 3; held++)
		for (int wanted = 0; wanted < 3; wanted++)
			for (uint16_t plane = 1; plane < 3; plane++) {
				const enum use use = uses[wanted];
				const uint16_t on = use == USE_WHOLE ? 0
								     : plane;
				const bool shares = held == wanted &&
						    held > 0 && on == 2;

				open_map_here();
				cr_assert_eq(take(uses[held], 40000, held > 0),
					     0);
				cr_expect_eq(find(use, on, 40000, true, 1),
					     shares ? 40000 : 40001);
				cr_expect_eq(take(use, 40000, on),
					     shares ? 0 : -EADDRINUSE);
				close_map_here();
			}
}

Test(ledger, a_refused_lease_leaves_its_plane_as_it_was)
{
	cr_assert_eq(take(USE_WHOLE, 40000, 0), 0);
	cr_assert_eq(take(USE_CONNECT, 40000, 7), -EADDRINUSE);
	give(USE_WHOLE, 40000, 0, 0);
	cr_expect_eq(take(USE_CONNECT, 40000, 7), 0);
}

Test(ledger, the_last_release_of_a_shared_port_frees_it)
{
	cr_assert_eq(take(USE_CONNECT, 40000, 1), 0);
	cr_assert_eq(take(USE_CONNECT, 40000, 2), 0);
	give(USE_CONNECT, 40000, 1, 0);
	cr_expect_eq(take(USE_WHOLE, 40000, 0), -EADDRINUSE);
	give(USE_CONNECT, 40000, 2, 0);
	cr_expect_eq(find(USE_WHOLE, 0, 40000, false, 1), 40000);
	cr_expect_eq(take(USE_WHOLE, 40000, 0), 0);
}

Test(ledger, a_release_of_what_is_not_leased_changes_nothing)
{
	cr_assert_eq(take(USE_CONNECT, 40000, 1), 0);
	give(USE_CONNECT, 40000, 2, 0);
	give(USE_WHOLE, 40000, 0, 0);
	give(USE_BOUND, 40001, 3, 0);
	cr_expect_eq(take(USE_WHOLE, 40000, 0), -EADDRINUSE);
	cr_expect_eq(take(USE_WHOLE, 40001, 0), 0);
}

Test(ledger, protocols_are_apart)
{
	struct lease udp = lease(USE_WHOLE, 40000, 0);

	udp.protocol = PROTOCOL_UDP;
	cr_assert_eq(take(USE_WHOLE, 40000, 0), 0);
	cr_expect_eq(ledger_lease(&map, &udp), 0);
}

Test(ledger, the_last_plane_of_each_protocol_is_its_own)
{
	for (int protocol = 0; protocol < N_PROTOCOLS; protocol++) {
		struct lease last = lease(USE_CONNECT, 65535, 0);

		last.protocol = (enum protocol)protocol;
		last.plane = (uint16_t)(ledger_n_planes(last.protocol) - 1);
		cr_expect_eq(ledger_lease(&map, &last), 0);
		cr_expect_eq(ledger_plane(last.protocol, UINT64_MAX),
			     last.plane);
		cr_expect_eq(ledger_plane(last.protocol, 0), 0);
	}
}

/* Edge case 11. */
Test(ledger, a_search_goes_around_and_takes_the_first_and_the_last_port)
{
	cr_expect_eq(find(USE_CONNECT, 1, 40999, false, 1), 40999);
	cr_assert_eq(take(USE_CONNECT, 40999, 1), 0);
	cr_expect_eq(find(USE_CONNECT, 1, 40999, false, 1), 40000);
	cr_expect_eq(find(USE_CONNECT, 1, 65535, false, 1), 40000);
	cr_expect_eq(find(USE_CONNECT, 1, 0, false, 1), 40000);
}

/* Edge case 10. */
Test(ledger, a_search_from_behind_the_only_port_finds_it_in_the_same_word)
{
	set_range(64, 64);
	cr_expect_eq(find(USE_WHOLE, 0, 65, false, 1), 64);
	cr_expect_eq(find(USE_WHOLE, 0, 127, false, 1), 64);
}

Test(ledger, every_port_of_a_range_is_given_once_and_then_none)
{
	uint32_t n = 0;

	for (int port; (port = find(USE_CONNECT, 3, 40500, true, 1)) >= 0; n++)
		cr_assert_eq(take(USE_CONNECT, (uint16_t)port, 3), 0);
	cr_expect_eq(n, 1000);
	cr_expect_eq(find(USE_WHOLE, 0, 40000, true, 1), -1);
	cr_expect_eq(find(USE_CONNECT, 4, 40000, true, 1), 40000);
}

Test(ledger, a_port_rests_at_least_once_and_at_most_twice_the_rest_time)
{
	/* Released at the very start and at the very end of an epoch. */
	const uint64_t released[] = { 5 * T, 6 * T - 1 };

	for (int i = 0; i < 2; i++) {
		const uint64_t t = released[i];

		open_map_here();
		cr_assert_eq(take(USE_WHOLE, 40000, 0), 0);
		give(USE_WHOLE, 40000, 0, t);
		cr_expect_eq(find(USE_WHOLE, 0, 40000, false, t), 40001);
		cr_expect_eq(find(USE_CONNECT, 9, 40000, false, t + T), 40001);
		cr_expect_eq(find(USE_WHOLE, 0, 40000, false, t + 2 * T),
			     40000);
	}
}

Test(ledger, resting_ports_are_left_out_and_tell_for_how_long)
{
	set_range(40000, 40001);
	ledger_rest(&map, PROTOCOL_TCP, 40001, 5 * T);
	ledger_rest(&map, PROTOCOL_TCP, 40000, 6 * T);
	cr_expect_eq(find(USE_WHOLE, 0, 40000, false, 6 * T), -1);
	cr_expect_eq(find(USE_WHOLE, 0, 40000, true, 6 * T), 40000);
	cr_expect_eq(ledger_rested_ms(&map, PROTOCOL_TCP, 40001, 6 * T), T);
	cr_expect_eq(ledger_rested_ms(&map, PROTOCOL_TCP, 40000, 6 * T), 0);
	/* The clock was read before the port was given back. */
	cr_expect_eq(ledger_rested_ms(&map, PROTOCOL_TCP, 40000, 6 * T - 1), 0);
	cr_expect(ledger_rests(&map, PROTOCOL_TCP, 40000, 6 * T));
	cr_expect_not(ledger_rests(&map, PROTOCOL_TCP, 40000, 8 * T));
	/* In the epoch before, even where the port was given back last. */
	ledger_rest(&map, PROTOCOL_TCP, 40002, 6 * T);
	ledger_rest(&map, PROTOCOL_TCP, 40003, 7 * T);
	cr_expect(ledger_rests(&map, PROTOCOL_TCP, 40003, 7 * T - 1));
	cr_expect(ledger_rests(&map, PROTOCOL_TCP, 40002, 7 * T - 1));
	ledger_rest(&map, PROTOCOL_TCP, 40004, 8 * T);
	cr_expect(ledger_rests(&map, PROTOCOL_TCP, 40004, 7 * T - 1));
}

Test(ledger, who_comes_late_with_an_old_clock_wakes_nobody)
{
	ledger_rest(&map, PROTOCOL_TCP, 40000, 7 * T);
	ledger_rest(&map, PROTOCOL_TCP, 40001, 5 * T);
	cr_expect_eq(find(USE_WHOLE, 0, 40000, false, 7 * T), 40002);
	/* Random bytes are no epoch to wait for. */
	map.memory->protocols[PROTOCOL_TCP].rest[1][40000 / 32] = UINT64_MAX;
	ledger_rest(&map, PROTOCOL_TCP, 40001, 7 * T);
	cr_expect_eq(find(USE_WHOLE, 0, 40000, false, 7 * T), 40000);
}

Test(ledger, a_named_port_may_be_leased_though_it_rests)
{
	ledger_rest(&map, PROTOCOL_TCP, 40000, T);
	cr_expect_eq(take(USE_WHOLE, 40000, 0), 0);
}

Test(ledger, a_report_tells_use_number_of_leases_and_rest)
{
	uint32_t n;
	bool rests;

	cr_assert_eq(take(USE_CONNECT, 40000, 1), 0);
	cr_assert_eq(take(USE_CONNECT, 40000, 2), 0);
	cr_expect_eq(ledger_use(&map, PROTOCOL_TCP, 40000, T, &n, &rests),
		     USE_CONNECT);
	cr_expect_eq(n, 2);
	cr_expect_not(rests);
	ledger_rest(&map, PROTOCOL_TCP, 40001, T);
	cr_expect_eq(ledger_use(&map, PROTOCOL_TCP, 40001, T, &n, &rests),
		     USE_FREE);
	cr_expect_eq(n, 0);
	cr_expect(rests);
}

/* Edge case 25: whatever another process has written. */
Test(ledger, random_bytes_cost_no_more_than_ports)
{
	unsigned char *bytes = (unsigned char *)map.memory->protocols;
	const size_t n_bytes = sizeof(*map.memory) -
			       offsetof(struct map_memory, protocols);

	srand(1);
	for (size_t i = 0; i < n_bytes; i++)
		bytes[i] = (unsigned char)rand();
	for (int i = 0; i < 100000; i++) {
		const enum use use = USE_WHOLE + rand() % 3;
		const uint16_t plane = use == USE_WHOLE ? 0
							: rand() % N_PLANES_TCP;
		const int port = find(use, plane, rand() % N_PORTS, rand() % 3,
				      (uint64_t)rand());

		cr_assert(port == -1 || (port >= 40000 && port <= 40999));
		if (port > 0 && take(use, (uint16_t)port, plane) == 0)
			give(use, (uint16_t)port, plane, (uint64_t)rand());
	}
}

/* A process died between its lease and the hint, or before its release. */
Test(ledger, a_wrong_hint_is_mended_by_the_next_lease_and_release)
{
	struct protocol_memory *protocol = &map.memory->protocols[PROTOCOL_TCP];

	cr_assert_eq(take(USE_WHOLE, 40000, 0), 0);
	memset(protocol->hints[USE_WHOLE], 0,
	       sizeof(protocol->hints[USE_WHOLE]));
	cr_expect_eq(take(USE_WHOLE, 40000, 0), -EADDRINUSE);
	give(USE_WHOLE, 40000, 0, 0);
	cr_expect_eq(find(USE_WHOLE, 0, 40000, true, 1), 40000);
}
