/* SPDX-License-Identifier: MIT */
#include "policy/image.h"

#include <errno.h>
#include <string.h>

#include "policy/glob.h"

/*
 * Odd, so that the multiplication is a bijection; 2^64 over the golden ratio.
 */
#define MULTIPLIER UINT64_C(0x9e3779b97f4a7c15)

#define N_LANES 8

/*
 * A step is a bijection of the state for any word, and of the word for any
 * state: so two texts that differ in one word always end in different states.
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
	/* Lanes that do not depend on each other: the multiplier is
	 * pipelined. */
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

/* Bytes up to the end of the patterns. */
static uint64_t head_size(const struct policy_image *image)
{
	return sizeof(*image) +
	       (uint64_t)image->n_rules * sizeof(struct policy_match) +
	       image->patterns_size;
}

/* Bytes between the patterns and the sets. */
static uint64_t rest_size(const struct policy_image *image)
{
	return image->strings_size - image->patterns_size +
	       (uint64_t)image->n_rules * sizeof(struct policy_rule) +
	       (uint64_t)image->n_reserves * sizeof(struct policy_reserve);
}

uint64_t policy_image_checksum(const struct policy_image *image)
{
	struct policy_image header = *image;

	header.checksum = 0;
	return mix(policy_checksum(&header, sizeof(header)),
		   policy_checksum(image + 1,
				   head_size(image) - sizeof(*image)));
}

uint64_t policy_image_rest_checksum(const struct policy_image *image)
{
	return policy_checksum((const char *)image + head_size(image),
			       rest_size(image));
}

uint64_t policy_rule_checksum(const struct policy_rule *rule)
{
	return policy_checksum(&rule->checksum + 1,
			       sizeof(*rule) - sizeof(rule->checksum));
}

/* All sums are of 32-bit numbers times small sizes: none of them overflows. */
static bool has_sound_sizes(const struct policy_image *image, size_t size)
{
	return image->n_rules > 0 && image->patterns_size >= sizeof(uint64_t) &&
	       image->patterns_size % sizeof(uint64_t) == 0 &&
	       image->strings_size >= image->patterns_size &&
	       image->strings_size % sizeof(uint64_t) == 0 &&
	       image->size <= size &&
	       image->size == head_size(image) + rest_size(image) +
				      (uint64_t)image->n_sets *
					      sizeof(struct policy_set);
}

/* Two NULs, so that the last list ends too. */
static bool ends_list(const char *strings, uint32_t size)
{
	return strings[size - 1] == '\0' && strings[size - 2] == '\0';
}

int policy_image_open(const void *memory, size_t size,
		      struct policy_tables *tablesp)
{
	const struct policy_image *image = memory;

	if (size < sizeof(*image) || image->magic != POLICY_MAGIC ||
	    image->format != POLICY_FORMAT || !has_sound_sizes(image, size))
		return -EINVAL;

	const struct policy_match *matches =
		(const struct policy_match *)(image + 1);
	const char *strings = (const char *)(matches + image->n_rules);
	const struct policy_rule *rules =
		(const struct policy_rule *)(strings + image->strings_size);
	const struct policy_reserve *reserves =
		(const struct policy_reserve *)(rules + image->n_rules);

	if (strings[0] != '\0' || !ends_list(strings, image->patterns_size) ||
	    !ends_list(strings, image->strings_size) ||
	    policy_image_checksum(image) != image->checksum)
		return -EINVAL;
	*tablesp = (struct policy_tables){
		.image = image,
		.matches = matches,
		.strings = strings,
		.rules = rules,
		.reserves = reserves,
		.sets = (const struct policy_set *)(reserves +
						    image->n_reserves),
	};
	return 0;
}

bool policy_image_verify(const struct policy_tables *tables)
{
	return policy_image_rest_checksum(tables->image) ==
	       tables->image->rest_checksum;
}

const uint32_t *policy_conditions(const struct policy_tables *tables,
				  const struct policy_rule *rule)
{
	return tables->matches[rule - tables->rules].conditions;
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

	return policy_checksum(&set->ports, sizeof(set->ports)) == set->checksum
		       ? &set->ports
		       : NULL;
}

static bool condition_holds(const struct policy_tables *tables, uint32_t list,
			    const char *value)
{
	const char *pattern = tables->strings + list;

	/* The list has to lie among the patterns. */
	if (value == NULL || list >= tables->image->patterns_size)
		return false;
	for (; pattern != NULL && *pattern != '\0';
	     pattern = policy_next_string(pattern))
		if (glob_matches(pattern, value))
			return true;
	return false;
}

bool policy_rule_applies(const struct policy_tables *tables,
			 const struct policy_rule *rule,
			 const struct program *program, enum condition *failedp)
{
	const uint32_t *conditions = policy_conditions(tables, rule);

	for (int i = 0; i < N_CONDITIONS; i++) {
		if (conditions[i] == 0 ||
		    condition_holds(tables, conditions[i], program->values[i]))
			continue;
		if (failedp != NULL)
			*failedp = (enum condition)i;
		return false;
	}
	return true;
}

const struct policy_rule *policy_rule_of(const struct policy_tables *tables,
					 const struct program *program)
{
	const struct policy_rule *rule = tables->rules;
	const struct policy_rule *last = rule + tables->image->n_rules - 1;

	while (rule < last && !policy_rule_applies(tables, rule, program, NULL))
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

const char *role_name(enum role role)
{
	return role == ROLE_OF_CONNECT ? "connect" : "listen";
}
