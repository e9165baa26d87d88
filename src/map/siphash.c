/* SPDX-License-Identifier: MIT */
#include "map/siphash.h"

struct state {
	uint64_t v0, v1, v2, v3;
};

static uint64_t rotate_left(uint64_t word, unsigned int n_bits)
{
	return word << n_bits | word >> (64 - n_bits);
}

static void sip_round(struct state *s)
{
	s->v0 += s->v1;
	s->v2 += s->v3;
	s->v1 = rotate_left(s->v1, 13) ^ s->v0;
	s->v3 = rotate_left(s->v3, 16) ^ s->v2;
	s->v0 = rotate_left(s->v0, 32);
	s->v2 += s->v1;
	s->v0 += s->v3;
	s->v1 = rotate_left(s->v1, 17) ^ s->v2;
	s->v3 = rotate_left(s->v3, 21) ^ s->v0;
	s->v2 = rotate_left(s->v2, 32);
}

static void compress(struct state *s, uint64_t word)
{
	s->v3 ^= word;
	sip_round(s);
	sip_round(s);
	s->v0 ^= word;
}

/* The paper's words are little-endian on every machine. */
static uint64_t load_little_endian(const uint8_t *bytes, size_t n_bytes)
{
	uint64_t word = 0;

	for (size_t i = 0; i < n_bytes; i++)
		word |= (uint64_t)bytes[i] << (8 * i);
	return word;
}

static uint64_t finalize(struct state *s)
{
	s->v2 ^= 0xff;
	for (int i = 0; i < 4; i++)
		sip_round(s);
	return s->v0 ^ s->v1 ^ s->v2 ^ s->v3;
}

uint64_t siphash_2_4(const struct siphash_key *key, const void *data,
		     size_t n_bytes)
{
	/* "somepseudorandomlygeneratedbytes", section 2.1 of the paper */
	struct state s = {
		.v0 = key->k0 ^ UINT64_C(0x736f6d6570736575),
		.v1 = key->k1 ^ UINT64_C(0x646f72616e646f6d),
		.v2 = key->k0 ^ UINT64_C(0x6c7967656e657261),
		.v3 = key->k1 ^ UINT64_C(0x7465646279746573),
	};
	const uint8_t *bytes = data;
	size_t n_left = n_bytes;

	for (; n_left >= 8; n_left -= 8, bytes += 8)
		compress(&s, load_little_endian(bytes, 8));
	compress(&s,
		 load_little_endian(bytes, n_left) | (uint64_t)n_bytes << 56);
	return finalize(&s);
}
