/* SPDX-License-Identifier: MIT */

/*
 * The reader of compiled policies on anything at all: as it is, and with the
 * checksums made right, so that what lies behind them is reached too.
 */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "policy/image.h"
#include "policy/policy.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void walk_list(const struct policy_tables *tables, uint32_t offset)
{
	const char *text = policy_string(tables, offset);

	while (text != NULL && *text != '\0')
		text = policy_next_string(text);
}

static void walk(const struct policy_tables *tables)
{
	static const struct environment environment;
	const struct program program = { { "/usr/bin/a", "a", "0", "p" } };
	struct policy policy;

	(void)policy_rule_of(tables, &program);
	for (uint32_t i = 0; i < tables->image->n_rules; i++) {
		const struct policy_rule *rule = &tables->rules[i];

		walk_list(tables, rule->arguments);
		if (policy_of_rule(tables, rule, &environment, &policy) == 0 &&
		    memchr(policy.rule, '\0', sizeof(policy.rule)) == NULL)
			abort();
	}
	for (uint32_t i = 0; i < tables->image->n_reserves; i++)
		walk_list(tables, tables->reserves[i].owners);
}

static void mend_checksums(void *memory, size_t size)
{
	struct policy_image *image = memory;
	const uint64_t n_rules = image->n_rules;
	const uint64_t head_size = sizeof(*image) +
				   n_rules * sizeof(struct policy_match) +
				   image->patterns_size;
	const uint64_t rules_at = sizeof(*image) +
				  n_rules * sizeof(struct policy_match) +
				  image->strings_size;
	struct policy_rule *rules = (void *)((char *)memory + rules_at);

	image->magic = POLICY_MAGIC;
	image->format = POLICY_FORMAT;
	image->size = size;
	if (head_size > size || image->strings_size % sizeof(uint64_t) != 0 ||
	    image->patterns_size % sizeof(uint64_t) != 0)
		return;
	if (rules_at + n_rules * sizeof(*rules) <= size)
		for (uint64_t i = 0; i < n_rules; i++)
			rules[i].checksum = policy_rule_checksum(&rules[i]);
	image->checksum = policy_image_checksum(image);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* Of its own size, so that a byte too far is found. */
	void *memory = malloc(size + 1);
	struct policy_tables tables;

	if (memory == NULL)
		return 0;
	memcpy(memory, data, size);
	if (policy_image_open(memory, size, &tables) == 0)
		walk(&tables);
	if (size >= sizeof(struct policy_image)) {
		mend_checksums(memory, size);
		if (policy_image_open(memory, size, &tables) == 0)
			walk(&tables);
	}
	free(memory);
	return 0;
}
