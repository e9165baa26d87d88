/* SPDX-License-Identifier: MIT */
#include <sys/resource.h>

#include "policy_file_here.h"

TestSuite(policy_file, .init = setup, .fini = teardown, .timeout = 900);

Test(policy_file, it_is_made_empty_and_found_again)
{
	char found[PATH_MAX];

	make();
	cr_expect_eq(policy_file_edition(&file), 0);
	policy_file_close(&file);
	cr_expect_null(file.preamble);
	cr_assert_eq(policy_file_open(&place, POLICY_EXISTING, &file, found),
		     0);
	cr_expect_str_eq(found, path);
	cr_expect_eq(file.by_root, geteuid() == 0);
	cr_expect_eq(policy_file_edition(&file), 0);
	cr_expect_eq(status_of(path).st_size,
		     sizeof(struct policy_file_header));
	cr_expect_lt(status_of(path).st_blocks * 512, 65536);
}

Test(policy_file, what_is_not_there_is_not_made_unless_asked)
{
	cr_expect_eq(open_file(POLICY_EXISTING), -ENOENT);
	cr_expect_null(file.preamble);
	cr_expect_eq(policy_file_edition(&file), 0);
	cr_expect_eq(access(folder, F_OK), -1);
}

Test(policy_file, only_its_owner_may_write_it)
{
	umask(0);
	make();
	cr_expect_eq(mode_of(path), 0644);
}

Test(policy_file, a_map_that_is_there_already_sees_what_is_published)
{
	make();
	cr_assert_eq(policy_file_edition(&file) % 2, 0);

	const uint64_t first = publish_ok('a');

	assert_in_force(first, 'a');
	/* So does one that is opened later. */
	policy_file_close(&file);
	cr_assert_eq(open_file(POLICY_EXISTING), 0);
	assert_in_force(first, 'a');

	const uint64_t none = unpublish();

	/* For who reads it just now. */
	cr_assert(slot_is(first, 'a', IMAGE_SIZE));
	cr_assert_gt(none, first);
	cr_assert_eq(policy_file_edition(&file), none);
	cr_assert_eq(none % 2, 0);

	const uint64_t second = publish_ok('b');

	cr_assert_gt(second, none);
	assert_in_force(second, 'b');
}

Test(policy_file, loads_take_turns_in_two_slots)
{
	make();

	const uint64_t first = publish_ok('a');
	const uint64_t second = publish_ok('b');

	assert_in_force(second, 'b');
	cr_assert_neq(image_of(first), image_of(second));
	/* For who reads it just now. */
	cr_assert(slot_is(first, 'a', IMAGE_SIZE));

	const uint64_t third = publish_ok('c');

	assert_in_force(third, 'c');
	cr_assert_eq(image_of(first), image_of(third));
	cr_assert(slot_is(second, 'b', IMAGE_SIZE));
}

Test(policy_file, a_shorter_image_is_told_by_its_size)
{
	uint64_t edition;

	make();
	publish_ok('a');
	publish_ok('b');
	cr_assert_eq(publish('c', 1000, &edition), 0);
	cr_assert(slot_is(edition, 'c', 1000));
	cr_assert_eq(found_size, 1000);
}

/* Whatever has the name of the folder or of the file. */
Test(policy_file, a_load_replaces_what_is_no_policy_file)
{
	const char *other = in_directory("other");

	cr_assert_eq(mkdir(folder, 0755), 0);
	cr_assert_eq(mkfifo(path, 0600), 0);
	publish_ok('a');
	make();
	policy_file_close(&file);
	cr_assert_eq(rename(path, other), 0);
	cr_assert_eq(symlink(other, path), 0);
	publish_ok('b');
	make();
	assert_in_force(policy_file_edition(&file), 'b');
	policy_file_close(&file);
	cr_assert_eq(truncate(path, 63), 0);
	publish_ok('c');
	make();
	assert_in_force(policy_file_edition(&file), 'c');
	/* Nothing was written through the link. */
	cr_expect_eq(status_of(other).st_nlink, 1);
}

Test(policy_file, a_folder_that_is_a_link_is_not_written_through)
{
	const char *other = in_directory("other");
	uint64_t edition = 99;

	cr_assert_eq(mkdir(other, 0700), 0);
	cr_assert_eq(symlink(other, folder), 0);
	cr_expect_eq(publish('a', 8, &edition), -EACCES);
	cr_expect_eq(edition, 99);
	cr_expect_eq(rmdir(other), 0, "something is in it");
}

/* By an empty one. */
static void assert_replaced(const struct place *where)
{
	const ino_t before = status_of(path).st_ino;
	/* Held open, so that its inode cannot be used again. */
	const int fd = open(path, O_RDONLY);

	policy_file_close(&file);
	cr_assert_eq(policy_file_open(where, POLICY_EXISTING, &file, NULL),
		     -ESTALE);
	cr_assert_null(file.preamble);
	cr_assert_eq(status_of(path).st_ino, before);
	cr_assert_eq(policy_file_open(where, POLICY_CREATE, &file, NULL), 0);
	cr_assert_neq(status_of(path).st_ino, before);
	cr_assert_eq(policy_file_edition(&file), 0);
	close(fd);
}

Test(policy_file, one_of_a_namespace_that_is_gone_is_replaced)
{
	struct place other = place;

	other.netns_cookie++;
	make();
	publish_ok('a');
	assert_replaced(&other);
}

Test(policy_file, one_without_a_cookie_is_kept)
{
	make();
	SPOIL(policy_preamble, netns_cookie, 0);

	const uint64_t edition = publish_ok('a');

	policy_file_close(&file);
	make();
	assert_in_force(edition, 'a');
}

Test(policy_file, one_of_another_inode_or_of_no_such_kind_is_replaced)
{
	make();
	SPOIL(policy_preamble, netns_inode, INODE + 1);
	assert_replaced(&place);
	SPOIL(policy_preamble, magic, POLICY_FILE_MAGIC + 1);
	assert_replaced(&place);
}

static void make_another_version(uint32_t on_error)
{
	make();
	for (size_t i = 0; i < 2; i++)
		spoil(offsetof(struct policy_preamble, on_error) +
			      i * sizeof(on_error),
		      &on_error, sizeof(on_error));
	SPOIL(policy_preamble, version, POLICY_FILE_VERSION + 1);
	policy_file_close(&file);
}

/* Its preamble is the same: it is there, it is in force, what is to be done. */
Test(policy_file, one_of_another_version_is_kept_and_says_what_is_to_be_done)
{
	make();

	const uint64_t edition = publish_ok('a');
	const ino_t before = status_of(path).st_ino;

	policy_file_close(&file);
	make_another_version(ON_ERROR_REFUSE);
	cr_assert_eq(open_file(POLICY_CREATE), 0);
	cr_expect_eq(status_of(path).st_ino, before);
	cr_expect_eq(policy_file_edition(&file), edition);
	cr_expect_eq(policy_file_on_error(&file, edition), ON_ERROR_REFUSE);
	cr_expect_eq(follow(edition), -ENOTSUP);
}

Test(policy_file, a_load_replaces_another_versions_and_says_so_in_it)
{
	struct policy_file old;

	make();

	const uint64_t before = publish_ok('a');

	policy_file_close(&file);
	make_another_version(ON_ERROR_PRIVATE);
	cr_assert_eq(policy_file_open(&place, POLICY_EXISTING, &old, NULL), 0);
	cr_assert_not(policy_file_has_moved(&old));

	const uint64_t edition = publish_ok('b');

	cr_assert_gt(edition, before);
	cr_assert_gt(policy_file_edition(&old), before);
	cr_assert(policy_file_has_moved(&old));
	make();
	assert_in_force(edition, 'b');
	cr_assert_not(policy_file_has_moved(&file));
	policy_file_close(&old);
}

Test(policy_file, an_unload_takes_another_versions_out_of_force)
{
	make();
	publish_ok('a');
	policy_file_close(&file);
	make_another_version(ON_ERROR_REFUSE);

	const uint64_t edition = unpublish();

	cr_assert_eq(edition % 2, 0);
	cr_assert_eq(open_file(POLICY_EXISTING), 0);
	cr_assert_eq(policy_file_edition(&file), edition);
}

/* Edge case 47. To 512 KiB: what is there already has more. */
static void limit_memory(rlim_t size)
{
	struct rlimit limit = { size, RLIM_INFINITY };

	cr_assert_eq(setrlimit(RLIMIT_AS, &limit), 0);
}

Test(policy_file, without_memory_to_map_it_is_known_to_be_in_force)
{
	const struct policy_load load = { .image = image,
					  .size = IMAGE_SIZE,
					  .on_error = ON_ERROR_REFUSE };
	uint64_t edition, seen;
	int opened, followed;

	cr_assert_eq(policy_file_load(&place, &load, &edition, NULL), 0);
	limit_memory(512 << 10);
	opened = open_file(POLICY_CREATE);
	seen = policy_file_edition(&file);
	followed = follow(edition);
	limit_memory(RLIM_INFINITY);
	cr_assert_eq(opened, 0);
	cr_assert_eq(seen, edition);
	cr_expect_eq(policy_file_on_error(&file, edition), ON_ERROR_REFUSE);
	cr_expect_eq(followed, -ENOMEM);
}

Test(policy_file, without_memory_for_an_image_that_comes_it_is_not_followed)
{
	uint64_t first, second;
	int followed;

	make();
	first = publish_ok('a');
	assert_in_force(first, 'a');
	second = publish_ok('b');
	limit_memory(512 << 10);
	followed = follow(second);
	limit_memory(RLIM_INFINITY);
	cr_expect_eq(followed, -ENOMEM);
	/* Once there is memory, it is. */
	assert_in_force(second, 'b');
}

Test(policy_file, one_that_is_cut_short_is_damaged)
{
	uint64_t edition = publish_ok('x');

	make();
	cr_assert_eq(follow(edition), 0);
	policy_file_close(&file);
	cr_assert_eq(truncate(path, 4096), 0);
	make();
	cr_assert_eq(follow(edition), -EINVAL);
	/* A load makes it whole, for those too who have it open. */
	edition = publish_ok('y');
	cr_assert_eq(follow(edition), 0);
	cr_assert_eq(*(const char *)found_image, 'y');
}

Test(policy_file, garbage_is_replaced)
{
	char garbage[8192];

	make();
	srand(1);
	for (size_t i = 0; i < sizeof(garbage); i++)
		garbage[i] = (char)rand();
	spoil(0, garbage, sizeof(garbage));
	assert_replaced(&place);
	cr_assert_eq(truncate(path, 10), 0);
	assert_replaced(&place);
	publish_ok('a');
}

Test(policy_file, without_a_namespace_to_name_there_is_none)
{
	const struct place nowhere = { .directory = directory };

	cr_expect_eq(policy_file_open(&nowhere, POLICY_CREATE, &file, NULL),
		     -ENOENT);
	cr_expect_null(file.preamble);
}
