/* SPDX-License-Identifier: MIT */
#include <pthread.h>
#include <sys/prctl.h>

#include "policy_source_here.h"

TestSuite(policy_source, .init = setup, .fini = remove_place, .timeout = 900);

Test(policy_source, without_a_policy_published_the_environment_is_followed)
{
	variables[0] = "BERTH_RANGE=30000-30999";
	variables[1] = "BERTH_ALGORITHM=hash";
	open_source();
	assert_get(POLICY_SAME, "environment");
	assert_ports(30000);
	cr_assert_eq(policy.edition, 0);
	cr_assert_eq(policy.rest_ms, 0);
	cr_assert_eq(policy.settings[SETTING_ALGORITHM],
		     setting_by_word(SETTING_ALGORITHM, "hash"));
}

Test(policy_source, without_a_file_the_environment_is_followed_too)
{
	const struct place nowhere = { .directory = directory };
	struct environment_error error;

	variables[0] = "BERTH_RANGE=30000-30999";
	cr_assert_eq(policy_source_open(&source, lookup, &kernel, &nowhere,
					&error),
		     0);
	cr_assert_null(source.files[0].preamble);
	assert_get(POLICY_SAME, "environment");
	assert_ports(30000);
	publish_good("A", 20000);
	assert_get(POLICY_SAME, "environment");
}

Test(policy_source, a_mistake_in_the_environment_is_told)
{
	struct environment_error error;

	variables[0] = "BERTH_RANGE=70000";
	cr_assert_eq(policy_source_open(&source, lookup, &kernel, &place,
					&error),
		     -EINVAL);
	cr_assert_str_eq(error.variable, "BERTH_RANGE");
	assert_get(POLICY_SAME, "environment");
	cr_assert_eq(policy.ranges[PROTOCOL_TCP][ROLE_OF_CONNECT]->n_ports,
		     16384);
}

Test(policy_source, what_is_published_is_followed_from_the_next_call_on)
{
	open_source();
	assert_get(POLICY_SAME, "environment");

	const uint64_t edition = publish_good("A", 20000);

	cr_assert_not(policy_source_is(&source, &policy));
	assert_get(POLICY_NEW, "A");
	assert_ports(20000);
	cr_assert_eq(policy.edition, edition);
	cr_assert_eq(policy.rest_ms, 20000);
	assert_get(POLICY_SAME, "A");
	assert_ports(20000);
	publish_good("B", 40000);
	cr_assert_not(policy_source_is(&source, &policy));
	assert_get(POLICY_NEW, "B");
	assert_ports(40000);
	assert_get(POLICY_SAME, "B");
}

Test(policy_source, one_that_was_there_before_is_followed_from_the_start)
{
	publish_good("A", 20000);
	open_source();
	assert_get(POLICY_NEW, "A");
	assert_get(POLICY_SAME, "A");
}

Test(policy_source, an_unload_is_the_way_back_to_the_environment)
{
	open_source();
	follow("A", 20000);
	unpublish();
	assert_get(POLICY_NEW, "environment");
	cr_assert_eq(policy.ranges[PROTOCOL_TCP][ROLE_OF_CONNECT],
		     &source.environment.range);
	assert_get(POLICY_SAME, "environment");
	follow("B", 40000);
}

Test(policy_source, more_loads_than_policies_are_kept_are_all_followed)
{
	open_source();
	for (uint32_t i = 0; i < 5 * N_POLICIES_KEPT; i++) {
		char name[16];

		snprintf(name, sizeof(name), "rule-%u", i);
		follow(name, 20000 + i);
		assert_get(POLICY_SAME, name);
	}
}

Test(policy_source, the_rule_is_that_of_the_program_at_its_start)
{
	cr_assert_eq(prctl(PR_SET_NAME, "special"), 0);
	open_source();
	publish_good("A", 20000);
	assert_get(POLICY_NEW, "special");
	assert_ports(20000 + SPECIAL_OFFSET);
	cr_assert_eq(prctl(PR_SET_NAME, "other"), 0);
	publish_good("B", 40000);
	assert_get(POLICY_NEW, "special");
	assert_ports(40000 + SPECIAL_OFFSET);
}

static void open_that_names_ports(void)
{
	variables[0] = "BERTH_RANGE=30000-30999";
	open_source();
	cr_assert(source.environment.names_ports);
}

Test(policy_source, what_root_has_published_goes_before_the_environment)
{
	if (geteuid() != 0)
		cr_skip_test("needs root");
	open_that_names_ports();
	cr_assert(source.files[0].by_root);
	assert_get(POLICY_SAME, "environment");
	follow("A", 20000);
}

Test(policy_source, ports_in_the_environment_go_before_another_users_policy)
{
	if (geteuid() == 0)
		cr_assert_eq(chown(path, 12345, 12345), 0);
	open_that_names_ports();
	cr_assert_not(source.files[0].by_root);
	publish_good("A", 20000);
	assert_get(POLICY_NEW, "environment");
	assert_ports(30000);
	assert_get(POLICY_SAME, "environment");
	/* Nor is it looked at, damaged or not. */
	publish_damaged("B", 40000);
	assert_get(POLICY_NEW, "environment");
}

Test(policy_source, without_ports_in_the_environment_anybodys_policy_binds)
{
	if (geteuid() == 0)
		cr_assert_eq(chown(path, 12345, 12345), 0);
	variables[0] = "BERTH_LOG=none";
	open_source();
	cr_assert_not(source.files[0].by_root);
	follow("A", 20000);
	cr_assert_eq(policy.settings[SETTING_LOG], LOG_NONE);
}

/* Readers, while a loader goes back and forth between two policies. */
enum { N_READERS = 4, N_LOADS = 2000 };

static atomic_u32 is_over, n_wrong;
static atomic_u32 n_checked[2];

static bool is_whole(const struct policy *copy, uint32_t first)
{
	if (copy->rest_ms != first)
		return false;
	for (int protocol = 0; protocol < N_PROTOCOLS; protocol++) {
		if (!has_range(copy->ranges[protocol][ROLE_OF_CONNECT],
			       first) ||
		    !has_range(copy->ranges[protocol][ROLE_OF_LISTEN], first) ||
		    !has_range(copy->avoided[protocol], first + 5000) ||
		    !has_range(copy->refused[protocol], first + 5000) ||
		    !has_range(copy->owned[protocol], first + 5000) ||
		    !has_range(copy->dynamic[protocol], first))
			return false;
	}
	return true;
}

static void *read_on(void *unused)
{
	for (int i = 0; load_relaxed_u32(&is_over) == 0; i++) {
		struct policy copy;

		/* Where there are fewer processors, the loader gets one. */
		if (i % 32 == 0)
			usleep(1);
		policy_source_get(&source, &copy);

		const bool is_a = strcmp(copy.rule, "A") == 0;
		const bool is_b = strcmp(copy.rule, "B") == 0;
		const bool whole = (is_a || is_b) &&
				   is_whole(&copy, is_a ? 20000 : 40000);

		/* What was read counts only if it lay still. */
		atomic_thread_fence(memory_order_acquire);
		if (!policy_source_is(&source, &copy))
			continue;
		add_relaxed_u32(&n_wrong, !whole);
		add_relaxed_u32(&n_checked[is_b], 1);
	}
	return unused;
}

Test(policy_source, whoever_reads_while_others_load_gets_one_policy_whole)
{
	struct image *const images[2] = {
		make_image("A", 20000),
		make_image("B", 40000),
	};
	pthread_t readers[N_READERS];

	publish(images[1]);
	open_source();
	for (int i = 0; i < N_READERS; i++)
		cr_assert_eq(pthread_create(&readers[i], NULL, read_on, NULL),
			     0);
	for (int i = 0; i < N_LOADS; i++)
		publish(images[i % 2]);
	store_relaxed_u32(&is_over, 1);
	for (int i = 0; i < N_READERS; i++)
		pthread_join(readers[i], NULL);
	free(images[0]);
	free(images[1]);
	cr_expect_eq(load_relaxed_u32(&n_wrong), 0, "%u wrong of %u",
		     load_relaxed_u32(&n_wrong),
		     load_relaxed_u32(&n_checked[0]) +
			     load_relaxed_u32(&n_checked[1]));
	cr_expect_gt(load_relaxed_u32(&n_checked[0]), 100);
	cr_expect_gt(load_relaxed_u32(&n_checked[1]), 100);
	/* The readers may have ended before the last load. */
	policy_source_get(&source, &policy);
	assert_get(POLICY_SAME, "B");
	assert_ports(40000);
}
