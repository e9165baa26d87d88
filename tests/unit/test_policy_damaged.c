/* SPDX-License-Identifier: MIT */
#include <sys/resource.h>

#include "policy_source_here.h"

TestSuite(policy_damaged, .init = setup, .fini = remove_place, .timeout = 900);

Test(policy_damaged, a_damaged_policy_is_told_once_and_the_old_one_kept)
{
	open_source();
	follow("A", 20000);
	publish_damaged("B", 40000);
	assert_get(POLICY_DAMAGED, "A");
	assert_ports(20000);
	assert_get(POLICY_SAME, "A");
	assert_ports(20000);
	follow("C", 50000);
}

static void assert_ports_of_a_or_none(void)
{
	if (strcmp(policy.rule, "A") == 0)
		assert_ports(20000);
	else
		assert_left_to_the_kernel();
}

Test(policy_damaged, of_two_damaged_ones_in_a_row_none_is_followed)
{
	open_source();
	follow("A", 20000);
	publish_damaged("B", 40000);
	assert_get(POLICY_DAMAGED, "A");
	publish_damaged("C", 50000);
	memset(&policy, 0xa5, sizeof(policy));
	cr_assert_eq(policy_source_get(&source, &policy), POLICY_DAMAGED);
	/* What lay where A's sets lay has gone: whichever policy is kept, its
	 * ports are its own. */
	assert_ports_of_a_or_none();
	cr_assert_eq(policy_source_get(&source, &policy), POLICY_SAME);
}

/* The load that fails had begun to write where A's sets lie. */
Test(policy_damaged, a_load_that_fails_takes_no_ports_away_after_a_damaged_one)
{
	static char large[300000];
	const struct policy_load load = { .image = large,
					  .size = sizeof(large) };
	struct policy_file file;
	uint64_t edition;

	mount_here(directory, "size=200k");
	cr_assert_eq(policy_file_open(&place, POLICY_CREATE, &file, NULL), 0);
	policy_file_close(&file);
	open_source();
	follow("A", 20000);
	publish_damaged("B", 40000);
	cr_assert_eq(policy_source_get(&source, &policy), POLICY_DAMAGED);
	cr_assert_eq(policy_file_load(&place, &load, &edition, NULL), -ENOSPC);
	cr_assert_eq(policy_source_get(&source, &policy), POLICY_SAME);
	cr_assert(policy_source_is(&source, &policy));
	assert_ports_of_a_or_none();
}

/* Never taken for none: the environment has no say. */
Test(policy_damaged, a_first_policy_that_is_damaged_leaves_it_to_the_kernel)
{
	publish_damaged("A", 20000);
	open_source();
	assert_get(POLICY_DAMAGED, "not followed");
	assert_left_to_the_kernel();
	assert_get(POLICY_SAME, "not followed");
	unpublish();
	assert_get(POLICY_NEW, "environment");
}

Test(policy_damaged, one_that_cannot_be_followed_refuses_where_it_says_so)
{
	on_error = ON_ERROR_REFUSE;
	publish_damaged("A", 20000);
	open_source();
	assert_get(POLICY_DAMAGED, "not followed");
	cr_assert(policy_refuses_all(&policy));
	on_error = ON_ERROR_PRIVATE;
	follow("B", 20000);
	cr_assert_not(policy_refuses_all(&policy));
}

static void change_version(void)
{
	SPOIL(policy_preamble, version, POLICY_FILE_VERSION + 1);
}

Test(policy_damaged, one_of_another_version_is_not_taken_for_none)
{
	variables[0] = "BERTH_LOG=none";
	publish_good("A", 20000);
	change_version();
	open_source();
	assert_get(POLICY_DAMAGED, "not followed");
	assert_left_to_the_kernel();
	unpublish();
	assert_get(POLICY_NEW, "environment");
}

/* It comes in place of the old file, which the program has mapped. */
Test(policy_damaged, what_replaces_another_version_is_followed_at_once)
{
	publish_good("A", 20000);
	change_version();
	open_source();
	assert_get(POLICY_DAMAGED, "not followed");
	follow("B", 40000);
	follow("C", 50000);
}

/* After so many moves a process keeps what it has. */
Test(policy_damaged, a_file_may_move_some_times)
{
	publish_good("A", 20000);
	open_source();
	assert_get(POLICY_NEW, "A");
	for (uint32_t i = 1; i < N_FILES_KEPT; i++) {
		change_version();
		follow("B", 20000 + i);
	}
	change_version();
	publish_good("C", 30000);
	assert_get(POLICY_DAMAGED, "B");
	assert_ports(20000 + N_FILES_KEPT - 1);
}

/* Edge case 47: what could not be looked at may be a policy in force. */
Test(policy_damaged, without_a_descriptor_it_is_not_known_whether_there_is_one)
{
	struct environment_error error;
	struct rlimit limit, none;
	int result;

	variables[0] = "BERTH_ON_ERROR=refuse";
	publish_good("A", 20000);
	cr_assert_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
	none = (struct rlimit){ 0, limit.rlim_max };
	cr_assert_eq(setrlimit(RLIMIT_NOFILE, &none), 0);
	result = policy_source_open(&source, lookup, &kernel, &place, &error);
	setrlimit(RLIMIT_NOFILE, &limit);
	cr_assert_eq(result, 0);
	assert_get(POLICY_SAME, "environment");
	cr_assert(policy_refuses_all(&policy));
}

Test(policy_damaged, a_rule_with_a_damaged_set_or_setting_is_damaged)
{
	struct image *image = make_image("B", 40000);

	open_source();
	follow("A", 20000);
	image->sets[RANGE].ports.words[1023] ^= 1;
	publish(image);
	assert_get(POLICY_DAMAGED, "A");
	image->sets[RANGE].ports.words[1023] ^= 1;
	publish(image);
	assert_get(POLICY_NEW, "B");
	image->rules[DEFAULT].settings[SETTING_REST] = 3;
	finish_image(image);
	publish(image);
	assert_get(POLICY_DAMAGED, "B");
	/* A set that no rule of this program has is not looked at. */
	image->rules[DEFAULT].settings[SETTING_REST] = REST_OF_ALL;
	image->sets[SPECIAL_RANGE].checksum++;
	finish_image(image);
	publish(image);
	assert_get(POLICY_NEW, "B");
	free(image);
}
