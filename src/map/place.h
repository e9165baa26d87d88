/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Which folders hold the policy and the map of a namespace, and who may have
 * made them. A root is a folder that holds one folder for each namespace:
 *
 *   BERTH_DIR            whoever sets it vouches for all that is in it
 *   /run/berth           root's; only `berth load` and `berth run` make it
 *   /dev/shm/berth-0     root's too, where /run cannot be written
 *   /dev/shm/berth-UID   a user's own
 *
 * A symbolic link is followed only on the way to BERTH_DIR, and only where no
 * other user may have put it. Nothing is changed that was not just made here.
 *
 * /run is what vouches for root where root is not mapped: in a user namespace,
 * root and every stranger are the overflow user, but in /run of the machine only
 * root makes folders. Who mounts a /run of his own does so in a mount namespace of
 * his own, for his own programs: no preload could bind those.
 *
 * No heap; async-signal-safe. Descriptors returned are the caller's to close.
 */

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kernel/users.h"

struct kernel;

/* Who asks, for which namespace. */
struct place {
	const char *directory;		/* BERTH_DIR, an absolute path; or NULL */
	uint64_t netns_inode;		/* 0 = no /proc */
	uint64_t netns_cookie;		/* 0 = the kernel has none */
	bool makes_nothing;		/* nor changes it: set-user-ID programs */
	/* Takes the policy out of a folder before that is removed; see
	 * dead_folders.h. NULL = no folder is removed. */
	int (*retire)(int folder_fd);
	struct users users;
};

/*
 * Whether a file's namespace is the place's: inodes are used again, cookies are
 * not, but not every kernel has them.
 */
static inline bool place_is(const struct place *place,
				  uint64_t netns_inode, uint64_t netns_cookie)
{
	return netns_inode == place->netns_inode &&
	       (netns_cookie == 0 || place->netns_cookie == 0 ||
		netns_cookie == place->netns_cookie);
}

/* The roots, in the order in which they are tried. */
enum place_root {
	ROOT_NAMED,
	ROOT_RUN,
	ROOT_SHM,
	ROOT_OWN,
	N_PLACE_ROOTS,
};

/* What is done about a folder that is missing. */
enum place_make {
	MAKE_NOTHING,
	MAKE_AS_PROGRAM,	/* not /run/berth */
	MAKE_AS_COMMAND,	/* what `berth load` and `berth run` make */
};

struct place_folder {
	int fd;				/* of the namespace's own folder */
	uint32_t uid;			/* whose it, or its root, is */
	bool is_trusted;		/* as the root asks for */
};

/*
 * Opens, or makes, the namespace's folder below a root. What is there and is
 * not trusted is opened too, for who says so. Returns 0; -ENOENT when it is
 * missing, or this root is not to be used here; -EACCES for a symbolic link; or
 * what open(2) and mkdir(2) give.
 */
int place_open(const struct place *place, enum place_root root,
		     enum place_make make, struct place_folder *folderp);

/* -EPERM is for what is another user's; the kernel's, or a filter's, is no more
 * than a failure. */
static inline int place_failure(int result)
{
	return result == -EPERM ? -EACCES : result;
}

/*
 * Opens the namespace's folder below a root that is open, which is user uid's own:
 * for the command, which looks into those of all users. It is trusted where that
 * user has made it. Returns as place_open().
 */
int place_open_below(const struct place *place, int root_fd,
			   uint32_t uid, struct place_folder *folderp);

/* Whether a file of this owner in a folder below a root is to be believed. */
bool place_trusts(const struct place *place, enum place_root root,
			uint32_t uid);

/* Whether another than the maker of a root's folders may write in them. */
static inline bool place_root_is_roots(enum place_root root)
{
	return root == ROOT_RUN || root == ROOT_SHM;
}

/* "/run/berth"; BERTH_DIR; "/dev/shm/berth-" for a user's own. */
const char *place_root_name(const struct place *place,
			    enum place_root root);

/*
 * The path of a file in a folder, as /proc tells it: for the command. Returns 0,
 * -ENAMETOOLONG or what readlink(2) gives.
 */
int place_folder_path(const struct place_folder *folder, const char *name,
		      char *path, size_t size);
