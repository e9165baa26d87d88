/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Which folder holds the arena of a namespace: see arena.h for the order.
 * No heap; async-signal-safe. Descriptors returned are the caller's to close.
 */

#include <limits.h>
#include <stdbool.h>

struct arena_place;

/* The folders that may hold arenas, in the order in which they are tried. */
#define N_ARENA_ROOTS 4u

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
