/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <string.h>

#include "base/port_set.h"

static struct port_set set, other;

static void assert_select_ranks_every_member(void)
{
	uint32_t index = 0;

	for (uint32_t port = 0; port < N_PORTS; port++) {
		if (!port_set_has(&set, port))
			continue;

		uint32_t selected = port_set_select(&set, index);

		cr_assert_eq(selected, port, "index %u gives %u, not %u", index,
			     selected, port);
		index++;
	}
	cr_assert_eq(index, set.n_ports);
}

Test(port_set, holds_exactly_what_was_added)
{
	port_set_add(&set, 63, 128);
	port_set_add(&set, 200, 200);
	for (uint32_t port = 0; port < N_PORTS; port++)
		cr_assert_eq(port_set_has(&set, port),
			     (port >= 63 && port <= 128) || port == 200,
			     "port %u", port);
}

Test(port_set, counts_overlapping_additions_once)
{
	port_set_add(&set, 1000, 2000);
	port_set_add(&set, 1500, 2500);
	port_set_finish(&set);
	cr_assert_eq(set.n_ports, 1501);
}

Test(port_set, is_empty_when_nothing_was_added)
{
	uint32_t lo, hi;

	port_set_finish(&set);
	cr_assert_eq(set.n_ports, 0);
	cr_assert_not(port_set_next_run(&set, 0, &lo, &hi));
}

Test(port_set, selects_every_member_of_runs)
{
	static const uint32_t runs[][2] = { { 0, 65535 }, { 32768, 60999 } };

	for (int i = 0; i < 2; i++) {
		memset(&set, 0, sizeof(set));
		port_set_add(&set, runs[i][0], runs[i][1]);
		port_set_finish(&set);
		cr_assert_eq(set.n_ports, runs[i][1] - runs[i][0] + 1);
		assert_select_ranks_every_member();
	}
}

Test(port_set, selects_every_member_of_a_set_with_gaps)
{
	port_set_add(&set, 0, 0);
	for (uint32_t port = 1; port < N_PORTS; port += 1 + port % 131)
		port_set_add(&set, port, port);
	port_set_add(&set, 40000, 41000);
	port_set_add(&set, 65535, 65535);
	port_set_finish(&set);
	assert_select_ranks_every_member();
}

Test(port_set, selects_the_only_member_of_any_set_of_one)
{
	for (uint32_t port = 0; port < N_PORTS; port += 61) {
		memset(&set, 0, sizeof(set));
		port_set_add(&set, port, port);
		port_set_finish(&set);
		cr_assert_eq(port_set_select(&set, 0), port);
	}
}

Test(port_set, subtracts_what_is_in_the_other_set)
{
	port_set_add(&set, 1000, 1999);
	port_set_add(&other, 1500, 2500);
	port_set_subtract(&set, &other);
	port_set_finish(&set);
	cr_assert_eq(set.n_ports, 500);
	cr_assert(port_set_has(&set, 1499));
	cr_assert_not(port_set_has(&set, 1500));
	assert_select_ranks_every_member();
}

Test(port_set, tells_its_runs_in_order)
{
	static const uint32_t runs[][2] = {
		{ 1, 1 },
		{ 63, 64 },
		{ 127, 320 },
		{ 65535, 65535 },
	};
	uint32_t from = 0, lo, hi;

	for (size_t i = 0; i < 4; i++)
		port_set_add(&set, runs[i][0], runs[i][1]);
	for (size_t i = 0; i < 4; i++, from = hi + 1) {
		cr_assert(port_set_next_run(&set, from, &lo, &hi));
		cr_assert_eq(lo, runs[i][0]);
		cr_assert_eq(hi, runs[i][1]);
	}
	cr_assert(port_set_next_run(&set, 200, &lo, &hi));
	cr_assert(lo == 200 && hi == 320, "a run begins where it is asked");
	cr_assert_eq(from, N_PORTS);
	cr_assert_not(port_set_next_run(&set, from, &lo, &hi));
}

Test(port_set, tells_the_first_of_its_longest_runs)
{
	uint32_t lo, hi;

	cr_assert_eq(port_set_longest_run(&set, &lo, &hi), 0);
	port_set_add(&set, 7, 7);
	port_set_add(&set, 100, 102);
	port_set_add(&set, 65533, 65535);
	cr_assert_eq(port_set_longest_run(&set, &lo, &hi), 3);
	cr_assert_eq(lo, 100);
	cr_assert_eq(hi, 102);
}

Test(port_set, unites_what_is_in_either_set)
{
	port_set_add(&set, 10, 70);
	port_set_add(&other, 64, 200);
	port_set_unite(&set, &other);
	port_set_finish(&set);
	cr_assert_eq(set.n_ports, 191);
}

Test(port_set, tells_what_two_sets_have_in_common)
{
	static struct port_set common;

	port_set_add(&set, 10, 70);
	port_set_add(&other, 71, 200);
	cr_assert_not(port_set_meets(&set, &other));
	cr_assert_not(port_set_add_common(&common, &set, &other));
	port_set_add(&other, 64, 64);
	cr_assert(port_set_meets(&set, &other));
	cr_assert(port_set_add_common(&common, &set, &other));
	port_set_finish(&common);
	cr_assert_eq(common.n_ports, 1);
	cr_assert(port_set_has(&common, 64));
}
