/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "kernel/kernel.h"
#include "map/place.h"
#include "policy/source.h"

/* Of no namespace that there is. */
#define INODE 3u
#define COOKIE 7u

static char directory[] = "/tmp/berth-test-source-XXXXXX";
static char path[256];

static const struct place place = {
	.directory = directory, .netns_inode = INODE, .netns_cookie = COOKIE,
	.retire = policy_file_retire,
};

static const struct kernel kernel;
static struct policy_source source;
static struct policy policy;

/* Of the policies that are published. */
static enum on_error on_error;

/* "NAME=value" each */
static const char *variables[4];

static char *lookup(const char *name)
{
	const size_t length = strlen(name);

	for (size_t i = 0; variables[i] != NULL; i++)
		if (strncmp(variables[i], name, length) == 0 &&
		    variables[i][length] == '=')
			return (char *)variables[i] + length + 1;
	return NULL;
}

static int remove_one(const char *name, const struct stat *status, int type,
		      struct FTW *ftw)
{
	(void)status;
	(void)type;
	(void)ftw;
	return remove(name);
}

static void setup(void)
{
	struct policy_file file;

	cr_assert_not_null(mkdtemp(directory));
	snprintf(path, sizeof(path), "%s/%u/policy", directory, INODE);
	cr_assert_eq(policy_file_open(&place, POLICY_CREATE, &file, NULL), 0);
	policy_file_close(&file);
}

static void teardown(void)
{
	umount2(directory, MNT_DETACH);	/* of the test that mounts there */
	nftw(directory, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

TestSuite(policy_source, .init = setup, .fini = teardown, .timeout = 900);

#define STRINGS_SIZE 64u

/* A rule for programs of one name, and the default. */
enum { SPECIAL, DEFAULT, N_RULES };
enum { RANGE, RESERVED, SPECIAL_RANGE, N_SETS };

struct image {
	struct policy_image header;
	struct policy_match matches[N_RULES];
	char strings[STRINGS_SIZE];
	struct policy_rule rules[N_RULES];
	struct policy_set sets[N_SETS];
};

#define NAME_AT 8u
#define SPECIAL_AT 40u
#define N_PORTS_EACH 1000u
#define SPECIAL_OFFSET 500u

static void fill_rule(struct image *image, int index, uint32_t range)
{
	struct policy_rule *rule = &image->rules[index];

	rule->name = index == DEFAULT ? NAME_AT : SPECIAL_AT;
	for (int protocol = 0; protocol < N_PROTOCOLS; protocol++) {
		rule->ranges[protocol][ROLE_OF_CONNECT] = range;
		rule->ranges[protocol][ROLE_OF_LISTEN] = range;
		rule->avoided[protocol] = RESERVED;
		rule->refused[protocol] = RESERVED;
		rule->owned[protocol] = RESERVED;
	}
	for (int i = 0; i < N_SETTINGS; i++)
		rule->settings[i] = setting_default((enum setting)i);
}

static void add_set(struct image *image, int index, uint32_t lo)
{
	struct policy_set *set = &image->sets[index];

	port_set_add(&set->ports, lo, lo + N_PORTS_EACH - 1);
	port_set_finish(&set->ports);
	set->checksum = policy_checksum(&set->ports, sizeof(set->ports));
}

static void finish(struct image *image)
{
	for (int i = 0; i < N_RULES; i++)
		image->rules[i].checksum =
			policy_rule_checksum(&image->rules[i]);
	image->header.checksum = policy_image_checksum(&image->header);
}

/* A policy whose default rule has a name, and 1000 ports from first on. */
static struct image *make_image(const char *name, uint32_t first)
{
	struct image *image = calloc(1, sizeof(*image));

	image->header = (struct policy_image){
		.magic = POLICY_MAGIC, .format = POLICY_FORMAT,
		.rest_ms = first, .size = sizeof(*image),
		.n_rules = N_RULES, .patterns_size = STRINGS_SIZE,
		.strings_size = STRINGS_SIZE,
		.n_sets = N_SETS, .dynamic = { RANGE, RANGE, RANGE, RANGE },
	};
	strcpy(image->strings + NAME_AT, name);
	strcpy(image->strings + SPECIAL_AT, "special");
	fill_rule(image, SPECIAL, SPECIAL_RANGE);
	image->matches[SPECIAL].conditions[CONDITION_NAME] = SPECIAL_AT;
	fill_rule(image, DEFAULT, RANGE);
	add_set(image, RANGE, first);
	add_set(image, RESERVED, first + 5000);
	add_set(image, SPECIAL_RANGE, first + SPECIAL_OFFSET);
	finish(image);
	return image;
}

static uint64_t publish(const struct image *image)
{
	uint64_t edition = 0;

	const struct policy_load load = { .image = image,
					  .size = sizeof(*image),
					  .on_error = on_error };

	cr_assert_eq(policy_file_load(&place, &load, &edition, NULL), 0);
	return edition;
}

static uint64_t publish_good(const char *name, uint32_t first)
{
	struct image *image = make_image(name, first);
	const uint64_t edition = publish(image);

	free(image);
	return edition;
}

static uint64_t publish_damaged(const char *name, uint32_t first)
{
	struct image *image = make_image(name, first);

	image->strings[NAME_AT]++;

	const uint64_t edition = publish(image);

	free(image);
	return edition;
}

static uint64_t unpublish(void)
{
	uint64_t edition = 1;

	const struct policy_load load = { .image = NULL };

	cr_assert_eq(policy_file_load(&place, &load, &edition, NULL), 0);
	return edition;
}

static void open_source(void)
{
	struct environment_error error;

	cr_assert_eq(policy_source_open(&source, lookup, &kernel, &place,
					&error), 0);
}

static void assert_get(enum policy_change expected, const char *rule)
{
	memset(&policy, 0xa5, sizeof(policy));

	const enum policy_change change = policy_source_get(&source, &policy);

	cr_assert_eq(change, expected, "%d, not %d", (int)change,
		     (int)expected);
	cr_assert_str_eq(policy.rule, rule, "%s, not %s", policy.rule, rule);
	cr_assert(policy_source_is(&source, &policy));
}

static bool has_range(const struct port_set *set, uint32_t first)
{
	uint32_t lo, hi;

	return set->n_ports == N_PORTS_EACH &&
	       port_set_next_run(set, 0, &lo, &hi) && lo == first &&
	       hi == first + N_PORTS_EACH - 1 &&
	       !port_set_next_run(set, hi + 1, &lo, &hi);
}

static void assert_ports(uint32_t first)
{
	for (int protocol = 0; protocol < N_PROTOCOLS; protocol++)
		for (int role = 0; role < N_ROLES; role++)
			cr_assert(has_range(policy.ranges[protocol][role],
					    first));
}

static void assert_left_to_the_kernel(void)
{
	for (int protocol = 0; protocol < N_PROTOCOLS; protocol++)
		for (int role = 0; role < N_ROLES; role++)
			cr_assert_eq(policy.ranges[protocol][role]->n_ports, 0);
	cr_assert_not(policy_refuses_all(&policy));
}

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
					&error), 0);
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
					&error), -EINVAL);
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
	publish_good("A", 20000);
	assert_get(POLICY_NEW, "A");
	unpublish();
	assert_get(POLICY_NEW, "environment");
	cr_assert_eq(policy.ranges[PROTOCOL_TCP][ROLE_OF_CONNECT],
		     &source.environment.range);
	assert_get(POLICY_SAME, "environment");
	publish_good("B", 40000);
	assert_get(POLICY_NEW, "B");
}

Test(policy_source, more_loads_than_policies_are_kept_are_all_followed)
{
	open_source();
	for (uint32_t i = 0; i < 5 * N_POLICIES_KEPT; i++) {
		char name[16];

		snprintf(name, sizeof(name), "rule-%u", i);
		publish_good(name, 20000 + i);
		assert_get(POLICY_NEW, name);
		assert_ports(20000 + i);
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

Test(policy_source, a_damaged_policy_is_told_once_and_the_old_one_kept)
{
	open_source();
	publish_good("A", 20000);
	assert_get(POLICY_NEW, "A");
	publish_damaged("B", 40000);
	assert_get(POLICY_DAMAGED, "A");
	assert_ports(20000);
	assert_get(POLICY_SAME, "A");
	assert_ports(20000);
	publish_good("C", 50000);
	assert_get(POLICY_NEW, "C");
	assert_ports(50000);
}

Test(policy_source, of_two_damaged_ones_in_a_row_none_is_followed)
{
	open_source();
	publish_good("A", 20000);
	assert_get(POLICY_NEW, "A");
	publish_damaged("B", 40000);
	assert_get(POLICY_DAMAGED, "A");
	publish_damaged("C", 50000);
	memset(&policy, 0xa5, sizeof(policy));
	cr_assert_eq(policy_source_get(&source, &policy), POLICY_DAMAGED);
	/* What lay where A's sets lay has gone: whichever policy is kept, its
	 * ports are its own. */
	if (strcmp(policy.rule, "A") == 0)
		assert_ports(20000);
	else
		assert_left_to_the_kernel();
	cr_assert_eq(policy_source_get(&source, &policy), POLICY_SAME);
}

/* The load that fails had begun to write where A's sets lie. */
Test(policy_source, a_load_that_fails_takes_no_ports_away_after_a_damaged_one)
{
	static char large[300000];
	const struct policy_load load = { .image = large,
					  .size = sizeof(large) };
	struct policy_file file;
	uint64_t edition;

	if (geteuid() != 0 || unshare(CLONE_NEWNS) != 0 ||
	    mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
	    mount("none", directory, "tmpfs", 0, "size=200k") != 0)
		cr_skip_test("needs a mount namespace of its own");
	cr_assert_eq(policy_file_open(&place, POLICY_CREATE, &file, NULL), 0);
	policy_file_close(&file);
	open_source();
	publish_good("A", 20000);
	assert_get(POLICY_NEW, "A");
	publish_damaged("B", 40000);
	cr_assert_eq(policy_source_get(&source, &policy), POLICY_DAMAGED);
	cr_assert_eq(policy_file_load(&place, &load, &edition, NULL),
		     -ENOSPC);
	cr_assert_eq(policy_source_get(&source, &policy), POLICY_SAME);
	cr_assert(policy_source_is(&source, &policy));
	if (strcmp(policy.rule, "A") == 0)
		assert_ports(20000);
	else
		assert_left_to_the_kernel();
}

/* Never taken for none: the environment has no say. */
Test(policy_source, a_first_policy_that_is_damaged_leaves_it_to_the_kernel)
{
	publish_damaged("A", 20000);
	open_source();
	assert_get(POLICY_DAMAGED, "not followed");
	assert_left_to_the_kernel();
	assert_get(POLICY_SAME, "not followed");
	unpublish();
	assert_get(POLICY_NEW, "environment");
}

Test(policy_source, one_that_cannot_be_followed_refuses_where_it_says_so)
{
	on_error = ON_ERROR_REFUSE;
	publish_damaged("A", 20000);
	open_source();
	assert_get(POLICY_DAMAGED, "not followed");
	cr_assert(policy_refuses_all(&policy));
	on_error = ON_ERROR_PRIVATE;
	publish_good("B", 20000);
	assert_get(POLICY_NEW, "B");
	cr_assert_not(policy_refuses_all(&policy));
}

static void change_version(void)
{
	const uint32_t version = POLICY_FILE_VERSION + 1;
	const int fd = open(path, O_WRONLY);

	cr_assert_eq(pwrite(fd, &version, sizeof(version),
			    offsetof(struct policy_preamble, version)),
		     (ssize_t)sizeof(version));
	close(fd);
}

Test(policy_source, one_of_another_version_is_not_taken_for_none)
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
Test(policy_source, what_replaces_another_version_is_followed_at_once)
{
	publish_good("A", 20000);
	change_version();
	open_source();
	assert_get(POLICY_DAMAGED, "not followed");
	publish_good("B", 40000);
	assert_get(POLICY_NEW, "B");
	assert_ports(40000);
	publish_good("C", 50000);
	assert_get(POLICY_NEW, "C");
	assert_ports(50000);
}

/* After so many moves a process keeps what it has. */
Test(policy_source, a_file_may_move_some_times)
{
	publish_good("A", 20000);
	open_source();
	assert_get(POLICY_NEW, "A");
	for (uint32_t i = 1; i < N_FILES_KEPT; i++) {
		change_version();
		publish_good("B", 20000 + i);
		assert_get(POLICY_NEW, "B");
		assert_ports(20000 + i);
	}
	change_version();
	publish_good("C", 30000);
	assert_get(POLICY_DAMAGED, "B");
	assert_ports(20000 + N_FILES_KEPT - 1);
}

/* Edge case 47: what could not be looked at may be a policy in force. */
Test(policy_source, without_a_descriptor_it_is_not_known_whether_there_is_one)
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

Test(policy_source, a_rule_with_a_damaged_set_or_setting_is_damaged)
{
	struct image *image = make_image("B", 40000);

	open_source();
	publish_good("A", 20000);
	assert_get(POLICY_NEW, "A");
	image->sets[RANGE].ports.words[1023] ^= 1;
	publish(image);
	assert_get(POLICY_DAMAGED, "A");
	image->sets[RANGE].ports.words[1023] ^= 1;
	publish(image);
	assert_get(POLICY_NEW, "B");
	image->rules[DEFAULT].settings[SETTING_REST] = 3;
	finish(image);
	publish(image);
	assert_get(POLICY_DAMAGED, "B");
	/* A set that no rule of this program has is not looked at. */
	image->rules[DEFAULT].settings[SETTING_REST] = REST_OF_ALL;
	image->sets[SPECIAL_RANGE].checksum++;
	finish(image);
	publish(image);
	assert_get(POLICY_NEW, "B");
	free(image);
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
	publish_good("A", 20000);
	assert_get(POLICY_NEW, "A");
	assert_ports(20000);
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
	publish_good("A", 20000);
	assert_get(POLICY_NEW, "A");
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
		make_image("A", 20000), make_image("B", 40000),
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
