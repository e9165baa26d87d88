/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * SipHash-2-4 (Aumasson and Bernstein, "SipHash: a fast short-input PRF",
 * 2012), with the 64-bit result of its reference vectors.
 */

#include <stddef.h>
#include <stdint.h>

struct siphash_key {
	uint64_t k0, k1; /* the 16 key bytes read as little-endian words */
};

uint64_t siphash_2_4(const struct siphash_key *key, const void *data,
		     size_t n_bytes);
