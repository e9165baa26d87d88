/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Which folder holds the arena of a namespace: see arena.h for the order.
 * No heap; async-signal-safe. Descriptors returned are the caller's to close.
 */

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

/* Who asks, for which namespace. */
struct arena_place {
	const char *directory;		/* BERTH_DIR, or NULL */
	uint64_t netns_inode;		/* 0 = no /proc */
	uint64_t netns_cookie;		/* 0 = the kernel has none */
};

/*
 * Whether a file's namespace is the place's: inodes are used again, cookies are
 * not, but not every kernel has them.
 */
static inline bool arena_place_is(const struct arena_place *place,
				  uint64_t netns_inode, uint64_t netns_cookie)
{
	return netns_inode == place->netns_inode &&
	       (netns_cookie == 0 || place->netns_cookie == 0 ||
		netns_cookie == place->netns_cookie);
}

/* The folders that may hold arenas, in the order in which they are tried. */
#define N_ARENA_ROOTS 4u

/* Those of them that only root makes, /run/berth and /dev/shm/berth. */
#define FIRST_ROOTS_ROOT 1u
#define LAST_ROOTS_ROOT 2u

struct arena_folder {
	int fd;				/* of the namespace's own folder */
	char path[PATH_MAX];		/* without a slash at its end */
};

/*
 * Opens, or with create makes, the namespace's folder below a root (0 to
 * N_ARENA_ROOTS - 1). Returns 0; -ENOENT when this root is not to be used here;
 * -EACCES when it, or the folder, is another user's or a symlink; or what
 * open(2) and mkdir(2) give.
 */
int arena_place_open(const struct arena_place *place, unsigned int root,
		     bool create, struct arena_folder *folderp);

/* Writes the path of a file in a folder. Returns 0 or -ENAMETOOLONG. */
int arena_place_file(const struct arena_folder *folder, const char *name,
		     char path[PATH_MAX]);
