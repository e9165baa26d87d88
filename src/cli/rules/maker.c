/* SPDX-License-Identifier: MIT */
#include "cli/rules/maker.h"

#include <string.h>

#include "kernel/ports_text.h"

struct kept_set {
	struct kept_set *next;
	uint64_t hash;
	struct port_set set;
};

static void refuse(struct maker *maker, struct location place, const char *name,
		   struct finding_word word, const char *reason)
{
	findings_add(maker->findings, SEVERITY_ERROR, place, "%s: \"%s\" %s",
		     name, word.text, reason);
}

void maker_refuse(struct maker *maker, struct location place, const char *name,
		  const char *word, const char *reason)
{
	refuse(maker, place, name, findings_quote_text(word), reason);
}

void maker_refuse_ports(struct maker *maker, struct location place,
			const char *name, const struct range_error *error)
{
	refuse(maker, place, name,
	       findings_quote(error->word, error->word_length), error->reason);
}

struct port_set *maker_scratch(struct maker *maker)
{
	memset(&maker->scratch, 0, sizeof(maker->scratch));
	return &maker->scratch;
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

const struct port_set *maker_keep(struct maker *maker, struct port_set *set)
{
	static struct port_set nothing;
	const uint64_t hash = hash_of(set);
	struct kept_set **bucket = &maker->kept[hash % N_SET_BUCKETS];
	struct kept_set *kept = *bucket;

	while (kept != NULL &&
	       (kept->hash != hash ||
		memcmp(kept->set.words, set->words, sizeof(set->words)) != 0))
		kept = kept->next;
	if (kept != NULL)
		return &kept->set;
	kept = memory_take(&maker->rules->memory, 1, sizeof(*kept));
	if (kept == NULL)
		return &nothing;
	port_set_finish(set);
	*kept = (struct kept_set){ *bucket, hash, *set };
	*bucket = kept;
	return &kept->set;
}
