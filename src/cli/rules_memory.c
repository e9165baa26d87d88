/* SPDX-License-Identifier: MIT */
#include "cli/rules_memory.h"

#include <stdalign.h>
#include <stdlib.h>
#include <string.h>

#define N_BUCKETS 1024u

struct block {
	struct block *next;
	alignas(max_align_t) unsigned char bytes[];
};

struct kept {
	struct kept *next;
	uint64_t hash;
	struct port_set set;
};

struct rules_memory {
	struct block *blocks;
	struct kept *buckets[N_BUCKETS];
	struct port_set empty;
	bool failed;
};

struct rules_memory *rules_memory_new(void)
{
	return calloc(1, sizeof(struct rules_memory));
}

void rules_memory_free(struct rules_memory *memory)
{
	if (memory == NULL)
		return;
	for (struct block *block = memory->blocks, *next; block != NULL;
	     block = next) {
		next = block->next;
		free(block);
	}
	free(memory);
}

bool rules_memory_failed(const struct rules_memory *memory)
{
	return memory->failed;
}

void *rules_memory_take(struct rules_memory *memory, size_t n, size_t size)
{
	struct block *block = NULL;
	size_t n_bytes;

	if (!__builtin_mul_overflow(n, size, &n_bytes) &&
	    !__builtin_add_overflow(n_bytes, sizeof(*block), &n_bytes))
		block = calloc(1, n_bytes);
	if (block == NULL) {
		memory->failed = true;
		return NULL;
	}
	block->next = memory->blocks;
	memory->blocks = block;
	return block->bytes;
}

/* The multiplier of Knuth's multiplicative hashing, for 64 bits. */
static uint64_t hash_of(const struct port_set *set)
{
	uint64_t hash = 0;

	for (uint32_t i = 0; i < N_PORT_WORDS; i++)
		hash = ((hash << 7 | hash >> 57) ^ set->words[i]) *
		       UINT64_C(0x9e3779b97f4a7c15);
	return hash ^ hash >> 32;
}

const struct port_set *rules_memory_keep(struct rules_memory *memory,
					 struct port_set *set)
{
	const uint64_t hash = hash_of(set);
	struct kept **bucket = &memory->buckets[hash % N_BUCKETS];
	struct kept *kept;

	for (kept = *bucket; kept != NULL; kept = kept->next)
		if (kept->hash == hash &&
		    memcmp(kept->set.words, set->words,
			   sizeof(set->words)) == 0)
			return &kept->set;
	kept = rules_memory_take(memory, 1, sizeof(*kept));
	if (kept == NULL)
		return &memory->empty;
	port_set_finish(set);
	*kept = (struct kept){ .next = *bucket, .hash = hash, .set = *set };
	*bucket = kept;
	return &kept->set;
}
