/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A folder of its own, and in it the place of a map and a policy: each test
 * begins with make_place() and ends with remove_place().
 */

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "map/place.h"
#include "policy/file.h"

/* Of no namespace that there is. */
#define INODE 3u
#define COOKIE 7u
#define SOMEBODY 12345

static char directory[] = "/tmp/berth-test-XXXXXX";
static char folder[128]; /* of the namespace */
static char path[256];	 /* of the map or the policy in it */

static struct place place = {
	.directory = directory,
	.netns_inode = INODE,
	.netns_cookie = COOKIE,
	.retire = policy_file_retire,
};

/* Where the environment names no folder. */
static const struct place anywhere __attribute__((unused)) = {
	.netns_inode = INODE,
	.netns_cookie = COOKIE,
};

static inline void make_place(const char *name)
{
	cr_assert_not_null(mkdtemp(directory));
	snprintf(folder, sizeof(folder), "%s/%u", directory, INODE);
	snprintf(path, sizeof(path), "%s/%s", folder, name);
}

static inline int remove_one(const char *name, const struct stat *status,
			     int type, struct FTW *ftw)
{
	(void)status;
	(void)type;
	(void)ftw;
	return remove(name);
}

static inline void remove_tree(const char *name)
{
	nftw(name, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static inline void remove_place(void)
{
	umount2(directory, MNT_DETACH); /* of a test that mounts there */
	remove_tree(directory);
}

/* A name in the directory; at most four at a time. */
static inline const char *in_directory(const char *name)
{
	static char names[4][300];
	static int n;
	char *made = names[n++ % 4];

	snprintf(made, sizeof(names[0]), "%s/%s", directory, name);
	return made;
}

static inline struct stat status_of(const char *name)
{
	struct stat status;

	cr_assert_eq(lstat(name, &status), 0, "%s", name);
	return status;
}

static inline int mode_of(const char *name)
{
	return status_of(name).st_mode & 07777;
}

static inline void spoil(size_t offset, const void *bytes, size_t n_bytes)
{
	const int fd = open(path, O_WRONLY);

	cr_assert_eq(pwrite(fd, bytes, n_bytes, (off_t)offset),
		     (ssize_t)n_bytes);
	close(fd);
}

/* Gives a member of the header of the file a value. */
#define SPOIL(header, member, ...) \
	spoil(offsetof(struct header, member), \
	      &(__typeof__(((struct header *)NULL)->member)){ __VA_ARGS__ }, \
	      sizeof(((struct header *)NULL)->member))

/* Mounts of this test alone. Skips where that is not possible. */
static inline void mount_here(const char *where, const char *options)
{
	if (geteuid() != 0)
		cr_skip_test("needs root");
	if (unshare(CLONE_NEWNS) != 0 ||
	    mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
	    mount("none", where, "tmpfs", 0, options) != 0)
		cr_skip_test("needs a mount namespace of its own");
}

static inline void mount_run_and_shm(const char *options_of_run)
{
	mount_here("/dev/shm", "mode=1777");
	cr_assert_eq(mount("none", "/run", "tmpfs", 0, options_of_run), 0);
}
