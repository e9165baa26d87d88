/* SPDX-License-Identifier: MIT */
#include <sys/resource.h>

#include "map/layout.h"
#include "map/map.h"
#include "place_here.h"

static struct map map;

static void setup(void)
{
	make_place("map");
}

TestSuite(map, .init = setup, .fini = remove_place);

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

static int open_map(enum map_open how)
{
	memset(&map, '#', sizeof(map));
	return map_open(&place, how, &map, NULL);
}

static void open_ok(void)
{
	cr_assert_eq(open_map(MAP_CREATE), 0);
	cr_assert_not_null(map.memory);
	cr_assert_eq(map.shared_error, 0);
	cr_assert_eq(map.rest_ms, REST_MS_DEFAULT);
}

Test(map, it_is_made_whole_and_found_again)
{
	char found[PATH_MAX];
	struct map again;

	open_ok();
	map.memory->counter.counters[0] = 42;
	cr_assert_eq(map_open(&place, MAP_EXISTING, &again, found), 0);
	cr_expect_eq(again.memory->counter.counters[0], 42);
	cr_expect_str_eq(found, path);
	cr_expect_eq(status_of(path).st_size, sizeof(struct map_memory));
	cr_expect_geq(status_of(path).st_blocks * 512,
		      (off_t)sizeof(struct map_memory));
	cr_expect_eq(n_entries_in_folder(), 1);
}

Test(map, what_is_not_there_is_not_made_unless_asked)
{
	cr_expect_eq(open_map(MAP_EXISTING), -ENOENT);
	cr_expect_null(map.memory);
	cr_expect_eq(access(folder, F_OK), -1);
}

Test(map, it_is_its_makers_alone_in_a_folder_for_all_whatever_the_umask)
{
	umask(077);
	open_ok();
	cr_expect_eq(mode_of(path), 0600);
	cr_expect_eq(mode_of(folder), 0755);
}

Test(map, the_mode_of_a_folder_that_was_there_is_left_alone)
{
	cr_assert_eq(mkdir(folder, 0700), 0);
	open_ok();
	cr_expect_eq(mode_of(folder), 0700);
}

/* Edge case 45: SIGXFSZ would end the test. */
Test(map, a_file_that_RLIMIT_FSIZE_forbids_is_not_made)
{
	const struct rlimit limit = { 1 << 20, RLIM_INFINITY };

	cr_assert_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
	cr_expect_eq(open_map(MAP_CREATE), -EFBIG);
	cr_expect_eq(access(path, F_OK), -1);
}

static void expect_replaced(void)
{
	const ino_t before = status_of(path).st_ino;

	/* Held open, so that its inode cannot be used again. */
	const int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);

	open_ok();
	cr_expect_neq(status_of(path).st_ino, before);
	cr_expect_eq(n_entries_in_folder(), 1);
	close(fd);
}

/* Edge case 25, and below. */
Test(map, one_that_is_no_map_of_this_namespace_is_replaced)
{
	char garbage[8192];

	open_ok();
	SPOIL(map_header, version, MAP_VERSION + 1);
	cr_expect_eq(open_map(MAP_EXISTING), -ESTALE);
	expect_replaced();
	SPOIL(map_header, netns_cookie, COOKIE + 1);
	expect_replaced();
	SPOIL(map_header, rest_ms, 0);
	expect_replaced();
	for (size_t i = 0; i < sizeof(garbage); i++)
		garbage[i] = (char)rand();
	spoil(0, garbage, sizeof(garbage));
	expect_replaced();
	map_close(&map);
	cr_assert_eq(truncate(path, 4096), 0);
	expect_replaced();
}

Test(map, one_made_without_a_cookie_is_kept)
{
	ino_t before;

	open_ok();
	before = status_of(path).st_ino;
	SPOIL(map_header, netns_cookie, 0);
	open_ok();
	cr_expect_eq(status_of(path).st_ino, before);
}

Test(map, a_symlink_in_its_place_is_replaced_and_not_followed)
{
	const char *target = in_directory("target");

	cr_assert_eq(close(open(target, O_WRONLY | O_CREAT, 0600)), 0);
	cr_assert_eq(mkdir(folder, 0755), 0);
	cr_assert_eq(symlink(target, path), 0);
	open_ok();
	cr_expect(S_ISREG(status_of(path).st_mode));
	cr_expect_eq(status_of(target).st_size, 0);
}

Test(map, a_fifo_in_its_place_is_replaced_and_not_waited_for)
{
	cr_assert_eq(mkdir(folder, 0755), 0);
	cr_assert_eq(mkfifo(path, 0666), 0);
	open_ok();
}

Test(map, a_folder_in_its_place_is_an_error)
{
	cr_assert_eq(mkdir(folder, 0755), 0);
	cr_assert_eq(mkdir(path, 0755), 0);
	cr_expect_lt(open_map(MAP_CREATE), 0);
	cr_expect_null(map.memory);
}

Test(map, a_namespace_folder_that_is_a_symlink_is_refused)
{
	cr_assert_eq(symlink("/tmp", folder), 0);
	cr_expect_eq(open_map(MAP_CREATE), -EACCES);
}

Test(map, without_an_inode_the_cookie_names_it)
{
	struct place no_proc = { .directory = directory };
	char found[PATH_MAX];

	cr_expect_eq(map_open(&no_proc, MAP_CREATE, &map, NULL), -ENOENT);
	no_proc.netns_cookie = 99;
	cr_assert_eq(map_open(&no_proc, MAP_CREATE, &map, found), 0);
	cr_expect_not_null(strstr(found, "/cookie-99/map"));
}

Test(map, of_many_makers_all_map_the_same)
{
	enum { N = 16 };
	pid_t children[N];

	for (int i = 0; i < N; i++) {
		children[i] = fork();
		if (children[i] == 0) {
			if (open_map(MAP_CREATE) < 0)
				_exit(1);
			atomic_fetch_add(&map.memory->counter.counters[0], 1);
			_exit(0);
		}
	}
	for (int i = 0; i < N; i++) {
		int status;

		waitpid(children[i], &status, 0);
		cr_expect_eq(status, 0);
	}
	open_ok();
	cr_expect_eq(map.memory->counter.counters[0], N);
	cr_expect_eq(n_entries_in_folder(), 1);
}

Test(map, two_maps_have_two_keys_and_two_starts)
{
	struct map a, b;

	cr_assert_eq(map_open_private(-ENOSPC, &a), 0);
	cr_assert_eq(map_open_private(-ENOSPC, &b), 0);
	cr_expect_eq(a.shared_error, -ENOSPC);
	cr_expect_neq(memcmp(&a.memory->choice, &b.memory->choice,
			     sizeof(struct choice_memory)),
		      0);
	cr_expect_neq(memcmp(&a.memory->header.key, &b.memory->header.key,
			     sizeof(struct siphash_key)),
		      0);
}
