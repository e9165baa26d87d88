/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/arena.h"
#include "core/arena_layout.h"

#define INODE 4026531840u
#define COOKIE 7u

static char directory[] = "/tmp/berth-test-arena-XXXXXX";
static char file[256], folder[128];

static struct arena_place place = {
	.directory = directory, .netns_inode = INODE, .netns_cookie = COOKIE,
};

static int remove_one(const char *path, const struct stat *status, int type,
		      struct FTW *ftw)
{
	(void)status;
	(void)type;
	(void)ftw;
	return remove(path);
}

static void setup(void)
{
	cr_assert_not_null(mkdtemp(directory));
	snprintf(folder, sizeof(folder), "%s/%u", directory, INODE);
	snprintf(file, sizeof(file), "%s/arena", folder);
}

static void teardown(void)
{
	nftw(directory, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

TestSuite(arena, .init = setup, .fini = teardown);

static ino_t inode_of_file(void)
{
	struct stat status;

	cr_assert_eq(lstat(file, &status), 0);
	return status.st_ino;
}

static int n_entries_in_folder(void)
{
	char command[300];
	FILE *pipe;
	int n = -1;

	snprintf(command, sizeof(command), "ls -A %s | wc -l", folder);
	pipe = popen(command, "r");
	cr_assert_not_null(pipe);
	cr_assert_eq(fscanf(pipe, "%d", &n), 1);
	pclose(pipe);
	return n;
}

static void open_ok(struct arena *arenap)
{
	cr_assert_eq(arena_open(&place, ARENA_CREATE, arenap, NULL), 0);
	cr_assert_not_null(arenap->memory);
	cr_assert_eq(arenap->shared_error, 0);
	cr_assert_eq(arenap->rest_ms, REST_MS_DEFAULT);
}

Test(arena, it_is_made_whole_and_found_again)
{
	char path[PATH_MAX];
	struct arena a, b;
	struct stat status;

	open_ok(&a);
	a.memory->counter.counters[0] = 42;
	cr_assert_eq(arena_open(&place, ARENA_EXISTING, &b, path), 0);
	cr_expect_eq(b.memory->counter.counters[0], 42);
	cr_expect_str_eq(path, file);
	cr_assert_eq(stat(file, &status), 0);
	cr_expect_eq(status.st_size, sizeof(struct arena_memory));
	cr_expect_geq(status.st_blocks * 512,
		      (off_t)sizeof(struct arena_memory));
	cr_expect_eq(n_entries_in_folder(), 1);
}

Test(arena, what_is_not_there_is_not_made_unless_asked)
{
	struct arena arena;

	cr_expect_eq(arena_open(&place, ARENA_EXISTING, &arena, NULL), -ENOENT);
	cr_expect_null(arena.memory);
	cr_expect_eq(access(folder, F_OK), -1);
}

Test(arena, root_makes_it_for_all_whatever_the_umask)
{
	struct arena arena;
	struct stat status;

	if (geteuid() != 0)
		cr_skip_test("needs root");
	umask(077);
	open_ok(&arena);
	cr_assert_eq(stat(file, &status), 0);
	cr_expect_eq(status.st_mode & 0777, 0666);
	cr_assert_eq(stat(folder, &status), 0);
	cr_expect_eq(status.st_mode & 0777, 0755);
}

static void spoil(size_t offset, const void *bytes, size_t n_bytes)
{
	const int fd = open(file, O_WRONLY);

	cr_assert_eq(pwrite(fd, bytes, n_bytes, (off_t)offset),
		     (ssize_t)n_bytes);
	close(fd);
}

static void expect_replaced(void)
{
	const ino_t before = inode_of_file();
	struct arena arena;

	/* Held open, so that its inode cannot be used again. */
	const int fd = open(file, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);

	open_ok(&arena);
	cr_expect_neq(inode_of_file(), before);
	cr_expect_eq(n_entries_in_folder(), 1);
	close(fd);
}

/* Edge case 25, and below. */
Test(arena, one_of_another_version_is_replaced)
{
	const uint32_t version = ARENA_VERSION + 1;
	struct arena arena;

	open_ok(&arena);
	spoil(offsetof(struct arena_header, version), &version,
	      sizeof(version));
	cr_expect_eq(arena_open(&place, ARENA_EXISTING, &arena, NULL), -ESTALE);
	expect_replaced();
}

Test(arena, one_of_another_size_is_replaced)
{
	struct arena arena;

	open_ok(&arena);
	arena_close(&arena);
	cr_assert_eq(truncate(file, 4096), 0);
	expect_replaced();
}

Test(arena, one_of_a_namespace_that_is_gone_is_replaced)
{
	const uint64_t cookie = COOKIE + 1;
	struct arena arena;

	open_ok(&arena);
	spoil(offsetof(struct arena_header, netns_cookie), &cookie,
	      sizeof(cookie));
	expect_replaced();
}

Test(arena, one_made_without_a_cookie_is_kept)
{
	const uint64_t cookie = 0;
	struct arena arena;
	ino_t before;

	open_ok(&arena);
	before = inode_of_file();
	spoil(offsetof(struct arena_header, netns_cookie), &cookie,
	      sizeof(cookie));
	open_ok(&arena);
	cr_expect_eq(inode_of_file(), before);
}

Test(arena, a_rest_time_of_nothing_is_no_arena)
{
	const uint32_t rest_ms = 0;
	struct arena arena;

	open_ok(&arena);
	spoil(offsetof(struct arena_header, rest_ms), &rest_ms,
	      sizeof(rest_ms));
	expect_replaced();
}

Test(arena, random_bytes_are_replaced)
{
	struct arena arena;
	FILE *stream;

	open_ok(&arena);
	stream = fopen(file, "r+");
	for (int i = 0; i < 8192; i++)
		fputc(rand(), stream);
	fclose(stream);
	expect_replaced();
}

Test(arena, a_symlink_in_its_place_is_replaced_and_not_followed)
{
	char target[300];
	struct stat status;

	snprintf(target, sizeof(target), "%s/target", directory);
	cr_assert_eq(close(open(target, O_WRONLY | O_CREAT, 0600)), 0);
	cr_assert_eq(mkdir(folder, 0755), 0);
	cr_assert_eq(symlink(target, file), 0);

	struct arena arena;

	open_ok(&arena);
	cr_assert_eq(lstat(file, &status), 0);
	cr_expect(S_ISREG(status.st_mode));
	cr_assert_eq(stat(target, &status), 0);
	cr_expect_eq(status.st_size, 0);
}

Test(arena, a_fifo_in_its_place_is_replaced_and_not_waited_for)
{
	struct arena arena;

	cr_assert_eq(mkdir(folder, 0755), 0);
	cr_assert_eq(mkfifo(file, 0666), 0);
	open_ok(&arena);
}

Test(arena, a_folder_in_its_place_is_an_error)
{
	struct arena arena;

	cr_assert_eq(mkdir(folder, 0755), 0);
	cr_assert_eq(mkdir(file, 0755), 0);
	cr_expect_lt(arena_open(&place, ARENA_CREATE, &arena, NULL), 0);
	cr_expect_null(arena.memory);
}

Test(arena, a_namespace_folder_that_is_a_symlink_is_refused)
{
	struct arena arena;

	cr_assert_eq(symlink("/tmp", folder), 0);
	cr_expect_eq(arena_open(&place, ARENA_CREATE, &arena, NULL), -EACCES);
}

Test(arena, without_a_namespace_to_name_there_is_none)
{
	const struct arena_place nowhere = { .directory = directory };
	struct arena arena;

	cr_expect_eq(arena_open(&nowhere, ARENA_CREATE, &arena, NULL),
		     -ENOENT);
}

Test(arena, without_an_inode_the_cookie_names_it)
{
	const struct arena_place no_proc = { .directory = directory,
					     .netns_cookie = 99 };
	char path[PATH_MAX];
	struct arena arena;

	cr_assert_eq(arena_open(&no_proc, ARENA_CREATE, &arena, path), 0);
	cr_expect_not_null(strstr(path, "/cookie-99/arena"));
}

Test(arena, of_many_makers_all_map_the_same)
{
	enum { N = 16 };
	pid_t children[N];

	for (int i = 0; i < N; i++) {
		children[i] = fork();
		if (children[i] == 0) {
			struct arena arena;

			if (arena_open(&place, ARENA_CREATE, &arena, NULL) < 0)
				_exit(1);
			atomic_fetch_add(&arena.memory->counter.counters[0], 1);
			_exit(0);
		}
	}
	for (int i = 0; i < N; i++) {
		int status;

		waitpid(children[i], &status, 0);
		cr_expect_eq(status, 0);
	}

	struct arena arena;

	open_ok(&arena);
	cr_expect_eq(arena.memory->counter.counters[0], N);
	cr_expect_eq(n_entries_in_folder(), 1);
}

Test(arena, two_arenas_have_two_keys_and_two_starts)
{
	struct arena a, b;

	cr_assert_eq(arena_open_private(-ENOSPC, &a), 0);
	cr_assert_eq(arena_open_private(-ENOSPC, &b), 0);
	cr_expect_eq(a.shared_error, -ENOSPC);
	cr_expect_neq(memcmp(&a.memory->choice, &b.memory->choice,
			     sizeof(struct choice_memory)), 0);
	cr_expect_neq(memcmp(&a.memory->header.key, &b.memory->header.key,
			     sizeof(struct siphash_key)), 0);
}
