/* SPDX-License-Identifier: MIT */
#include "policy_image_here.h"

#define SETS_OFFSET offsetof(__typeof__(image), sets)

TestSuite(policy_image, .init = setup);

Test(policy_image, all_its_tables_are_found)
{
	cr_assert_eq(tables.image, &image.header);
	cr_assert_eq(tables.rules, image.rules);
	cr_assert_eq(tables.reserves, &image.reserve);
	cr_assert_eq(tables.strings, image.strings);
	cr_assert_eq(tables.sets, image.sets);
	cr_assert_str_eq(string_at(tables.rules[SECOND].name), "second");
	cr_assert_str_eq(string_at(tables.reserves->name), "databases");
	cr_assert_str_eq(string_at(tables.image->source),
			 "/etc/berth/berth.conf");
}

Test(policy_image, memory_that_goes_on_behind_it_is_no_harm)
{
	cr_assert_eq(policy_image_open(&image, sizeof(image) + 4096, &tables),
		     0);
	cr_assert_eq(tables.sets, image.sets);
}

Test(policy_image, an_offset_that_leads_nowhere_is_an_empty_string)
{
	cr_assert_str_empty(string_at(0));
	cr_assert_str_empty(string_at(STRINGS_SIZE - 1));
	cr_assert_str_empty(string_at(STRINGS_SIZE));
	cr_assert_str_empty(string_at(UINT32_MAX));
}

Test(policy_image, a_list_is_gone_through_to_its_end)
{
	const uint32_t list =
		image.matches[SECOND].conditions[CONDITION_PROFILE];
	const char *text = string_at(list);

	cr_assert_str_eq(text, "ci");
	text = policy_next_string(text);
	cr_assert_str_eq(text, "ci-*");
	text = policy_next_string(text);
	cr_assert_str_eq(text, "nightly");
	cr_assert_null(policy_next_string(text));
}

Test(policy_image, a_set_is_found_by_its_index)
{
	cr_assert_eq(policy_set(&tables, NOTHING)->n_ports, 0);
	cr_assert_eq(policy_set(&tables, LOW)->n_ports, 10000);
	cr_assert(port_set_has(policy_set(&tables, HIGH), 40999));
	cr_assert_null(policy_set(&tables, N_SETS));
	cr_assert_null(policy_set(&tables, UINT32_MAX));
}

/* What finds a rule is checked by open, the rest before it is used or shown. */
static bool is_noticed(void)
{
	return open_image() == -EINVAL || !policy_image_verify(&tables);
}

/* With this byte changed, the image is refused, or the set it lies in. */
static void assert_noticed(size_t offset)
{
	if (offset < SETS_OFFSET) {
		cr_assert(is_noticed(), "byte %zu", offset);
		return;
	}
	cr_assert_eq(open_image(), 0, "byte %zu", offset);

	const uint32_t changed = (uint32_t)((offset - SETS_OFFSET) /
					    sizeof(struct policy_set));

	for (uint32_t i = 0; i < N_SETS; i++)
		if (i == changed)
			cr_assert_null(policy_set(&tables, i), "byte %zu",
				       offset);
	/* The others cost time: now and then is enough. */
	if (offset % 1000 == 0)
		for (uint32_t i = 0; i < N_SETS; i++)
			cr_assert(i == changed ||
				  policy_set(&tables, i) != NULL);
}

/* Any change before the sets, where all of it is quick; of two bits within. */
Test(policy_image, a_change_of_any_byte_is_noticed)
{
	unsigned char *bytes = (unsigned char *)&image;

	for (size_t i = 0; i < sizeof(image); i++)
		for (int change = 1; change < 256; change++) {
			if (i >= SETS_OFFSET && change != 1 && change != 128)
				continue;
			bytes[i] ^= (unsigned char)change;
			assert_noticed(i);
			bytes[i] ^= (unsigned char)change;
		}
	cr_assert_eq(open_image(), 0);
}

Test(policy_image, two_words_that_change_places_are_noticed)
{
	uint64_t *words = (uint64_t *)(&image.header + 1);
	const size_t n = (SETS_OFFSET - sizeof(image.header)) / sizeof(*words);

	for (size_t i = 0; i < n; i++)
		for (size_t j = 0; j < i; j++) {
			const uint64_t a = words[i], b = words[j];

			words[i] = b;
			words[j] = a;
			cr_assert_eq(is_noticed(), a != b);
			words[i] = a;
			words[j] = b;
		}
}

/* In memory of just that size, so that a read behind it would show. */
Test(policy_image, one_that_is_cut_anywhere_is_refused)
{
	for (size_t size = 0; size < sizeof(image); size++) {
		void *memory = malloc(size > 0 ? size : 1);

		memcpy(memory, &image, size);
		cr_assert_eq(policy_image_open(memory, size, &tables), -EINVAL,
			     "%zu", size);
		free(memory);
	}
}

/* The header is of the size that is said, and its checksum is right. */
static void assert_refused(void)
{
	finish();
	cr_assert_eq(open_image(), -EINVAL);
	setup();
}

Test(policy_image, a_header_that_makes_no_sense_is_refused)
{
	image.header.magic++;
	assert_refused();
	image.header.format++;
	assert_refused();
	image.header.size += sizeof(struct policy_set);
	assert_refused();
	image.header.size -= sizeof(struct policy_set);
	assert_refused();
	image.header.n_sets--;
	assert_refused();
	image.strings[0] = 'x';
	assert_refused();
	image.strings[STRINGS_SIZE - 1] = 'x';
	assert_refused();
	/* The last list would not end. */
	image.strings[STRINGS_SIZE - 2] = 'x';
	assert_refused();
}

Test(policy_image, sizes_that_are_none_are_refused)
{
	static const uint32_t sizes[] = { 0, 1, 7, 9, 12, UINT32_MAX };
	struct {
		struct policy_image header;
		struct policy_match match;
		char strings[8];
		struct policy_rule rule;
	} least = { .header = image.header };

	least.header.n_rules = 1;
	least.header.n_reserves = 0;
	least.header.n_sets = 0;
	least.header.strings_size = sizeof(least.strings);
	least.header.patterns_size = sizeof(least.strings);
	least.header.size = sizeof(least);
	least.header.checksum = policy_image_checksum(&least.header);
	cr_assert_eq(policy_image_open(&least, sizeof(least), &tables), 0);
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		least.header.patterns_size = sizes[i];
		least.header.strings_size = sizes[i];
		least.header.size = sizeof(least) - sizeof(least.strings) +
				    sizes[i];
		cr_assert_eq(policy_image_open(&least, sizeof(least), &tables),
			     -EINVAL, "%u", sizes[i]);
	}

	/* No rule at all. */
	struct {
		struct policy_image header;
		char strings[8];
	} none = { .header = least.header };

	none.header.n_rules = 0;
	none.header.strings_size = sizeof(none.strings);
	none.header.patterns_size = sizeof(none.strings);
	none.header.size = sizeof(none);
	none.header.checksum = policy_image_checksum(&none.header);
	cr_assert_eq(policy_image_open(&none, sizeof(none), &tables), -EINVAL);
}

static void fill_randomly(void *memory, size_t size)
{
	unsigned char *bytes = memory;

	for (size_t i = 0; i < size; i++)
		bytes[i] = (unsigned char)(rand() >> 8);
}

/* Goes through all that a reader would. */
static void walk(const struct policy_tables *found)
{
	static const struct program who = { {
		"/opt/aaa/bbb",
		"aaaaaaaaaaaaaaa",
		"1000",
		"ci",
	} };
	const struct policy_rule *taken = policy_rule_of(found, &who);
	struct policy policy;

	cr_assert_geq(taken, found->rules);
	cr_assert_lt(taken, found->rules + found->image->n_rules);
	for (uint32_t i = 0; i < found->image->n_rules; i++) {
		const struct policy_rule *rule = &found->rules[i];
		const char *text = policy_string(found, rule->arguments);

		cr_assert_leq(strlen(policy_string(found, rule->name)),
			      found->image->strings_size);
		while (text != NULL && *text != '\0')
			text = policy_next_string(text);
		policy_of_rule(found, rule, &environment, &policy);
	}
	for (uint32_t i = 0; i <= found->image->n_sets; i++)
		policy_set(found, i);
}

Test(policy_image, random_bytes_are_refused)
{
	for (unsigned int seed = 0; seed < 20000; seed++) {
		srand(seed);

		const size_t size = sizeof(struct policy_image) +
				    (size_t)rand() % 1000;
		struct policy_image *random = malloc(size);

		fill_randomly(random, size);
		random->magic = POLICY_MAGIC;
		/* Further in, the more of them is plausible. */
		if (seed % 2 == 0)
			random->format = POLICY_FORMAT;
		if (seed % 4 == 0) {
			random->n_rules = rand() % 5;
			random->n_reserves = rand() % 3;
			random->strings_size = rand() % 16 * 8;
			random->patterns_size = rand() % 16 * 8;
			random->n_sets = 0;
		}
		if (seed % 8 == 0)
			random->size =
				sizeof(*random) +
				random->n_rules * sizeof(struct policy_match) +
				random->n_rules * sizeof(struct policy_rule) +
				random->n_reserves *
					sizeof(struct policy_reserve) +
				random->strings_size;
		cr_assert_eq(policy_image_open(random, size, &tables), -EINVAL,
			     "seed %u", seed);
		free(random);
	}
}

Test(policy_image, random_tables_of_a_right_checksum_are_harmless)
{
	for (unsigned int seed = 0; seed < 20000; seed++) {
		srand(seed);

		const uint32_t n_rules = 1 + rand() % 4;
		const uint32_t n_reserves = rand() % 3;
		const uint32_t strings_size = 8 + rand() % 16 * 8;
		const uint32_t n_sets = seed % 16 == 0;
		const size_t head = sizeof(struct policy_image) +
				    n_rules * sizeof(struct policy_match);
		const size_t n_tables =
			head + n_rules * sizeof(struct policy_rule) +
			n_reserves * sizeof(struct policy_reserve);
		const size_t size = n_tables + strings_size +
				    n_sets * sizeof(struct policy_set);
		struct policy_image *random = malloc(size);
		char *strings = (char *)random + head;
		struct policy_rule *rules =
			(struct policy_rule *)(strings + strings_size);
		uint32_t *words = (uint32_t *)random;

		fill_randomly(random, size);
		/* Offsets within the strings, and just behind. */
		for (size_t i = 0;
		     i < (n_tables + strings_size) / sizeof(*words); i++)
			words[i] %= strings_size + 2;
		for (uint32_t i = 0; i < strings_size; i++)
			if (rand() % 2 == 0)
				strings[i] = "a*?[]\\/"[rand() % 8];
		random->magic = POLICY_MAGIC;
		random->format = POLICY_FORMAT;
		random->size = size;
		random->n_rules = n_rules;
		random->n_reserves = n_reserves;
		random->strings_size = strings_size;
		random->patterns_size = 8 + rand() % (strings_size / 8) * 8;
		random->n_sets = n_sets;
		strings[0] = '\0';
		strings[strings_size - 2] = strings[strings_size - 1] = '\0';
		strings[random->patterns_size - 2] = '\0';
		strings[random->patterns_size - 1] = '\0';
		for (uint32_t i = 0; i < n_rules; i++)
			rules[i].checksum = policy_rule_checksum(&rules[i]);
		random->checksum = policy_image_checksum(random);
		cr_assert_eq(policy_image_open(random, size, &tables), 0,
			     "seed %u", seed);
		walk(&tables);
		free(random);
	}
}

Test(policy_image, a_checksum_depends_on_the_length_and_every_bit)
{
	uint64_t words[24] = { 0 };
	uint64_t seen[25];

	for (size_t n = 0; n <= 24; n++) {
		seen[n] = policy_checksum(words, n * sizeof(words[0]));
		for (size_t i = 0; i < n; i++)
			cr_assert_neq(seen[i], seen[n]);
	}
	for (int bit = 0; bit < 24 * 64; bit++) {
		words[bit / 64] ^= UINT64_C(1) << bit % 64;
		cr_assert_neq(policy_checksum(words, sizeof(words)), seen[24]);
		words[bit / 64] ^= UINT64_C(1) << bit % 64;
	}
}
