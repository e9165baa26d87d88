/* SPDX-License-Identifier: MIT */
#include "core/policy_image.h"

#include <errno.h>
#include <string.h>

#include "core/glob.h"

/* Odd, so that a multiplication loses nothing; 2^64 over the golden ratio. */
#define MULTIPLIER UINT64_C(0x9e3779b97f4a7c15)

#define N_LANES 8

/*
 * One step is a bijection of the state for any word, and of the word for any
 * state: so two texts that differ in one word never end in the same state.
 */
static uint64_t mix(uint64_t state, uint64_t word)
{
	state = (state ^ word) * MULTIPLIER;
	return state ^ state >> 32;
}

static uint64_t word_at(const unsigned char *bytes, size_t i)
{
	uint64_t word;

	memcpy(&word, bytes + i * sizeof(word), sizeof(word));
	return word;
}

uint64_t policy_checksum(const void *data, size_t n_bytes)
{
	const size_t n_words = n_bytes / sizeof(uint64_t);
	/* Lanes that do not wait for each other: the multiplier is pipelined. */
	uint64_t lanes[N_LANES] = { 1, 2, 3, 4, 5, 6, 7, 8 };
	uint64_t state = n_bytes;
	size_t i = 0;

	for (; i + N_LANES <= n_words; i += N_LANES)
		for (size_t lane = 0; lane < N_LANES; lane++)
			lanes[lane] = mix(lanes[lane], word_at(data, i + lane));
	for (; i < n_words; i++)
		state = mix(state, word_at(data, i));
	for (size_t lane = 0; lane < N_LANES; lane++)
		state = mix(state, lanes[lane]);
	return state;
}

/* Bytes of all before the sets, which lie behind at the next whole 64 bytes. */
static uint64_t tables_size(const struct policy_image *image)
{
	return sizeof(*image) +
	       (uint64_t)image->n_rules * sizeof(struct policy_rule) +
	       (uint64_t)image->n_reserves * sizeof(struct policy_reserve) +
	       image->strings_size;
}

uint64_t policy_image_checksum(const struct policy_image *image)
{
	struct policy_image header = *image;

	header.checksum = 0;
	return mix(policy_checksum(&header, sizeof(header)),
		   policy_checksum(image + 1,
				   tables_size(image) - sizeof(*image)));
}

int policy_image_open(const void *memory, size_t size,
		      struct policy_tables *tablesp)
{
	const struct policy_image *image = memory;

	/* All sums are of 32-bit numbers times small sizes: none overflows. */
	if (size < sizeof(*image) || image->magic != POLICY_MAGIC ||
	    image->format != POLICY_FORMAT || image->n_rules == 0 ||
	    image->strings_size < sizeof(uint64_t) ||
	    image->strings_size % sizeof(uint64_t) != 0 ||
	    image->size > size ||
	    image->size != tables_size(image) + (uint64_t)image->n_sets *
		    sizeof(struct policy_set))
		return -EINVAL;

	const struct policy_rule *rules =
		(const struct policy_rule *)(image + 1);
	const struct policy_reserve *reserves =
		(const struct policy_reserve *)(rules + image->n_rules);
	const char *strings = (const char *)(reserves + image->n_reserves);

	/* Two NULs: a last list ends too. */
	if (strings[0] != '\0' || strings[image->strings_size - 1] != '\0' ||
	    strings[image->strings_size - 2] != '\0' ||
	    policy_image_checksum(image) != image->checksum)
		return -EINVAL;
	*tablesp = (struct policy_tables){
		.image = image,
		.rules = rules,
		.reserves = reserves,
		.strings = strings,
		.sets = (const struct policy_set *)(strings +
						    image->strings_size),
	};
	return 0;
}

const char *policy_string(const struct policy_tables *tables, uint32_t offset)
{
	return offset < tables->image->strings_size ? tables->strings + offset
						    : "";
}

const char *policy_next_string(const char *text)
{
	text += strlen(text) + 1;
	return *text != '\0' ? text : NULL;
}

const struct port_set *policy_set(const struct policy_tables *tables,
				  uint32_t index)
{
	if (index >= tables->image->n_sets)
		return NULL;

	const struct policy_set *set = &tables->sets[index];

	return policy_checksum(&set->ports, sizeof(set->ports)) ==
	       set->checksum ? &set->ports : NULL;
}

static bool condition_holds(const struct policy_tables *tables,
			    uint32_t list, const char *value)
{
	const char *pattern = policy_string(tables, list);

	if (value == NULL)
		return false;
	for (; pattern != NULL && *pattern != '\0';
	     pattern = policy_next_string(pattern))
		if (glob_matches(pattern, value))
			return true;
	return false;
}

bool policy_rule_applies(const struct policy_tables *tables,
			 const struct policy_rule *rule,
			 const struct subject *subject,
			 enum condition *failedp)
{
	for (int i = 0; i < N_CONDITIONS; i++) {
		if (rule->conditions[i] == 0 ||
		    condition_holds(tables, rule->conditions[i],
				    subject->values[i]))
			continue;
		if (failedp != NULL)
			*failedp = (enum condition)i;
		return false;
	}
	return true;
}

const struct policy_rule *policy_rule_of(const struct policy_tables *tables,
					 const struct subject *subject)
{
	const struct policy_rule *rule = tables->rules;
	const struct policy_rule *last = rule + tables->image->n_rules - 1;

	while (rule < last &&
	       !policy_rule_applies(tables, rule, subject, NULL))
		rule++;
	return rule;
}

const char *condition_name(enum condition condition)
{
	static const char *const names[N_CONDITIONS] = {
		[CONDITION_EXE] = "exe",
		[CONDITION_NAME] = "name",
		[CONDITION_UID] = "uid",
		[CONDITION_PROFILE] = "profile",
	};

	return names[condition];
}
