/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Which folders hold the policy and the map of a namespace, and who may have
 * made them. A parent is a folder that holds one folder for each namespace:
 *
 *   BERTH_DIR            whoever sets it vouches for all that is in it
 *   /run/berth           root's; only `berth load` and `berth run` make it
 *   /dev/shm/berth-0     root's too, where /run cannot be written
 *   /dev/shm/berth-UID   a user's own
 *
 * A symbolic link is followed only on the way to BERTH_DIR, and only where no
 * other user can have made it. Only files and folders that were just made are
 * changed.
 *
 * /run identifies root where root is not mapped: in a user namespace, root and
 * every unknown user show as the overflow user, but in the machine's /run only
 * root makes folders. A user who mounts another /run does so in a mount
 * namespace that holds only this user's programs: no preload could bind those.
 *
 * No heap; async-signal-safe. The caller closes descriptors that are returned.
 */

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kernel/users.h"

struct kernel;

/* Which user looks for which namespace. */
struct place {
	const char *directory; /* BERTH_DIR, an absolute path; or NULL */
	uint64_t netns_inode;  /* 0 = no /proc */
	uint64_t netns_cookie; /* 0 = the kernel has none */
	/* It changes nothing either: set-user-ID programs */
	bool makes_nothing;
	/* Takes the policy out of a folder before the folder is removed; see
	 * dead_folders.h. NULL = no folder is removed. */
	int (*retire)(int folder_fd);
	struct users users;
};

/*
 * Whether a file belongs to the place's namespace: inodes are used again,
 * cookies are not, but not every kernel has them.
 */
static inline bool place_is(const struct place *place, uint64_t netns_inode,
			    uint64_t netns_cookie)
{
	return netns_inode == place->netns_inode &&
	       (netns_cookie == 0 || place->netns_cookie == 0 ||
		netns_cookie == place->netns_cookie);
}

/* The parents, in the order in which they are tried. */
enum place_parent {
	PARENT_NAMED,
	PARENT_RUN,
	PARENT_SHM,
	PARENT_OWN,
	N_PLACE_PARENTS,
};

/* What is done where a folder is missing. */
enum place_make {
	MAKE_NOTHING,
	MAKE_AS_PROGRAM, /* not /run/berth */
	MAKE_AS_COMMAND, /* what `berth load` and `berth run` make */
};

struct place_folder {
	int fd; /* of the namespace's own folder */
	const struct place *place;
	enum place_parent parent;
	/* The owner of the folder, or of its parent */
	uint32_t uid;
	bool is_trusted; /* as this parent requires */
};

/*
 * Opens, or makes, the namespace's folder below a parent. An existing folder that
 * is not trusted is opened too, so that the caller can say so. Returns 0;
 * -ENOENT when it is missing, or this parent is not to be used here; -EACCES for
 * a symbolic link; or what open(2) and mkdir(2) give.
 */
int place_open(const struct place *place, enum place_parent parent,
	       enum place_make make, struct place_folder *folderp);

/* -EPERM is for what belongs to another user; where the kernel or a filter
 * gives it, it is an ordinary failure. */
static inline int place_failure(int result)
{
	return result == -EPERM ? -EACCES : result;
}

/*
 * Opens the namespace's folder below a parent that is open and belongs to user
 * uid: for the command, which reads those of all users. It is trusted, as one of
 * BERTH_DIR is, if that user has made it. Returns as place_open().
 */
int place_open_below(const struct place *place, int parent_fd, uint32_t uid,
		     struct place_folder *folderp);

/* Whether a file of this owner in a folder below a parent is trusted. */
bool place_trusts(const struct place *place, enum place_parent parent,
		  uint32_t uid);

/* Whether a parent is root's own: no other user may write in its folders. */
static inline bool place_parent_is_roots(enum place_parent parent)
{
	return parent == PARENT_RUN || parent == PARENT_SHM;
}

/* "/run/berth"; BERTH_DIR; "/dev/shm/berth-" for a user's own. */
const char *place_parent_name(const struct place *place,
			      enum place_parent parent);

/*
 * The path of a file in a folder, from /proc: for the command. It is "" where it
 * is not known or too long; path may be NULL.
 */
void place_folder_path(const struct place_folder *folder, const char *name,
		       char path[PATH_MAX]);
