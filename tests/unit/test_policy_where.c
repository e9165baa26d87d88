/* SPDX-License-Identifier: MIT */
#include "policy_file_here.h"

TestSuite(policy_where, .init = setup, .fini = teardown, .timeout = 900);

static char of_root[PATH_MAX]; /* where the last load has gone */

static void load_anywhere(const char *text, const char *expected)
{
	const struct policy_load load = { .image = text, .size = strlen(text) };
	uint64_t edition;

	cr_assert_eq(policy_file_load(&anywhere, &load, &edition, of_root), 0);
	cr_assert_str_eq(of_root, expected);
}

static void mount_without_run(void)
{
	mount_run_and_shm("mode=755");
	cr_assert_eq(mount("none", "/run", NULL, MS_REMOUNT | MS_RDONLY,
			   "mode=755"),
		     0);
}

static void assert_found(const struct place *where, const char *expected)
{
	char found[PATH_MAX] = "";

	cr_assert_eq(policy_file_open(where, POLICY_CREATE, &file, found), 0);
	cr_assert_str_eq(found, expected);
	policy_file_close(&file);
}

Test(policy_where, what_root_has_published_binds_whatever_the_folder)
{
	char found[PATH_MAX];

	mount_run_and_shm("mode=755");
	/* A program makes no /run/berth. */
	assert_found(&anywhere, "/dev/shm/berth-0/3/policy");
	/* Nothing published there: the environment's folder. */
	assert_found(&place, path);
	load_anywhere("root....", "/run/berth/3/policy");
	cr_assert_eq(policy_file_open(&place, POLICY_CREATE, &file, found), 0);
	cr_assert_str_eq(found, of_root);
	cr_assert(file.by_root);
	cr_assert_eq(policy_file_edition(&file) % 2, 1);
	policy_file_close(&file);
	cr_assert_eq(chown(of_root, SOMEBODY, SOMEBODY), 0);
	assert_found(&place, path);
}

Test(policy_where, where_run_cannot_be_written_it_is_in_dev_shm)
{
	mount_without_run();
	load_anywhere("root....", "/dev/shm/berth-0/3/policy");
	assert_found(&place, of_root);
}

/* And whoever follows the old file comes to the new one. */
Test(policy_where, a_full_run_does_not_stop_a_load)
{
	static char large[200000];
	struct policy_load load = { .image = large, .size = sizeof(large) };
	struct policy_file old;
	uint64_t edition;

	mount_run_and_shm("mode=755,size=64k");
	load_anywhere("first...", "/run/berth/3/policy");
	cr_assert_eq(policy_file_open(&anywhere, POLICY_EXISTING, &old, NULL),
		     0);
	cr_assert_eq(policy_file_load(&anywhere, &load, &edition, of_root), 0);
	cr_assert_str_eq(of_root, "/dev/shm/berth-0/3/policy");
	cr_assert(policy_file_has_moved(&old));
	policy_file_close(&old);
	assert_found(&anywhere, of_root);
}

Test(policy_where, root_takes_its_name_in_dev_shm_back)
{
	static const char name[] = "/dev/shm/berth-0";
	mount_without_run();
	for (int kind = 0; kind < 4; kind++) {
		rename(name, "/dev/shm/before");
		if (kind == 0)
			cr_assert_eq(mkdir(name, 0777), 0);
		else if (kind == 1)
			cr_assert_eq(symlink("/tmp", name), 0);
		else if (kind == 2)
			cr_assert_eq(mknod(name, S_IFREG | 0666, 0), 0);
		else
			cr_assert(mkdir(name, 0755) == 0 &&
				  mkdir("/dev/shm/berth-0/3", 0755) == 0);
		cr_assert_eq(lchown(name, SOMEBODY, SOMEBODY), 0);
		load_anywhere("root....", "/dev/shm/berth-0/3/policy");
		cr_assert(S_ISDIR(status_of(name).st_mode));
		cr_assert_eq(status_of(name).st_uid, 0);
		cr_assert_eq(mode_of(name), 0755);
		cr_assert_eq(policy_file_open(&anywhere, POLICY_EXISTING, &file,
					      NULL),
			     0);
		cr_assert_eq(policy_file_edition(&file) % 2, 1);
		policy_file_close(&file);
		remove_tree("/dev/shm/before");
	}
}

/* A folder that was mounted there, say, and belongs to a container's user. */
Test(policy_where, a_policy_of_anothers_in_run_is_not_followed_but_seen)
{
	mount_run_and_shm("mode=755");
	load_anywhere("theirs..", "/run/berth/3/policy");
	cr_assert_eq(chown("/run/berth", SOMEBODY, SOMEBODY), 0);
	cr_assert_eq(chown(of_root, SOMEBODY, SOMEBODY), 0);
	cr_assert_eq(policy_file_open(&anywhere, POLICY_CREATE, &file, of_root),
		     0);
	cr_expect_str_eq(of_root, "/dev/shm/berth-0/3/policy");
	cr_expect_eq(policy_file_edition(&file), 0);
	cr_expect(file.has_ignored);
	cr_expect_eq(file.ignored_uid, SOMEBODY);
	cr_expect_eq(file.ignored_parent, PARENT_RUN);
	policy_file_close(&file);
	/* Nor is it in the way. */
	load_anywhere("root....", "/dev/shm/berth-0/3/policy");
	assert_found(&anywhere, of_root);
}

Test(policy_where, one_that_others_may_write_is_not_followed)
{
	mount_run_and_shm("mode=755");
	load_anywhere("root....", "/run/berth/3/policy");
	cr_assert_eq(chmod("/run/berth/3", 0777), 0);
	cr_assert_lt(policy_file_open(&anywhere, POLICY_EXISTING, &file,
				      of_root),
		     0);
	cr_expect(file.has_ignored);
}
