/* SPDX-License-Identifier: MIT */
#include "choice_here.h"
#include "map/ledger.h"

static const enum algorithm hashes[] = { ALGORITHM_HASH,
					 ALGORITHM_DOUBLE_HASH };

/* The offsets F: the counters of all destinations are put back each time. */
Test(choice_hash, both_hashes_are_even_across_destinations)
{
	for (int h = 0; h < 2; h++) {
		uint32_t counts[N_BINS] = { 0 };

		for (uint32_t i = 0; i < N_DRAWS; i++) {
			struct choice_request request =
				connect_request(hashes[h], i);

			memset(&memory, 0, sizeof(memory));
			counts[start(&request, N_BINS)]++;
		}
		assert_even(counts);
	}
}

static uint32_t place_in_table(const struct choice_request *request)
{
	return (uint32_t)(choice_start(&memory, &key, request, 1000).counterp -
			  memory.table);
}

Test(choice_hash, double_hash_spreads_destinations_over_its_table)
{
	static uint32_t counts[256];
	double chi;

	for (uint32_t i = 0; i < N_DRAWS; i++) {
		struct choice_request request =
			connect_request(ALGORITHM_DOUBLE_HASH, i);
		uint32_t place = place_in_table(&request);

		cr_assert_lt(place, CHOICE_TABLE_LENGTH);
		counts[i % 2 ? place % 256 : place / 256]++;
	}
	chi = chi_square(counts, 256, N_DRAWS);
	/* 255 degrees of freedom, 99.9 % */
	cr_assert(chi > 185 && chi < 331, "chi-square is %f", chi);
}

/* What chooses the place in the table says nothing of the port or the plane. */
Test(choice_hash, each_bit_of_a_flow_hash_serves_one_purpose)
{
	struct choice_request request = {
		.algorithm = ALGORITHM_DOUBLE_HASH,
		.has_remote = true,
	};

	for (int bit = 0; bit < 64; bit++) {
		request.flow_hash = UINT64_C(1) << bit;
		memset(&memory, 0, sizeof(memory));

		const uint32_t place = place_in_table(&request);
		const uint16_t plane = ledger_plane(PROTOCOL_TCP,
						    request.flow_hash);

		memset(&memory, 0, sizeof(memory));
		cr_expect_eq(start(&request, 65536) != 0,
			     bit >= 16 && bit < 32);
		cr_expect_eq(place != 0, bit >= 32 && bit < 48);
		cr_expect_eq(plane != 0, bit >= 56);
	}
}

Test(choice_hash, hash_shares_one_counter_among_destinations)
{
	struct choice_request a = connect_request(ALGORITHM_HASH, 1);
	struct choice_request b = connect_request(ALGORITHM_HASH, 2);
	uint32_t first = start(&a, 1000);

	start(&b, 1000);
	start(&b, 1000);
	cr_assert_eq(start(&a, 1000), (first + 3) % 1000);
}

Test(choice_hash, hash_separates_destinations_by_their_offset)
{
	struct choice_request a = connect_request(ALGORITHM_HASH, 1);
	struct choice_request b = connect_request(ALGORITHM_HASH, 2);

	cr_assert_neq((start(&a, 60000) + 1) % 60000, start(&b, 60000));
}

static uint32_t next_step(const struct choice_request *request, uint32_t *lastp)
{
	const uint32_t next = start(request, 60000);
	const uint32_t step = (next + 60000 - *lastp) % 60000;

	*lastp = next;
	return step;
}

/* Of 7 and of 63 degrees of freedom: 99.9 % lie between. */
Test(choice_hash, double_hash_goes_on_by_even_and_independent_steps)
{
	struct choice_request request = connect_request(ALGORITHM_DOUBLE_HASH,
							1);
	uint32_t counts[CHOICE_STEP_MAX] = { 0 };
	uint32_t pairs[CHOICE_STEP_MAX * CHOICE_STEP_MAX] = { 0 };
	uint32_t last = start(&request, 60000), before = 0;
	double chi;

	for (uint32_t i = 0; i < N_DRAWS; i++) {
		const uint32_t step = next_step(&request, &last);

		cr_assert(step >= 1 && step <= CHOICE_STEP_MAX, "a step of %u",
			  step);
		counts[step - 1]++;
		pairs[before * CHOICE_STEP_MAX + step - 1] += i > 0;
		before = step - 1;
	}
	chi = chi_square(counts, CHOICE_STEP_MAX, N_DRAWS);
	cr_assert(chi > 0.4 && chi < 26.0, "chi-square is %f", chi);
	chi = chi_square(pairs, CHOICE_STEP_MAX * CHOICE_STEP_MAX, N_DRAWS - 1);
	cr_assert(chi > 32.0 && chi < 109.0, "chi-square is %f", chi);
}

/* A destination with the place in the table that number has, or another one. */
static struct choice_request another(uint32_t number, bool shares)
{
	struct choice_request request = connect_request(ALGORITHM_DOUBLE_HASH,
							number);
	const uint32_t place = place_in_table(&request);

	do
		request = connect_request(ALGORITHM_DOUBLE_HASH, ++number);
	while ((place_in_table(&request) == place) != shares);
	return request;
}

/*
 * Edge case 64: whoever sees the ports to one destination guesses how many
 * connections went to another with the same place, from 0 to 3 in between. With
 * steps of one that is right each time, blindly in one of four.
 */
Test(choice_hash, an_observer_of_one_destination_does_not_count_another)
{
	struct choice_request seen = connect_request(ALGORITHM_DOUBLE_HASH, 1);
	struct choice_request hidden = another(1, true);
	uint32_t last = start(&seen, 60000), n_right = 0;

	for (uint32_t i = 0; i < 10000; i++) {
		const uint32_t n_hidden = (i ^ i >> 3 ^ i >> 7) % 4;
		uint32_t step, guess;

		for (uint32_t j = 0; j < n_hidden; j++)
			start(&hidden, 60000);
		step = next_step(&seen, &last);
		/* The likeliest sum of so many steps. */
		guess = step < 5 ? 0 : step < 10 ? 1 : step < 15 ? 2 : 3;
		n_right += guess == n_hidden;
	}
	cr_assert_lt(n_right, 7000, "%u of 10000 are right", n_right);
}

Test(choice_hash, another_key_takes_other_steps)
{
	const struct siphash_key other = { key.k0, key.k1 + 1 };
	struct choice_request request = connect_request(ALGORITHM_DOUBLE_HASH,
							1);
	uint32_t n_same = 0;

	for (uint32_t i = 0; i < 800; i++) {
		uint32_t steps[2];

		for (int j = 0; j < 2; j++) {
			memset(&memory, 0, sizeof(memory));
			memory.table[request.flow_hash >> 32 & 0xffff] = i;
			steps[j] = choice_start(&memory, j ? &other : &key,
						&request, 60000)
					   .step;
		}
		n_same += steps[0] == steps[1];
	}
	/* One in eight. */
	cr_assert(n_same > 60 && n_same < 140, "%u of 800", n_same);
}

Test(choice_hash, double_hash_counts_destinations_apart)
{
	struct choice_request a = connect_request(ALGORITHM_DOUBLE_HASH, 1);
	struct choice_request b = another(1, false);
	uint32_t last_a = start(&a, 60000), last_b = start(&b, 60000);

	for (uint32_t i = 1; i < 10; i++)
		cr_assert_leq(next_step(&a, &last_a), CHOICE_STEP_MAX);
	cr_assert_leq(next_step(&b, &last_b), CHOICE_STEP_MAX);
	cr_assert_eq(memory.next_ephemeral[PROTOCOL_TCP], 0);
}

Test(choice_hash, hashes_start_at_random_without_a_destination)
{
	for (int h = 0; h < 2; h++) {
		uint32_t counts[N_BINS] = { 0 };
		struct choice_request request = {
			.algorithm = hashes[h],
			.flow_hash = UINT64_C(0x123456789abcdef0),
		};

		for (uint32_t draw = 0; draw < N_DRAWS; draw++)
			counts[start(&request, N_BINS)]++;
		assert_even(counts);
	}
}

Test(choice_hash, the_hash_depends_on_each_part_of_the_flow)
{
	struct endpoint local = destination(9, 0), remote = destination(1, 80);
	struct endpoint other_port = destination(1, 81);
	struct endpoint other_address = destination(2, 80);
	struct endpoint other_scope = remote;
	struct siphash_key other_key = { key.k0, key.k1 + 1 };
	uint64_t hash = choice_flow_hash(&key, NULL, &remote);

	other_scope.scope = 1;
	cr_assert_neq(choice_flow_hash(&key, NULL, &other_port), hash);
	cr_assert_neq(choice_flow_hash(&key, NULL, &other_address), hash);
	cr_assert_neq(choice_flow_hash(&key, NULL, &other_scope), hash);
	cr_assert_neq(choice_flow_hash(&key, &local, &remote), hash);
	cr_assert_neq(choice_flow_hash(&key, &remote, NULL), hash);
	cr_assert_neq(choice_flow_hash(&other_key, NULL, &remote), hash);
}

Test(choice_hash, the_hash_ignores_family_local_port_and_wildcard)
{
	struct endpoint local = destination(9, 0), remote = destination(1, 80);
	struct endpoint local_port = destination(9, 5), remote6 = remote;
	struct endpoint wildcard4 = {
		.address = { [10] = 0xff, 0xff },
		.family = AF_INET,
	};
	struct endpoint wildcard6 = { .family = AF_INET6 };
	uint64_t hash = choice_flow_hash(&key, NULL, &remote);

	remote6.family = AF_INET6;
	cr_assert_eq(choice_flow_hash(&key, NULL, &remote6), hash);
	cr_assert_eq(choice_flow_hash(&key, &wildcard4, &remote), hash);
	cr_assert_eq(choice_flow_hash(&key, &wildcard6, &remote), hash);
	cr_assert_eq(choice_flow_hash(&key, &local, &remote),
		     choice_flow_hash(&key, &local_port, &remote));
}
