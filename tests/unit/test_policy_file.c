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
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/arena_place.h"
#include "core/policy_file.h"

/* Of no namespace that there is. */
#define INODE 3u
#define COOKIE 7u

#define FILE_SIZE (sizeof(struct policy_file_header) + \
		   (size_t)N_POLICY_SLOTS * POLICY_SLOT_SIZE)

#define IMAGE_SIZE 300000u

static char directory[] = "/tmp/berth-test-policy-XXXXXX";
static char folder[128], path[256];

static struct arena_place place = {
	.directory = directory, .netns_inode = INODE, .netns_cookie = COOKIE,
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
	cr_assert_not_null(file.header);
}

/* What an image is does not matter here: one byte, repeated. */
static int publish(char byte, size_t size, uint64_t *editionp)
{
	memset(image, byte, sizeof(image));
	return policy_file_publish(path, image, size, editionp);
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

	cr_assert_eq(policy_file_publish(path, NULL, 0, &edition), 0);
	return edition;
}

static bool slot_is(uint64_t edition, char byte, size_t size)
{
	const char *slot = policy_file_slot(&file, edition);

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
	cr_expect_null(file.header);
	cr_assert_eq(policy_file_open(&place, POLICY_EXISTING, &file, found),
		     0);
	cr_expect_str_eq(found, path);
	cr_expect_eq(file.by_root, geteuid() == 0);
	cr_expect_eq(policy_file_edition(&file), 0);
	cr_assert_eq(stat(path, &status), 0);
	cr_expect_eq(status.st_size, FILE_SIZE);
	cr_expect_lt(status.st_blocks * 512, 65536);
}

Test(policy_file, what_is_not_there_is_not_made_unless_asked)
{
	cr_expect_eq(policy_file_open(&place, POLICY_EXISTING, &file, NULL),
		     -ENOENT);
	cr_expect_null(file.header);
	cr_expect_eq(policy_file_edition(&file), 0);
	cr_expect_eq(access(folder, F_OK), -1);
}

Test(policy_file, only_its_owner_may_write_it)
{
	struct stat status;

	umask(0);
	make();
	cr_assert_eq(stat(path, &status), 0);
	cr_expect_eq(status.st_mode & 0777, geteuid() == 0 ? 0644 : 0600);
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
	cr_assert_neq(policy_file_slot(&file, first),
		      policy_file_slot(&file, second));
	/* For who reads it just now. */
	cr_assert(slot_is(first, 'a', IMAGE_SIZE));

	const uint64_t third = publish_ok('c');

	assert_in_force(third, 'c');
	cr_assert_eq(policy_file_slot(&file, first),
		     policy_file_slot(&file, third));
	cr_assert(slot_is(second, 'b', IMAGE_SIZE));
}

Test(policy_file, an_unload_leaves_the_old_image_for_who_reads_it)
{
	make();

	const uint64_t edition = publish_ok('a');

	unpublish();
	cr_assert(slot_is(edition, 'a', IMAGE_SIZE));
}

Test(policy_file, nothing_is_left_of_a_longer_image)
{
	const char *slot;
	uint64_t edition;

	make();
	publish_ok('a');
	publish_ok('b');
	cr_assert_eq(publish('c', 1000, &edition), 0);
	slot = policy_file_slot(&file, edition);
	cr_assert(slot_is(edition, 'c', 1000));
	/* A page is the least that can be given back. */
	for (size_t i = (size_t)sysconf(_SC_PAGESIZE); i < IMAGE_SIZE; i++)
		cr_assert_eq(slot[i], 0);
}

Test(policy_file, an_image_of_the_whole_slot_is_taken_and_a_larger_is_not)
{
	char *large = malloc(POLICY_SLOT_SIZE + 1);
	uint64_t edition = 99;

	make();

	const uint64_t old = publish_ok('a');

	memset(large, 'L', POLICY_SLOT_SIZE + 1);
	cr_assert_eq(policy_file_publish(path, large, POLICY_SLOT_SIZE + 1,
					 &edition), -EFBIG);
	cr_assert_eq(edition, 99);
	assert_in_force(old, 'a');
	cr_assert_eq(policy_file_publish(path, large, POLICY_SLOT_SIZE,
					 &edition), 0);
	cr_assert_eq(policy_file_edition(&file), edition);
	cr_assert(slot_is(edition, 'L', POLICY_SLOT_SIZE));
	/* The other slot begins where this one ends. */
	cr_assert(slot_is(old, 'a', IMAGE_SIZE));
	free(large);
}

Test(policy_file, nothing_is_published_where_there_is_no_such_file)
{
	char other[300];
	uint64_t edition = 99;

	cr_expect_eq(publish('a', 8, &edition), -ENOENT);
	cr_assert_eq(mkdir(folder, 0755), 0);
	cr_assert_eq(mkfifo(path, 0600), 0);
	cr_expect_eq(publish('a', 8, &edition), -ESTALE);
	make();
	snprintf(other, sizeof(other), "%s/other", directory);
	cr_assert_eq(rename(path, other), 0);
	cr_assert_eq(symlink(other, path), 0);
	cr_expect_eq(publish('a', 8, &edition), -ELOOP);
	cr_assert_eq(rename(other, path), 0);
	cr_assert_eq(truncate(path, FILE_SIZE - 1), 0);
	cr_expect_eq(publish('a', 8, &edition), -ESTALE);
	cr_expect_eq(edition, 99);
}

static ino_t inode_of_file(void)
{
	struct stat status;

	cr_assert_eq(lstat(path, &status), 0);
	return status.st_ino;
}

/* By an empty one. */
static void assert_replaced(const struct arena_place *where)
{
	const ino_t before = inode_of_file();
	/* Held open, so that its inode cannot be used again. */
	const int fd = open(path, O_RDONLY);

	policy_file_close(&file);
	cr_assert_eq(policy_file_open(where, POLICY_EXISTING, &file, NULL),
		     -ESTALE);
	cr_assert_null(file.header);
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
	const struct arena_place other = {
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
	spoil(offsetof(struct policy_file_header, netns_cookie), &cookie,
	      sizeof(cookie));

	const uint64_t edition = publish_ok('a');

	policy_file_close(&file);
	make();
	assert_in_force(edition, 'a');
}

Test(policy_file, one_of_another_version_or_inode_is_replaced)
{
	const uint32_t version = POLICY_FILE_VERSION + 1;
	const uint64_t inode = INODE + 1, magic = POLICY_FILE_MAGIC + 1;
	const uint32_t size = 4095;

	make();
	spoil(offsetof(struct policy_file_header, version), &version,
	      sizeof(version));
	assert_replaced(&place);
	spoil(offsetof(struct policy_file_header, netns_inode), &inode,
	      sizeof(inode));
	assert_replaced(&place);
	spoil(offsetof(struct policy_file_header, magic), &magic,
	      sizeof(magic));
	assert_replaced(&place);
	spoil(offsetof(struct policy_file_header, header_size), &size,
	      sizeof(size));
	assert_replaced(&place);
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
	const struct arena_place nowhere = { .directory = directory };

	cr_expect_eq(policy_file_open(&nowhere, POLICY_CREATE, &file, NULL),
		     -ENOENT);
	cr_expect_null(file.header);
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

/* As a loader does, up to the middle of the second slot. */
static void hold_and_write(void)
{
	const int fd = open(path, O_RDWR);

	if (fd < 0 || flock(fd, LOCK_EX) != 0)
		_exit(2);
	memset(image, 'x', sizeof(image));
	if (pwrite(fd, image, IMAGE_SIZE / 2,
		   (off_t)sizeof(struct policy_file_header)) < 0)
		_exit(3);
	say_ready();
	pause();
}

Test(policy_file, a_loader_that_is_killed_leaves_the_old_policy)
{
	make();

	const uint64_t old = publish_ok('a');

	/* The first lies in the second slot, so the first slot is free. */
	cr_assert_eq(policy_file_slot(&file, old),
		     (const char *)(file.header + 1) + POLICY_SLOT_SIZE);
	kill_child(run_child(hold_and_write));
	assert_in_force(old, 'a');
	assert_in_force(publish_ok('b'), 'b');
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
			policy_file_publish(path, NULL, 0, &edition);
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
		cr_assert(slot_is(edition, *(const char *)
				  policy_file_slot(&file, edition),
				  IMAGE_SIZE));
		cr_assert_neq(*(const char *)policy_file_slot(&file, edition),
			      0);
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
			*(const char *)policy_file_slot(&file,
				policy_file_edition(&file)));
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
	cr_assert_null(file.header);
	cr_assert_eq(access(path, F_OK), -1);
	close(fd);
	umount(directory);
}

Test(policy_file, what_root_has_published_binds_whatever_the_folder)
{
	const struct arena_place anywhere = {
		.netns_inode = INODE, .netns_cookie = COOKIE,
	};
	struct policy_file roots;
	char of_root[PATH_MAX], found[PATH_MAX];
	uint64_t edition;

	mount_here("/dev/shm", NULL);
	cr_assert_eq(mount("none", "/run", "tmpfs", 0, NULL), 0);
	cr_assert_eq(policy_file_open(&anywhere, POLICY_CREATE, &roots,
				      of_root), 0);
	cr_assert_str_eq(of_root, "/dev/shm/berth/3/policy");
	/* Nothing published there: the environment's folder. */
	cr_assert_eq(policy_file_open(&place, POLICY_CREATE, &file, found), 0);
	cr_assert_str_eq(found, path);
	policy_file_close(&file);
	cr_assert_eq(policy_file_publish(of_root, "root", 4, &edition), 0);
	cr_assert_eq(policy_file_open(&place, POLICY_CREATE, &file, found), 0);
	cr_assert_str_eq(found, of_root);
	cr_assert(file.by_root);
	cr_assert_eq(policy_file_edition(&file), edition);
	policy_file_close(&file);
	cr_assert_eq(chown(of_root, 12345, 12345), 0);
	cr_assert_eq(policy_file_open(&place, POLICY_CREATE, &file, found), 0);
	cr_assert_str_eq(found, path);
	policy_file_close(&roots);
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
