/* SPDX-License-Identifier: MIT */
#include "choice_here.h"

Test(choice, the_default_is_that_of_linux)
{
	cr_assert_eq(ALGORITHM_DEFAULT, ALGORITHM_DOUBLE_HASH);
}

Test(choice, sequential_goes_up_by_one_and_wraps_in_each_protocol_apart)
{
	struct choice_request request = { .algorithm = ALGORITHM_SEQUENTIAL };

	for (int protocol = 0; protocol < N_PROTOCOLS; protocol++) {
		request.protocol = (enum protocol)protocol;
		for (uint32_t i = 0; i < 25; i++)
			cr_assert_eq(start(&request, 10), i % 10);
	}
}

Test(choice, a_skip_starts_the_next_search_behind_the_ports_taken)
{
	static const enum algorithm algorithms[] = {
		ALGORITHM_SEQUENTIAL,
		ALGORITHM_HASH,
		ALGORITHM_DOUBLE_HASH,
	};

	for (size_t i = 0; i < 3; i++) {
		struct choice_request request = connect_request(algorithms[i],
								1);
		struct choice choice = choice_start(&memory, &key, &request,
						    100);

		choice_skip(&choice, 7);
		cr_assert_eq(start(&request, 100), (choice.index + 8) % 100);
	}
}

Test(choice, a_skip_after_a_random_start_changes_nothing)
{
	struct choice_request request = { .algorithm = ALGORITHM_RANDOM };
	struct choice choice = choice_start(&memory, &key, &request, 100);
	static struct choice_memory before;

	before = memory;
	cr_assert_null(choice.counterp);
	choice_skip(&choice, 7);
	cr_assert_eq(memcmp(&before, &memory, sizeof(memory)), 0);
}

Test(choice, every_algorithm_reaches_every_port_the_last_one_too)
{
	static bool seen[1000];

	for (int i = 0; i < N_ALGORITHMS; i++) {
		uint32_t n_seen = 0;

		memset(seen, 0, sizeof(seen));
		for (uint32_t draw = 0; draw < 50000; draw++) {
			struct choice_request request =
				connect_request((enum algorithm)i, draw);
			uint32_t index = start(&request, 1000);

			n_seen += !seen[index];
			seen[index] = true;
		}
		cr_assert_eq(n_seen, 1000, "%d reaches %u ports of 1000", i,
			     n_seen);
	}
}

Test(choice, random_is_even)
{
	uint32_t counts[N_BINS] = { 0 };
	struct choice_request request = { .algorithm = ALGORITHM_RANDOM };

	for (uint32_t i = 0; i < N_DRAWS; i++)
		counts[start(&request, N_BINS)]++;
	assert_even(counts);
}

Test(choice, random_does_not_follow_from_the_port_before)
{
	uint32_t counts[N_BINS] = { 0 };
	struct choice_request request = { .algorithm = ALGORITHM_RANDOM };
	uint32_t last = start(&request, N_BINS);

	for (uint32_t i = 0; i < N_DRAWS; i++) {
		uint32_t next = start(&request, N_BINS);

		counts[(next + N_BINS - last) % N_BINS]++;
		last = next;
	}
	assert_even(counts);
}

Test(choice, random_increments_are_from_1_to_500_and_reach_both)
{
	struct choice_request request = {
		.algorithm = ALGORITHM_RANDOM_INCREMENTS,
	};
	uint32_t last = 0, least = UINT32_MAX, most = 0;

	for (uint32_t i = 0; i < 20000; i++) {
		uint32_t next = start(&request, N_PORTS);
		uint32_t step = (next + N_PORTS - last) % N_PORTS;

		cr_assert(step >= 1 && step <= 500, "a step of %u", step);
		least = step < least ? step : least;
		most = step > most ? step : most;
		last = next;
	}
	cr_assert_eq(least, 1);
	cr_assert_eq(most, 500);
}

Test(choice, any_garbage_in_the_counters_gives_a_port_of_the_range)
{
	static const uint32_t n_ports[] = { 1, 2, 3, 499, 28232, 65535, 65536 };
	static const uint8_t garbage[] = { 0xff, 0x80, 0x7f, 0xaa };

	for (size_t g = 0; g < 4; g++) {
		for (size_t n = 0; n < 7; n++) {
			memset(&memory, garbage[g], sizeof(memory));
			for (int i = 0; i < N_ALGORITHMS * 40; i++) {
				struct choice_request request = connect_request(
					(enum algorithm)(i % N_ALGORITHMS),
					(uint32_t)i);

				start(&request, n_ports[n]);
				request.flow_hash = UINT64_MAX;
				start(&request, n_ports[n]);
			}
		}
	}
}

Test(choice, the_first_search_may_start_at_the_very_last_port)
{
	struct choice_request request = {
		.algorithm = ALGORITHM_DOUBLE_HASH,
		.has_remote = true,
		.flow_hash = UINT32_MAX,
	};

	cr_assert_eq(start(&request, 65536), 65535);
}
