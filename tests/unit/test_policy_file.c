/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "map/place.h"
#include "policy/file.h"

/* Of no namespace that there is. */
#define INODE 3u
#define COOKIE 7u

#define IMAGE_SIZE 300000u

static char directory[] = "/tmp/berth-test-policy-XXXXXX";
static char folder[128], path[256];

static struct place place = {
	.directory = directory, .netns_inode = INODE, .netns_cookie = COOKIE,
	.retire = policy_file_retire,
};

static struct policy_file file;
static char image[IMAGE_SIZE];

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
	cr_assert_not_null(mkdtemp(directory));
	snprintf(folder, sizeof(folder), "%s/%u", directory, INODE);
	snprintf(path, sizeof(path), "%s/policy", folder);
}

static void teardown(void)
{
	policy_file_close(&file);
	nftw(directory, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

TestSuite(policy_file, .init = setup, .fini = teardown, .timeout = 900);

static void make(void)
{
	cr_assert_eq(policy_file_open(&place, POLICY_CREATE, &file, NULL), 0);
	cr_assert_not_null(file.preamble);
}

/* What an image is does not matter here: one byte, repeated. */
static int publish(char byte, size_t size, uint64_t *editionp)
{
	const struct policy_load load = { .image = image, .size = size };

	memset(image, byte, sizeof(image));
	return policy_file_load(&place, &load, editionp, NULL);
}

static int publish_none(uint64_t *editionp)
{
	const struct policy_load load = { .image = NULL };

	return policy_file_load(&place, &load, editionp, NULL);
}

static uint64_t publish_ok(char byte)
{
	uint64_t edition = 0;

	cr_assert_eq(publish(byte, IMAGE_SIZE, &edition), 0);
	return edition;
}

static uint64_t unpublish(void)
{
	uint64_t edition = 1;

	cr_assert_eq(publish_none(&edition), 0);
	return edition;
}

static const char *image_of(uint64_t edition)
{
	const void *found = NULL;
	size_t size;

	cr_assert_eq(policy_file_image(&file, edition, &found, &size), 0);
	return found;
}

static size_t size_of(uint64_t edition)
{
	const void *found;
	size_t size = 0;

	cr_assert_eq(policy_file_image(&file, edition, &found, &size), 0);
	return size;
}

static bool slot_is(uint64_t edition, char byte, size_t size)
{
	const char *slot = image_of(edition);

	for (size_t i = 0; i < size; i++)
		if (slot[i] != byte)
			return false;
	return true;
}

static void assert_in_force(uint64_t edition, char byte)
{
	cr_assert_eq(policy_file_edition(&file), edition);
	cr_assert_eq(edition % 2, 1);
	cr_assert(slot_is(edition, byte, IMAGE_SIZE));
}

Test(policy_file, it_is_made_empty_and_found_again)
{
	char found[PATH_MAX];
	struct stat status;

	make();
	cr_expect_eq(policy_file_edition(&file), 0);
	policy_file_close(&file);
	cr_expect_null(file.preamble);
	cr_assert_eq(policy_file_open(&place, POLICY_EXISTING, &file, found),
		     0);
	cr_expect_str_eq(found, path);
	cr_expect_eq(file.by_root, geteuid() == 0);
	cr_expect_eq(policy_file_edition(&file), 0);
	cr_assert_eq(stat(path, &status), 0);
	cr_expect_eq(status.st_size, sizeof(struct policy_file_header));
	cr_expect_lt(status.st_blocks * 512, 65536);
}

Test(policy_file, what_is_not_there_is_not_made_unless_asked)
{
	cr_expect_eq(policy_file_open(&place, POLICY_EXISTING, &file, NULL),
		     -ENOENT);
	cr_expect_null(file.preamble);
	cr_expect_eq(policy_file_edition(&file), 0);
	cr_expect_eq(access(folder, F_OK), -1);
}

Test(policy_file, only_its_owner_may_write_it)
{
	struct stat status;

	umask(0);
	make();
	cr_assert_eq(stat(path, &status), 0);
	cr_expect_eq(status.st_mode & 0777, 0644);
}

Test(policy_file, a_map_that_is_there_already_sees_what_is_published)
{
	make();
	cr_assert_eq(policy_file_edition(&file) % 2, 0);

	const uint64_t first = publish_ok('a');

	assert_in_force(first, 'a');

	const uint64_t none = unpublish();

	cr_assert_gt(none, first);
	cr_assert_eq(policy_file_edition(&file), none);
	cr_assert_eq(none % 2, 0);

	const uint64_t second = publish_ok('b');

	cr_assert_gt(second, none);
	assert_in_force(second, 'b');
}

Test(policy_file, one_that_is_opened_later_sees_the_same)
{
	make();

	const uint64_t edition = publish_ok('a');

	policy_file_close(&file);
	cr_assert_eq(policy_file_open(&place, POLICY_EXISTING, &file, NULL), 0);
	assert_in_force(edition, 'a');
}

Test(policy_file, loads_take_turns_in_two_slots)
{
	make();

	const uint64_t first = publish_ok('a');
	const uint64_t second = publish_ok('b');

	assert_in_force(second, 'b');
	cr_assert_neq(image_of(first),
		      image_of(second));
	/* For who reads it just now. */
	cr_assert(slot_is(first, 'a', IMAGE_SIZE));

	const uint64_t third = publish_ok('c');

	assert_in_force(third, 'c');
	cr_assert_eq(image_of(first),
		     image_of(third));
	cr_assert(slot_is(second, 'b', IMAGE_SIZE));
}

Test(policy_file, an_unload_leaves_the_old_image_for_who_reads_it)
{
	make();

	const uint64_t edition = publish_ok('a');

	unpublish();
	cr_assert(slot_is(edition, 'a', IMAGE_SIZE));
}

Test(policy_file, a_shorter_image_is_told_by_its_size)
{
	uint64_t edition;

	make();
	publish_ok('a');
	publish_ok('b');
	cr_assert_eq(publish('c', 1000, &edition), 0);
	cr_assert(slot_is(edition, 'c', 1000));
	cr_assert_eq(size_of(edition), 1000);
}

/* Images take turns, so that a file is never much longer than two of them. */
Test(policy_file, many_loads_of_all_sizes_leave_a_short_file)
{
	struct stat status;
	uint64_t edition = 0;

	make();
	srand(1);
	for (int i = 0; i < 200; i++) {
		const size_t size = (size_t)(rand() % (int)IMAGE_SIZE) / 8 * 8 +
				    8;

		cr_assert_eq(publish((char)('a' + i % 26), size, &edition), 0);
		cr_assert(slot_is(edition, (char)('a' + i % 26), size));
	}
	cr_assert_eq(stat(path, &status), 0);
	cr_expect_lt(status.st_size, 3 * (off_t)IMAGE_SIZE + 8192);
}

Test(policy_file, the_largest_image_is_taken_and_a_larger_is_not)
{
	char *large = malloc(POLICY_SIZE_MAX + 1);
	struct policy_load load = { .image = large,
				    .size = POLICY_SIZE_MAX + 1 };
	uint64_t edition = 99;

	make();

	const uint64_t old = publish_ok('a');

	memset(large, 'L', POLICY_SIZE_MAX + 1);
	cr_assert_eq(policy_file_load(&place, &load, &edition, NULL),
		     -EFBIG);
	cr_assert_eq(edition, 99);
	assert_in_force(old, 'a');
	load.size = POLICY_SIZE_MAX;
	cr_assert_eq(policy_file_load(&place, &load, &edition, NULL), 0);
	cr_assert_eq(policy_file_edition(&file), edition);
	cr_assert(slot_is(edition, 'L', POLICY_SIZE_MAX));
	/* The two do not overlap. */
	cr_assert(slot_is(old, 'a', IMAGE_SIZE));
	free(large);
}

/* Sum of what /proc/self/maps shows of the file. */
static size_t mapped_bytes(void)
{
	FILE *maps = fopen("/proc/self/maps", "r");
	char line[512];
	size_t sum = 0;

	while (fgets(line, sizeof(line), maps) != NULL) {
		unsigned long from, to;

		if (strstr(line, path) != NULL &&
		    sscanf(line, "%lx-%lx", &from, &to) == 2)
			sum += to - from;
	}
	fclose(maps);
	return sum;
}

/* 18 sets of ports each: no call is made to follow them. */
Test(policy_file, an_ordinary_policy_takes_less_than_half_a_mebibyte)
{
	uint64_t edition;

	make();
	for (char byte = 'a'; byte < 'f'; byte++) {
		cr_assert_eq(publish(byte, 185000, &edition), 0);
		cr_assert(slot_is(edition, byte, 185000));
		cr_expect_eq(mapped_bytes(), POLICY_VIEW_SIZE);
	}
}

Test(policy_file, a_large_image_is_mapped_without_a_descriptor)
{
	make();
	cr_assert_eq(mapped_bytes(), POLICY_VIEW_SIZE);

	const uint64_t first = publish_ok('a');

	assert_in_force(first, 'a');

	const uint64_t second = publish_ok('b');
	struct rlimit limit, none;
	const void *found;
	size_t size;
	int result;

	cr_assert_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
	none = (struct rlimit){ 0, limit.rlim_max };
	/* It ends beyond what was mapped at first. */
	setrlimit(RLIMIT_NOFILE, &none);
	result = policy_file_image(&file, second, &found, &size);
	setrlimit(RLIMIT_NOFILE, &limit);
	cr_assert_eq(result, 0);
	assert_in_force(second, 'b');
	cr_assert(slot_is(first, 'a', IMAGE_SIZE));
}

/* Whatever has the name of the folder or of the file. */
Test(policy_file, a_load_replaces_what_is_no_policy_file)
{
	char other[300];
	struct stat status;

	snprintf(other, sizeof(other), "%s/other", directory);
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
	cr_assert_eq(stat(other, &status), 0);
	cr_expect_eq(status.st_nlink, 1);
}

Test(policy_file, a_folder_that_is_a_link_is_not_written_through)
{
	char other[300];
	uint64_t edition = 99;

	snprintf(other, sizeof(other), "%s/other", directory);
	cr_assert_eq(mkdir(other, 0700), 0);
	cr_assert_eq(symlink(other, folder), 0);
	cr_expect_eq(publish('a', 8, &edition), -EACCES);
	cr_expect_eq(edition, 99);
	cr_expect_eq(rmdir(other), 0, "something is in it");
}

static ino_t inode_of_file(void)
{
	struct stat status;

	cr_assert_eq(lstat(path, &status), 0);
	return status.st_ino;
}

/* By an empty one. */
static void assert_replaced(const struct place *where)
{
	const ino_t before = inode_of_file();
	/* Held open, so that its inode cannot be used again. */
	const int fd = open(path, O_RDONLY);

	policy_file_close(&file);
	cr_assert_eq(policy_file_open(where, POLICY_EXISTING, &file, NULL),
		     -ESTALE);
	cr_assert_null(file.preamble);
	cr_assert_eq(inode_of_file(), before);
	cr_assert_eq(policy_file_open(where, POLICY_CREATE, &file, NULL), 0);
	cr_assert_neq(inode_of_file(), before);
	cr_assert_eq(policy_file_edition(&file), 0);
	close(fd);
}

static void spoil(size_t offset, const void *bytes, size_t n_bytes)
{
	const int fd = open(path, O_WRONLY);

	cr_assert_eq(pwrite(fd, bytes, n_bytes, (off_t)offset),
		     (ssize_t)n_bytes);
	close(fd);
}

Test(policy_file, one_of_a_namespace_that_is_gone_is_replaced)
{
	const struct place other = {
		.directory = directory, .netns_inode = INODE,
		.netns_cookie = COOKIE + 1,
	};

	make();
	publish_ok('a');
	assert_replaced(&other);
}

Test(policy_file, one_without_a_cookie_is_kept)
{
	const uint64_t cookie = 0;

	make();
	spoil(offsetof(struct policy_preamble, netns_cookie), &cookie,
	      sizeof(cookie));

	const uint64_t edition = publish_ok('a');

	policy_file_close(&file);
	make();
	assert_in_force(edition, 'a');
}

Test(policy_file, one_of_another_inode_or_of_no_such_kind_is_replaced)
{
	const uint64_t inode = INODE + 1, magic = POLICY_FILE_MAGIC + 1;

	make();
	spoil(offsetof(struct policy_preamble, netns_inode), &inode,
	      sizeof(inode));
	assert_replaced(&place);
	spoil(offsetof(struct policy_preamble, magic), &magic,
	      sizeof(magic));
	assert_replaced(&place);
}

static void make_another_version(uint32_t on_error)
{
	const uint32_t version = POLICY_FILE_VERSION + 1;

	make();
	for (size_t i = 0; i < 2; i++)
		spoil(offsetof(struct policy_preamble, on_error) +
		      i * sizeof(on_error), &on_error, sizeof(on_error));
	spoil(offsetof(struct policy_preamble, version), &version,
	      sizeof(version));
	policy_file_close(&file);
}

/* Its preamble is the same: it is there, it is in force, what is to be done. */
Test(policy_file, one_of_another_version_is_kept_and_says_what_is_to_be_done)
{
	const void *found;
	size_t size;

	make();

	const uint64_t edition = publish_ok('a');
	const ino_t before = inode_of_file();

	policy_file_close(&file);
	make_another_version(ON_ERROR_REFUSE);
	cr_assert_eq(policy_file_open(&place, POLICY_CREATE, &file, NULL), 0);
	cr_expect_eq(inode_of_file(), before);
	cr_expect_eq(policy_file_edition(&file), edition);
	cr_expect_eq(policy_file_on_error(&file, edition), ON_ERROR_REFUSE);
	cr_expect_eq(policy_file_image(&file, edition, &found, &size),
		     -ENOTSUP);
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
	cr_assert_eq(policy_file_open(&place, POLICY_EXISTING, &file, NULL), 0);
	cr_assert_eq(policy_file_edition(&file), edition);
}

/* Edge case 47. 512 KiB: what is there already has more. */
static void limit_memory(void)
{
	struct rlimit limit = { 512 << 10, RLIM_INFINITY };

	cr_assert_eq(setrlimit(RLIMIT_AS, &limit), 0);
}

Test(policy_file, without_memory_to_map_it_is_known_to_be_in_force)
{
	const struct policy_load load = { .image = image, .size = IMAGE_SIZE,
					  .on_error = ON_ERROR_REFUSE };
	struct rlimit limit = { RLIM_INFINITY, RLIM_INFINITY };
	const void *found;
	uint64_t edition, seen;
	size_t size;
	int opened, followed;

	cr_assert_eq(policy_file_load(&place, &load, &edition, NULL), 0);
	limit_memory();
	opened = policy_file_open(&place, POLICY_CREATE, &file, NULL);
	seen = policy_file_edition(&file);
	followed = policy_file_image(&file, edition, &found, &size);
	setrlimit(RLIMIT_AS, &limit);
	cr_assert_eq(opened, 0);
	cr_assert_eq(seen, edition);
	cr_expect_eq(policy_file_on_error(&file, edition), ON_ERROR_REFUSE);
	cr_expect_eq(followed, -ENOMEM);
}

Test(policy_file, without_memory_for_an_image_that_comes_it_is_not_followed)
{
	struct rlimit limit = { RLIM_INFINITY, RLIM_INFINITY };
	uint64_t first, second;
	const void *found;
	size_t size;
	int followed;

	make();
	first = publish_ok('a');
	assert_in_force(first, 'a');
	second = publish_ok('b');
	limit_memory();
	followed = policy_file_image(&file, second, &found, &size);
	setrlimit(RLIMIT_AS, &limit);
	cr_expect_eq(followed, -ENOMEM);
	/* Once there is memory, it is. */
	assert_in_force(second, 'b');
}

Test(policy_file, one_that_is_cut_short_is_damaged)
{
	const void *found;
	size_t size;
	uint64_t edition = publish_ok('x');

	make();
	cr_assert_eq(policy_file_image(&file, edition, &found, &size), 0);
	policy_file_close(&file);
	cr_assert_eq(truncate(path, 4096), 0);
	make();
	cr_assert_eq(policy_file_image(&file, edition, &found, &size), -EINVAL);
	/* A load makes it whole, for those too who have it open. */
	edition = publish_ok('y');
	cr_assert_eq(policy_file_image(&file, edition, &found, &size), 0);
	cr_assert_eq(*(const char *)found, 'y');
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

/* Runs a function in a child; returns once it has called say_ready(). */
static int ready_pipe[2];

static void say_ready(void)
{
	cr_assert_eq(write(ready_pipe[1], "", 1), 1);
}

static pid_t run_child(void (*function)(void))
{
	char byte;

	cr_assert_eq(pipe(ready_pipe), 0);

	const pid_t pid = fork();

	cr_assert_geq(pid, 0);
	if (pid == 0) {
		/* Nor is it left behind by a test that fails. */
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		function();
		_exit(1);
	}
	cr_assert_eq(read(ready_pipe[0], &byte, 1), 1);
	return pid;
}

static void kill_child(pid_t pid)
{
	cr_assert_eq(kill(pid, SIGKILL), 0);
	cr_assert_eq(waitpid(pid, NULL, 0), pid);
}

/* As a loader does, up to the middle of the image. */
static void hold_and_write(void)
{
	const int fd = open(path, O_RDWR);
	char lock[300];

	snprintf(lock, sizeof(lock), "%s/lock", folder);

	const int lock_fd = open(lock, O_RDWR);

	if (fd < 0 || lock_fd < 0 || flock(lock_fd, LOCK_EX) != 0)
		_exit(2);
	memset(image, 'x', sizeof(image));
	/* Behind the first one. */
	if (pwrite(fd, image, IMAGE_SIZE / 2,
		   (off_t)sizeof(struct policy_file_header) +
		   (off_t)(IMAGE_SIZE + 64)) < 0)
		_exit(3);
	say_ready();
	pause();
}

Test(policy_file, a_loader_that_is_killed_leaves_the_old_policy)
{
	make();

	const uint64_t old = publish_ok('a');

	cr_assert_eq(image_of(old), (const char *)file.preamble +
				    sizeof(struct policy_file_header));
	kill_child(run_child(hold_and_write));
	assert_in_force(old, 'a');
	assert_in_force(publish_ok('b'), 'b');
}

/* What others may read they may lock. */
static void hold_all_that_is_readable(void)
{
	struct flock whole = { .l_type = F_RDLCK };
	char lock[300];
	int fd, folder_fd;

	snprintf(lock, sizeof(lock), "%s/lock", folder);
	if (setgid(12345) != 0 || setuid(12345) != 0)
		_exit(2);
	fd = open(path, O_RDONLY);
	folder_fd = open(folder, O_RDONLY | O_DIRECTORY);
	if (fd < 0 || folder_fd < 0 || flock(fd, LOCK_EX) != 0 ||
	    flock(folder_fd, LOCK_EX) != 0 ||
	    fcntl(fd, F_OFD_SETLK, &whole) != 0)
		_exit(3);
	if (open(lock, O_RDONLY) >= 0)
		_exit(4);
	say_ready();
	pause();
}

/* Edge case 51. */
Test(policy_file, a_lock_that_a_reader_holds_is_in_nobodys_way)
{
	if (geteuid() != 0)
		cr_skip_test("needs root");
	cr_assert_eq(chmod(directory, 0755), 0);
	make();
	publish_ok('a');

	const pid_t reader = run_child(hold_all_that_is_readable);

	alarm(5);	/* Well below the time after which a lock is given up. */
	assert_in_force(publish_ok('b'), 'b');
	cr_assert_eq(unpublish() % 2, 0);
	alarm(0);
	kill_child(reader);
}

static void publish_b(void)
{
	uint64_t edition;

	say_ready();
	_exit(publish('b', IMAGE_SIZE, &edition) == 0 ? 0 : 1);
}

Test(policy_file, a_loader_that_is_killed_lets_the_next_one_in)
{
	int status;

	make();

	const uint64_t old = publish_ok('a');
	const pid_t holder = run_child(hold_and_write);
	const pid_t publisher = run_child(publish_b);

	usleep(200000);
	cr_assert_eq(waitpid(publisher, &status, WNOHANG), 0,
		     "it did not wait for the other loader");
	assert_in_force(old, 'a');
	kill_child(holder);
	cr_assert_eq(waitpid(publisher, &status, 0), publisher);
	cr_assert_eq(status, 0);
	assert_in_force(old + 2, 'b');
	assert_in_force(publish_ok('c'), 'c');
}

static void publish_forever(void)
{
	uint64_t first;

	publish('a', IMAGE_SIZE, &first);
	say_ready();
	for (char byte = 'a';; byte = byte == 'z' ? 'a' : (char)(byte + 1)) {
		uint64_t edition;

		if (byte == 'q')
			publish_none(&edition);
		else
			publish(byte, IMAGE_SIZE, &edition);
	}
}

/* Whenever it is killed: what is in force is one image, and whole. */
Test(policy_file, killed_at_any_moment_a_whole_image_stays_in_force)
{
	int n_odd = 0;

	make();
	srand(1);
	for (int round = 0; round < 150; round++) {
		const pid_t pid = run_child(publish_forever);

		usleep((useconds_t)(rand() % 3000));
		kill_child(pid);
		close(ready_pipe[0]);
		close(ready_pipe[1]);

		const uint64_t edition = policy_file_edition(&file);

		if (edition % 2 == 0)
			continue;
		n_odd++;
		cr_assert(slot_is(edition, *image_of(edition), IMAGE_SIZE));
		cr_assert_neq(*image_of(edition), 0);
	}
	cr_assert_gt(n_odd, 50);
	assert_in_force(publish_ok('!'), '!');
}

Test(policy_file, loaders_that_meet_take_turns)
{
	enum { N_LOADERS = 4, N_EACH = 25 };

	make();
	for (int i = 0; i < N_LOADERS; i++)
		if (fork() == 0) {
			uint64_t edition;

			for (int j = 0; j < N_EACH; j++)
				if (publish((char)('a' + i), IMAGE_SIZE,
					    &edition) != 0)
					_exit(1);
			_exit(0);
		}
	for (int i = 0; i < N_LOADERS; i++) {
		int status;

		wait(&status);
		cr_assert_eq(status, 0);
	}
	/* No number was given twice. */
	assert_in_force(2 * N_LOADERS * N_EACH + 1,
			*image_of(policy_file_edition(&file)));
}

/* Mounts of this test alone. Skips where that is not possible. */
static void mount_here(const char *where, const char *options)
{
	if (geteuid() != 0)
		cr_skip_test("needs root");
	if (unshare(CLONE_NEWNS) != 0 ||
	    mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
	    mount("none", where, "tmpfs", 0, options) != 0)
		cr_skip_test("needs a mount namespace of its own");
}

Test(policy_file, on_a_full_file_system_the_old_policy_stays)
{
	uint64_t edition = 99;

	mount_here(directory, "size=500k");
	make();

	const uint64_t old = publish_ok('a');

	cr_assert_eq(publish('b', IMAGE_SIZE, &edition), -ENOSPC);
	cr_assert_eq(edition, 99);
	assert_in_force(old, 'a');
	/* What did not fit has left nothing behind. */
	cr_assert_eq(publish('c', IMAGE_SIZE / 2, &edition), 0);
	cr_assert_eq(policy_file_edition(&file), edition);
	cr_assert(slot_is(edition, 'c', IMAGE_SIZE / 2));
	policy_file_close(&file);
	umount(directory);
}

Test(policy_file, on_a_full_file_system_none_is_made)
{
	mount_here(directory, "size=4k");

	const int fd = open(directory, O_TMPFILE | O_RDWR, 0600);

	cr_assert_eq(posix_fallocate(fd, 0, 4096), 0);
	cr_assert_eq(policy_file_open(&place, POLICY_CREATE, &file, NULL),
		     -ENOSPC);
	cr_assert_null(file.preamble);
	cr_assert_eq(access(path, F_OK), -1);
	close(fd);
	umount(directory);
}

static const struct place anywhere = {
	.netns_inode = INODE, .netns_cookie = COOKIE,
};

static void load_anywhere(const char *text, char where[PATH_MAX])
{
	const struct policy_load load = { .image = text,
					  .size = strlen(text) };
	uint64_t edition;

	cr_assert_eq(policy_file_load(&anywhere, &load, &edition, where),
		     0);
}

static void mount_run_and_shm(void)
{
	mount_here("/dev/shm", "mode=1777");
	cr_assert_eq(mount("none", "/run", "tmpfs", 0, "mode=755"), 0);
}

static void assert_found(const struct place *where, const char *expected)
{
	char found[PATH_MAX] = "";

	cr_assert_eq(policy_file_open(where, POLICY_CREATE, &file, found), 0);
	cr_assert_str_eq(found, expected);
	policy_file_close(&file);
}

Test(policy_file, what_root_has_published_binds_whatever_the_folder)
{
	char of_root[PATH_MAX], found[PATH_MAX];

	mount_run_and_shm();
	/* A program makes no /run/berth. */
	assert_found(&anywhere, "/dev/shm/berth-0/3/policy");
	/* Nothing published there: the environment's folder. */
	assert_found(&place, path);
	load_anywhere("root....", of_root);
	cr_assert_str_eq(of_root, "/run/berth/3/policy");
	cr_assert_eq(policy_file_open(&place, POLICY_CREATE, &file, found), 0);
	cr_assert_str_eq(found, of_root);
	cr_assert(file.by_root);
	cr_assert_eq(policy_file_edition(&file) % 2, 1);
	policy_file_close(&file);
	cr_assert_eq(chown(of_root, 12345, 12345), 0);
	assert_found(&place, path);
}

Test(policy_file, where_run_cannot_be_written_it_is_in_dev_shm)
{
	char of_root[PATH_MAX];

	mount_run_and_shm();
	cr_assert_eq(mount("none", "/run", NULL,
			   MS_REMOUNT | MS_RDONLY, "mode=755"), 0);
	load_anywhere("root....", of_root);
	cr_assert_str_eq(of_root, "/dev/shm/berth-0/3/policy");
	assert_found(&place, of_root);
}

/* And whoever follows the old file comes to the new one. */
Test(policy_file, a_full_run_does_not_stop_a_load)
{
	static char large[200000];
	struct policy_load load = { .image = large, .size = sizeof(large) };
	char of_root[PATH_MAX];
	struct policy_file old;
	uint64_t edition;

	mount_here("/dev/shm", "mode=1777");
	cr_assert_eq(mount("none", "/run", "tmpfs", 0, "mode=755,size=64k"),
		     0);
	load_anywhere("first...", of_root);
	cr_assert_str_eq(of_root, "/run/berth/3/policy");
	cr_assert_eq(policy_file_open(&anywhere, POLICY_EXISTING, &old, NULL),
		     0);
	cr_assert_eq(policy_file_load(&anywhere, &load, &edition, of_root),
		     0);
	cr_assert_str_eq(of_root, "/dev/shm/berth-0/3/policy");
	cr_assert(policy_file_has_moved(&old));
	policy_file_close(&old);
	assert_found(&anywhere, of_root);
}

Test(policy_file, root_takes_its_name_in_dev_shm_back)
{
	static const char name[] = "/dev/shm/berth-0";
	char of_root[PATH_MAX];
	struct stat status;

	mount_run_and_shm();
	cr_assert_eq(mount("none", "/run", NULL,
			   MS_REMOUNT | MS_RDONLY, "mode=755"), 0);
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
		cr_assert_eq(lchown(name, 12345, 12345), 0);
		load_anywhere("root....", of_root);
		cr_assert_str_eq(of_root, "/dev/shm/berth-0/3/policy");
		cr_assert_eq(lstat(name, &status), 0);
		cr_assert(S_ISDIR(status.st_mode));
		cr_assert_eq(status.st_uid, 0);
		cr_assert_eq(status.st_mode & 07777, 0755);
		cr_assert_eq(policy_file_open(&anywhere, POLICY_EXISTING,
					      &file, NULL), 0);
		cr_assert_eq(policy_file_edition(&file) % 2, 1);
		policy_file_close(&file);
		nftw("/dev/shm/before", remove_one, 8, FTW_DEPTH | FTW_PHYS);
	}
}

/* A folder that was mounted there, say, and belongs to a container's user. */
Test(policy_file, a_policy_of_anothers_in_run_is_not_followed_but_seen)
{
	char of_root[PATH_MAX];

	mount_run_and_shm();
	load_anywhere("theirs..", of_root);
	cr_assert_eq(chown("/run/berth", 12345, 12345), 0);
	cr_assert_eq(chown(of_root, 12345, 12345), 0);
	cr_assert_eq(policy_file_open(&anywhere, POLICY_CREATE, &file,
				      of_root), 0);
	cr_expect_str_eq(of_root, "/dev/shm/berth-0/3/policy");
	cr_expect_eq(policy_file_edition(&file), 0);
	cr_expect(file.has_ignored);
	cr_expect_eq(file.ignored_uid, 12345);
	cr_expect_eq(file.ignored_root, ROOT_RUN);
	policy_file_close(&file);
	/* Nor is it in the way. */
	load_anywhere("root....", of_root);
	cr_expect_str_eq(of_root, "/dev/shm/berth-0/3/policy");
	assert_found(&anywhere, of_root);
}

Test(policy_file, one_that_others_may_write_is_not_followed)
{
	char of_root[PATH_MAX];

	mount_run_and_shm();
	load_anywhere("root....", of_root);
	cr_assert_eq(chmod("/run/berth/3", 0777), 0);
	cr_assert_lt(policy_file_open(&anywhere, POLICY_EXISTING, &file,
				      of_root), 0);
	cr_expect(file.has_ignored);
}

Test(policy_file, another_users_file_is_read_and_not_published)
{
	int status;

	if (geteuid() != 0)
		cr_skip_test("needs root");
	cr_assert_eq(chmod(directory, 0755), 0);
	make();

	const uint64_t old = publish_ok('a');
	const pid_t pid = fork();

	if (pid == 0) {
		uint64_t edition;

		policy_file_close(&file);
		if (setgid(12345) != 0 || setuid(12345) != 0)
			_exit(1);
		if (policy_file_open(&place, POLICY_EXISTING, &file, NULL) != 0)
			_exit(2);
		if (!file.by_root || !slot_is(old, 'a', IMAGE_SIZE))
			_exit(3);
		_exit(publish('b', IMAGE_SIZE, &edition) == -EACCES ? 0 : 4);
	}
	cr_assert_eq(waitpid(pid, &status, 0), pid);
	cr_assert_eq(WEXITSTATUS(status), 0, "%d", WEXITSTATUS(status));
	assert_in_force(old, 'a');
}
