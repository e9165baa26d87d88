/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Starts of searches, counted in bins, and whether they fall evenly.
 */

#include <criterion/criterion.h>
#include <string.h>
#include <sys/socket.h>

#include "kernel/endpoint.h"
#include "map/choice.h"
#include "map/layout.h"

#define N_BINS 100u
#define N_DRAWS 100000u

/* Of 99 degrees of freedom: 99.9 % of all even distributions lie between. */
#define CHI_SQUARE_LOW 60.0
#define CHI_SQUARE_HIGH 149.0

static const struct siphash_key key = { 0x0123456789abcdef, 0x42 };

static struct choice_memory memory;

static inline struct endpoint destination(uint32_t number, uint16_t port)
{
	struct endpoint endpoint = {
		.address = { [10] = 0xff, 0xff, 10 },
		.port = port,
		.family = AF_INET,
	};

	memcpy(endpoint.address + 12, &number, sizeof(number));
	return endpoint;
}

static inline struct choice_request connect_request(enum algorithm algorithm,
						    uint32_t number)
{
	struct endpoint remote = destination(number, 443);

	return (struct choice_request){
		.protocol = PROTOCOL_TCP,
		.algorithm = algorithm,
		.has_remote = true,
		.flow_hash = choice_flow_hash(&key, NULL, &remote),
	};
}

static inline uint32_t start(const struct choice_request *request,
			     uint32_t n_ports)
{
	uint32_t index = choice_start(&memory, &key, request, n_ports).index;

	cr_assert_lt(index, n_ports);
	return index;
}

static inline double chi_square(const uint32_t *counts, uint32_t n_counts,
				double n_draws)
{
	double expected = n_draws / n_counts, sum = 0;

	for (uint32_t i = 0; i < n_counts; i++)
		sum += (counts[i] - expected) * (counts[i] - expected) /
		       expected;
	return sum;
}

static inline void assert_even(const uint32_t counts[N_BINS])
{
	double chi = chi_square(counts, N_BINS, N_DRAWS);

	cr_assert(chi > CHI_SQUARE_LOW && chi < CHI_SQUARE_HIGH,
		  "chi-square is %f", chi);
}
