/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "map/layout.h"
#include "map/map.h"
#include "policy/file.h"

#define INODE 4026531840u
#define COOKIE 7u

static char directory[] = "/tmp/berth-test-map-XXXXXX";
static char file[256], folder[128];

static struct place place = {
	.directory = directory, .netns_inode = INODE, .netns_cookie = COOKIE,
	.retire = policy_file_retire,
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
	snprintf(file, sizeof(file), "%s/map", folder);
}

static void teardown(void)
{
	/* Some tests become another user. */
	if (getuid() == 0 && seteuid(0) != 0)
		perror("seteuid");
	nftw(directory, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

TestSuite(map, .init = setup, .fini = teardown);

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

static void open_ok(struct map *mapp)
{
	cr_assert_eq(map_open(&place, MAP_CREATE, mapp, NULL), 0);
	cr_assert_not_null(mapp->memory);
	cr_assert_eq(mapp->shared_error, 0);
	cr_assert_eq(mapp->rest_ms, REST_MS_DEFAULT);
}

Test(map, it_is_made_whole_and_found_again)
{
	char path[PATH_MAX];
	struct map a, b;
	struct stat status;

	open_ok(&a);
	a.memory->counter.counters[0] = 42;
	cr_assert_eq(map_open(&place, MAP_EXISTING, &b, path), 0);
	cr_expect_eq(b.memory->counter.counters[0], 42);
	cr_expect_str_eq(path, file);
	cr_assert_eq(stat(file, &status), 0);
	cr_expect_eq(status.st_size, sizeof(struct map_memory));
	cr_expect_geq(status.st_blocks * 512,
		      (off_t)sizeof(struct map_memory));
	cr_expect_eq(n_entries_in_folder(), 1);
}

Test(map, what_is_not_there_is_not_made_unless_asked)
{
	struct map map;

	cr_expect_eq(map_open(&place, MAP_EXISTING, &map, NULL), -ENOENT);
	cr_expect_null(map.memory);
	cr_expect_eq(access(folder, F_OK), -1);
}

Test(map, it_is_its_makers_alone_in_a_folder_for_all_whatever_the_umask)
{
	struct map map;
	struct stat status;

	umask(077);
	open_ok(&map);
	cr_assert_eq(stat(file, &status), 0);
	cr_expect_eq(status.st_mode & 0777, 0600);
	cr_assert_eq(stat(folder, &status), 0);
	cr_expect_eq(status.st_mode & 0777, 0755);
}

Test(map, the_mode_of_a_folder_that_was_there_is_left_alone)
{
	struct map map;
	struct stat status;

	cr_assert_eq(mkdir(folder, 0700), 0);
	open_ok(&map);
	cr_assert_eq(stat(folder, &status), 0);
	cr_expect_eq(status.st_mode & 0777, 0700);
}

/* Mounts of this test alone. Skips where that is not possible. */
static void mount_shm(void)
{
	if (geteuid() != 0)
		cr_skip_test("needs root");
	if (unshare(CLONE_NEWNS) != 0 ||
	    mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
	    mount("none", "/run", "tmpfs", 0, "mode=755") != 0 ||
	    mount("none", "/dev/shm", "tmpfs", 0, "mode=1777") != 0)
		cr_skip_test("needs a mount namespace of its own");
}

static const struct place anywhere = {
	.netns_inode = INODE, .netns_cookie = COOKIE,
};

static void assert_at(const struct place *where, const char *expected)
{
	char path[PATH_MAX] = "";
	struct map map;

	cr_assert_eq(map_open(where, MAP_CREATE, &map, path), 0);
	cr_assert_str_eq(path, expected);
	map_close(&map);
}

static void become(uid_t uid)
{
	cr_assert_eq(seteuid(0), 0);
	cr_assert(setegid(uid) == 0 && seteuid(uid) == 0);
}

Test(map, each_user_has_one_of_his_own)
{
	mount_shm();
	assert_at(&anywhere, "/dev/shm/berth-0/4026531840/map");
	become(12345);
	assert_at(&anywhere, "/dev/shm/berth-12345/4026531840/map");
	become(54321);
	assert_at(&anywhere, "/dev/shm/berth-54321/4026531840/map");
}

Test(map, who_lets_others_write_his_map_shares_it)
{
	mount_shm();
	cr_assert_eq(mkdir("/run/berth", 0755), 0);
	assert_at(&anywhere, "/run/berth/4026531840/map");
	cr_assert_eq(chmod("/run/berth/4026531840/map", 0666), 0);
	become(12345);
	assert_at(&anywhere, "/run/berth/4026531840/map");
}

Test(map, in_a_named_folder_too_each_user_has_one_of_his_own)
{
	struct map map;

	mount_shm();
	cr_assert_eq(chmod(directory, 01777), 0);
	become(12345);
	open_ok(&map);
	/* Root may open it, and does not: its maker may shorten it. */
	become(0);
	assert_at(&place, "/dev/shm/berth-0/4026531840/map");
	become(54321);
	assert_at(&place, "/dev/shm/berth-54321/4026531840/map");
	become(0);
	cr_assert_eq(chmod(file, 0666), 0);
	assert_at(&place, file);
}

static char *only_entry_but(const char *other)
{
	static char name[256];
	DIR *shm = opendir("/dev/shm");
	struct dirent *entry;

	while ((entry = readdir(shm)) != NULL)
		if (entry->d_name[0] != '.' &&
		    strcmp(entry->d_name, other) != 0)
			strcpy(name, entry->d_name);
	closedir(shm);
	return name;
}

/* Edge case 51. */
Test(map, a_name_that_another_has_made_first_keeps_nobody_from_a_map)
{
	char expected[PATH_MAX], spare[PATH_MAX];

	mount_shm();
	become(54321);
	cr_assert_eq(mkdir("/dev/shm/berth-12345", 0777), 0);
	cr_assert_eq(mkdir("/dev/shm/berth-12345-0000", 0777), 0);
	become(12345);

	struct map map;

	cr_assert_eq(map_open(&anywhere, MAP_CREATE, &map, spare), 0);
	cr_assert_eq(strncmp(spare, "/dev/shm/berth-12345-", 21), 0);
	snprintf(expected, sizeof(expected), "%s", spare);
	/* All his programs find the same. */
	assert_at(&anywhere, expected);
	assert_at(&anywhere, expected);
	become(0);
	cr_assert_eq(only_entry_but("berth-12345")[0], 'b');
}

/* BERTH_DIR on the way through a folder of another's. Edge case 51. */
Test(map, no_link_is_followed_where_another_may_have_put_it)
{
	char way[300], secret[300], through[300];
	struct map map;
	struct stat status;

	mount_shm();
	snprintf(way, sizeof(way), "%s/way", directory);
	snprintf(secret, sizeof(secret), "%s/secret", directory);
	snprintf(through, sizeof(through), "%s/way/link/x", directory);
	cr_assert(mkdir(way, 0777) == 0 && chmod(way, 0777) == 0);
	cr_assert(mkdir(secret, 0700) == 0);
	place.directory = through;

	char link[300];

	snprintf(link, sizeof(link), "%s/way/link", directory);
	cr_assert_eq(symlink(secret, link), 0);
	cr_expect_eq(map_open(&place, MAP_CREATE, &map, NULL), -EACCES);
	place.directory = link;
	cr_expect_eq(map_open(&place, MAP_CREATE, &map, NULL), -EACCES);
	cr_assert_eq(stat(secret, &status), 0);
	cr_expect_eq(status.st_mode & 0777, 0700);
	cr_expect_eq(rmdir(secret), 0, "something is in it");
	/* One that root, or this user, has put where nobody else can. */
	cr_assert(mkdir(secret, 0700) == 0 && chmod(way, 0755) == 0);
	cr_expect_eq(map_open(&place, MAP_CREATE, &map, NULL), 0);
	cr_assert_eq(stat(secret, &status), 0);
	cr_expect_eq(status.st_mode & 0777, 0700);
	place.directory = directory;
}

/* Edge case 50. */
Test(map, a_set_user_id_program_makes_nothing)
{
	const struct place secure = {
		.directory = directory, .netns_inode = INODE,
		.netns_cookie = COOKIE, .makes_nothing = true,
	};
	struct map map;

	cr_expect_eq(map_open(&secure, MAP_CREATE, &map, NULL), -ENOENT);
	cr_expect_eq(access(folder, F_OK), -1);
	open_ok(&map);
	cr_expect_eq(map_open(&secure, MAP_CREATE, &map, NULL), 0);
}

/* Edge case 45: SIGXFSZ would end the test. */
Test(map, a_file_that_RLIMIT_FSIZE_forbids_is_not_made)
{
	const struct rlimit limit = { 1 << 20, RLIM_INFINITY };
	struct map map;

	cr_assert_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
	cr_expect_eq(map_open(&place, MAP_CREATE, &map, NULL), -EFBIG);
	cr_expect_eq(access(file, F_OK), -1);
}

/* Edge case 49: in a user namespace the overflow user may be root, or anybody. */
Test(map, root_that_is_not_mapped_is_trusted_in_run_alone)
{
	const struct place mapped = {
		.netns_inode = INODE,
		.users = { .is_mapped = true, .overflow_uid = 65534 },
	};

	cr_expect(place_trusts(&mapped, ROOT_RUN, 65534));
	cr_expect(place_trusts(&mapped, ROOT_RUN, 0));
	cr_expect_not(place_trusts(&mapped, ROOT_RUN, 1000));
	cr_expect_not(place_trusts(&mapped, ROOT_SHM, 65534));
	cr_expect_not(place_trusts(&anywhere, ROOT_RUN, 65534));
}

/* Edge case 49: a namespace may give root another number. */
Test(map, root_with_another_number_is_trusted_in_run_alone)
{
	static const char text[] = "         7       1000          1\n"
				   "      1000          0          1\n";
	struct place mapped = { .netns_inode = INODE };
	char path[64];
	FILE *map;

	snprintf(path, sizeof(path), "%s/map", directory);
	map = fopen(path, "w");
	cr_assert(map != NULL && fputs(text, map) >= 0 && fclose(map) == 0);
	users_read_map(path, &mapped.users);
	cr_assert(mapped.users.is_mapped);
	cr_expect(place_trusts(&mapped, ROOT_RUN, 1000));
	cr_expect_not(place_trusts(&mapped, ROOT_RUN, 7));
	cr_expect_not(place_trusts(&mapped, ROOT_SHM, 1000));
}

/* Makes a folder as of a namespace that is gone, with a map in it. */
static void make_dead(uint64_t inode)
{
	const struct place dead = { .directory = directory,
				    .retire = policy_file_retire,
					  .netns_inode = inode };
	struct map map;

	cr_assert_eq(map_open(&dead, MAP_CREATE, &map, NULL), 0);
	map_close(&map);
}

static bool is_there(uint64_t inode, const char *name)
{
	char path[300];

	snprintf(path, sizeof(path), "%s/%lu%s", directory,
		 (unsigned long)inode, name);
	return access(path, F_OK) == 0;
}

static bool is_initial_pid_namespace(void)
{
	struct stat status;

	return stat("/proc/self/ns/pid", &status) == 0 &&
	       status.st_ino == 0xeffffffc;
}

static uint64_t own_namespace(void)
{
	struct stat status;

	cr_assert_eq(stat("/proc/self/ns/net", &status), 0);
	return status.st_ino;
}

Test(map, who_makes_a_folder_clears_those_of_dead_namespaces_away)
{
	const uint64_t live = own_namespace();

	if (!is_initial_pid_namespace())
		cr_skip_test("needs the initial PID namespace");
	make_dead(live);
	make_dead(5);
	cr_expect(is_there(live, "/map"), "it has this very process");
	make_dead(6);
	cr_expect_not(is_there(5, ""));
	cr_expect(is_there(6, "/map"));
	cr_expect(is_there(live, "/map"));
}

Test(map, a_policy_in_force_keeps_the_folder_of_a_dead_namespace)
{
	const struct place dead = { .directory = directory,
				    .retire = policy_file_retire,
					  .netns_inode = 5 };
	struct policy_load load = { .image = "policy..", .size = 8 };
	uint64_t edition;

	if (!is_initial_pid_namespace())
		cr_skip_test("needs the initial PID namespace");
	cr_assert_eq(policy_file_load(&dead, &load, &edition, NULL), 0);
	make_dead(6);
	cr_expect(is_there(5, "/policy"));
	load.image = NULL;
	cr_assert_eq(policy_file_load(&dead, &load, &edition, NULL), 0);
	make_dead(7);
	cr_expect_not(is_there(5, ""));
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
	struct map map;

	/* Held open, so that its inode cannot be used again. */
	const int fd = open(file, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);

	open_ok(&map);
	cr_expect_neq(inode_of_file(), before);
	cr_expect_eq(n_entries_in_folder(), 1);
	close(fd);
}

/* Edge case 25, and below. */
Test(map, one_of_another_version_is_replaced)
{
	const uint32_t version = MAP_VERSION + 1;
	struct map map;

	open_ok(&map);
	spoil(offsetof(struct map_header, version), &version,
	      sizeof(version));
	cr_expect_eq(map_open(&place, MAP_EXISTING, &map, NULL), -ESTALE);
	expect_replaced();
}

Test(map, one_of_another_size_is_replaced)
{
	struct map map;

	open_ok(&map);
	map_close(&map);
	cr_assert_eq(truncate(file, 4096), 0);
	expect_replaced();
}

Test(map, one_of_a_namespace_that_is_gone_is_replaced)
{
	const uint64_t cookie = COOKIE + 1;
	struct map map;

	open_ok(&map);
	spoil(offsetof(struct map_header, netns_cookie), &cookie,
	      sizeof(cookie));
	expect_replaced();
}

Test(map, one_made_without_a_cookie_is_kept)
{
	const uint64_t cookie = 0;
	struct map map;
	ino_t before;

	open_ok(&map);
	before = inode_of_file();
	spoil(offsetof(struct map_header, netns_cookie), &cookie,
	      sizeof(cookie));
	open_ok(&map);
	cr_expect_eq(inode_of_file(), before);
}

Test(map, a_rest_time_of_nothing_is_no_map)
{
	const uint32_t rest_ms = 0;
	struct map map;

	open_ok(&map);
	spoil(offsetof(struct map_header, rest_ms), &rest_ms,
	      sizeof(rest_ms));
	expect_replaced();
}

Test(map, random_bytes_are_replaced)
{
	struct map map;
	FILE *stream;

	open_ok(&map);
	stream = fopen(file, "r+");
	for (int i = 0; i < 8192; i++)
		fputc(rand(), stream);
	fclose(stream);
	expect_replaced();
}

Test(map, a_symlink_in_its_place_is_replaced_and_not_followed)
{
	char target[300];
	struct stat status;

	snprintf(target, sizeof(target), "%s/target", directory);
	cr_assert_eq(close(open(target, O_WRONLY | O_CREAT, 0600)), 0);
	cr_assert_eq(mkdir(folder, 0755), 0);
	cr_assert_eq(symlink(target, file), 0);

	struct map map;

	open_ok(&map);
	cr_assert_eq(lstat(file, &status), 0);
	cr_expect(S_ISREG(status.st_mode));
	cr_assert_eq(stat(target, &status), 0);
	cr_expect_eq(status.st_size, 0);
}

Test(map, a_fifo_in_its_place_is_replaced_and_not_waited_for)
{
	struct map map;

	cr_assert_eq(mkdir(folder, 0755), 0);
	cr_assert_eq(mkfifo(file, 0666), 0);
	open_ok(&map);
}

Test(map, a_folder_in_its_place_is_an_error)
{
	struct map map;

	cr_assert_eq(mkdir(folder, 0755), 0);
	cr_assert_eq(mkdir(file, 0755), 0);
	cr_expect_lt(map_open(&place, MAP_CREATE, &map, NULL), 0);
	cr_expect_null(map.memory);
}

Test(map, a_namespace_folder_that_is_a_symlink_is_refused)
{
	struct map map;

	cr_assert_eq(symlink("/tmp", folder), 0);
	cr_expect_eq(map_open(&place, MAP_CREATE, &map, NULL), -EACCES);
}

Test(map, without_a_namespace_to_name_there_is_none)
{
	const struct place nowhere = { .directory = directory };
	struct map map;

	cr_expect_eq(map_open(&nowhere, MAP_CREATE, &map, NULL),
		     -ENOENT);
}

Test(map, without_an_inode_the_cookie_names_it)
{
	const struct place no_proc = { .directory = directory,
					     .netns_cookie = 99 };
	char path[PATH_MAX];
	struct map map;

	cr_assert_eq(map_open(&no_proc, MAP_CREATE, &map, path), 0);
	cr_expect_not_null(strstr(path, "/cookie-99/map"));
}

Test(map, of_many_makers_all_map_the_same)
{
	enum { N = 16 };
	pid_t children[N];

	for (int i = 0; i < N; i++) {
		children[i] = fork();
		if (children[i] == 0) {
			struct map map;

			if (map_open(&place, MAP_CREATE, &map, NULL) < 0)
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

	struct map map;

	open_ok(&map);
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
			     sizeof(struct choice_memory)), 0);
	cr_expect_neq(memcmp(&a.memory->header.key, &b.memory->header.key,
			     sizeof(struct siphash_key)), 0);
}
