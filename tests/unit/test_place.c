/* SPDX-License-Identifier: MIT */
#include <dirent.h>

#include "map/map.h"
#include "place_here.h"

static struct map map;

static void setup(void)
{
	make_place("map");
}

static void teardown(void)
{
	/* Some tests become another user. */
	if (getuid() == 0 && seteuid(0) != 0)
		perror("seteuid");
	remove_place();
}

TestSuite(place, .init = setup, .fini = teardown);

static int open_map(const struct place *where)
{
	return map_open(where, MAP_CREATE, &map, NULL);
}

static void assert_at(const struct place *where, const char *expected)
{
	char found[PATH_MAX] = "";

	cr_assert_eq(map_open(where, MAP_CREATE, &map, found), 0);
	cr_assert_str_eq(found, expected);
	map_close(&map);
}

static void become(uid_t uid)
{
	cr_assert_eq(seteuid(0), 0);
	cr_assert(setegid(uid) == 0 && seteuid(uid) == 0);
}

Test(place, each_user_has_one_of_his_own)
{
	mount_run_and_shm("mode=755");
	assert_at(&anywhere, "/dev/shm/berth-0/3/map");
	become(12345);
	assert_at(&anywhere, "/dev/shm/berth-12345/3/map");
	become(54321);
	assert_at(&anywhere, "/dev/shm/berth-54321/3/map");
}

Test(place, who_lets_others_write_his_map_shares_it)
{
	mount_run_and_shm("mode=755");
	cr_assert_eq(mkdir("/run/berth", 0755), 0);
	assert_at(&anywhere, "/run/berth/3/map");
	cr_assert_eq(chmod("/run/berth/3/map", 0666), 0);
	become(12345);
	assert_at(&anywhere, "/run/berth/3/map");
}

Test(place, in_a_named_folder_too_each_user_has_one_of_his_own)
{
	mount_run_and_shm("mode=755");
	cr_assert_eq(chmod(directory, 01777), 0);
	become(12345);
	cr_assert_eq(open_map(&place), 0);
	/* Root may open it, and does not: its maker may shorten it. */
	become(0);
	assert_at(&place, "/dev/shm/berth-0/3/map");
	become(54321);
	assert_at(&place, "/dev/shm/berth-54321/3/map");
	become(0);
	cr_assert_eq(chmod(path, 0666), 0);
	assert_at(&place, path);
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
Test(place, a_name_that_another_has_made_first_keeps_nobody_from_a_map)
{
	char expected[PATH_MAX], spare[PATH_MAX];

	mount_run_and_shm("mode=755");
	become(54321);
	cr_assert_eq(mkdir("/dev/shm/berth-12345", 0777), 0);
	cr_assert_eq(mkdir("/dev/shm/berth-12345-0000", 0777), 0);
	become(12345);

	cr_assert_eq(map_open(&anywhere, MAP_CREATE, &map, spare), 0);
	cr_assert_eq(strncmp(spare, "/dev/shm/berth-12345-", 21), 0);
	snprintf(expected, sizeof(expected), "%s", spare);
	/* All his programs find the same. */
	assert_at(&anywhere, expected);
	assert_at(&anywhere, expected);
	become(0);
	cr_assert_eq(only_entry_but("berth-12345")[0], 'b');
}

Test(place, a_folder_that_its_user_may_not_search_yet_gets_its_mode)
{
	struct stat status;

	mount_run_and_shm("mode=755");
	become(12345);
	umask(0333);
	cr_assert_eq(map_open(&anywhere, MAP_CREATE, &map, NULL), 0);
	cr_assert_eq(stat("/dev/shm/berth-12345", &status), 0);
	cr_expect_eq(status.st_mode & 07777, 0700);
}

/* BERTH_DIR on the way through a folder of another's. Edge case 51. */
Test(place, no_link_is_followed_where_another_may_have_put_it)
{
	const char *way = in_directory("way");
	const char *link = in_directory("way/link");
	const char *secret = in_directory("secret");

	mount_run_and_shm("mode=755");
	cr_assert(mkdir(way, 0777) == 0 && chmod(way, 0777) == 0);
	cr_assert(mkdir(secret, 0700) == 0);
	place.directory = in_directory("way/link/x");
	cr_assert_eq(symlink(secret, link), 0);
	cr_expect_eq(open_map(&place), -EACCES);
	place.directory = link;
	cr_expect_eq(open_map(&place), -EACCES);
	cr_expect_eq(mode_of(secret), 0700);
	cr_expect_eq(rmdir(secret), 0, "something is in it");
	/* One that root, or this user, has put where nobody else can. */
	cr_assert(mkdir(secret, 0700) == 0 && chmod(way, 0755) == 0);
	cr_expect_eq(open_map(&place), 0);
	cr_expect_eq(mode_of(secret), 0700);
}

/* Edge case 50. */
Test(place, a_set_user_id_program_makes_nothing)
{
	const struct place secure = {
		.directory = directory,
		.netns_inode = INODE,
		.netns_cookie = COOKIE,
		.makes_nothing = true,
	};

	cr_expect_eq(open_map(&secure), -ENOENT);
	cr_expect_eq(access(folder, F_OK), -1);
	cr_assert_eq(open_map(&place), 0);
	cr_expect_eq(open_map(&secure), 0);
}

/* Edge case 49: in a user namespace the overflow user may be root, or anybody. */
Test(place, root_that_is_not_mapped_is_trusted_in_run_alone)
{
	const struct place mapped = {
		.netns_inode = INODE,
		.users = { .is_mapped = true, .overflow_uid = 65534 },
	};

	cr_expect(place_trusts(&mapped, PARENT_RUN, 65534));
	cr_expect(place_trusts(&mapped, PARENT_RUN, 0));
	cr_expect_not(place_trusts(&mapped, PARENT_RUN, 1000));
	cr_expect_not(place_trusts(&mapped, PARENT_SHM, 65534));
	cr_expect_not(place_trusts(&anywhere, PARENT_RUN, 65534));
}

/* Edge case 49: a namespace may give root another number. */
Test(place, root_with_another_number_is_trusted_in_run_alone)
{
	static const char text[] = "         7       1000          1\n"
				   "      1000          0          1\n";
	struct place mapped = { .netns_inode = INODE };
	const char *name = in_directory("uid_map");
	FILE *file = fopen(name, "w");

	cr_assert(file != NULL && fputs(text, file) >= 0 && fclose(file) == 0);
	users_read_map(name, &mapped.users);
	cr_assert(mapped.users.is_mapped);
	cr_expect(place_trusts(&mapped, PARENT_RUN, 1000));
	cr_expect_not(place_trusts(&mapped, PARENT_RUN, 7));
	cr_expect_not(place_trusts(&mapped, PARENT_SHM, 1000));
}

static struct place place_of(uint64_t inode)
{
	struct place other = place;

	other.netns_inode = inode;
	other.netns_cookie = 0;
	return other;
}

/* Makes a folder as of a namespace that is gone, with a map in it. */
static void make_dead(uint64_t inode)
{
	const struct place dead = place_of(inode);

	cr_assert_eq(open_map(&dead), 0);
	map_close(&map);
}

static bool is_there(uint64_t inode, const char *name)
{
	char found[300];

	snprintf(found, sizeof(found), "%s/%lu%s", directory,
		 (unsigned long)inode, name);
	return access(found, F_OK) == 0;
}

static bool is_initial_pid_namespace(void)
{
	struct stat status;

	return stat("/proc/self/ns/pid", &status) == 0 &&
	       status.st_ino == 0xeffffffc;
}

Test(place, who_makes_a_folder_clears_those_of_dead_namespaces_away)
{
	struct stat own;
	uint64_t live;

	cr_assert_eq(stat("/proc/self/ns/net", &own), 0);
	live = own.st_ino;
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

Test(place, a_policy_in_force_keeps_the_folder_of_a_dead_namespace)
{
	const struct place dead = place_of(5);
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
