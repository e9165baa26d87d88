/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The map of a network namespace: found, made, checked and mapped.
 *
 * The file is `arena` in the namespace's folder (see arena_place.h). A map is its
 * maker's alone, unless the mode of its file lets others write, for who may write
 * a file may also shorten it, and that ends those who have it mapped. So a user
 * has the map of the first root that gives one: BERTH_DIR's, root's where that may
 * be written, else his own. It is made whole or not at all; no file descriptor
 * stays open.
 */

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/atomics.h"
#include "core/arena_place.h"

struct arena_memory;
struct shared_file;

#define REST_MS_DEFAULT 60000u

/* Its maker's alone. */
#define ARENA_MODE_DEFAULT 0600u

struct arena {
	struct arena_memory *memory;	/* NULL = none could be had at all */
	atomic_u32 rest_ms;		/* checked, at least 1 */
	int shared_error;		/* why it is private, -errno; 0 = shared */
	int passed_over;		/* why a root before its own gave none,
					   -errno; 0 = none of them holds one */
	uint64_t netns_inode;		/* of the namespace that it is of; */
	uint64_t netns_cookie;		/* 0 = unknown, as in arena_place.h */
};

/* Whether a missing or unusable arena is made; ARENA_LOAD: /run/berth too. */
enum arena_open { ARENA_EXISTING, ARENA_CREATE, ARENA_LOAD };

/*
 * Opens the arena of a place and, when path is not NULL, tells its file's path.
 * Returns 0; or -ENOENT (ARENA_EXISTING and there is none), -ESTALE (there is
 * one of another version, size or namespace, and it could not be replaced),
 * -EACCES, -EPERM (another's), -ENOSPC, -EFBIG (RLIMIT_FSIZE), -ELOOP (a symlink
 * in its place) or what open(2) and mmap(2) give. Async-signal-safe, no heap; opens
 * and closes a few descriptors.
 */
int arena_open(const struct arena_place *place, enum arena_open mode,
	       struct arena *arenap, char path[PATH_MAX]);

/*
 * Opens the file of the arena that arena_open() would open, and maps nothing: for
 * the command, since others may be allowed to write that file, and so to shorten
 * it. Returns as arena_open(); the caller closes *fdp.
 */
int arena_find(const struct arena_place *place, enum arena_open mode, int *fdp,
	       char path[PATH_MAX]);

/*
 * Opens the file of the map that an open folder holds, whoever has made it: for
 * the command, which shows the maps of all users. access is O_RDONLY or O_RDWR.
 * Nothing is mapped: another user may shorten the file at any time. Returns as
 * arena_open(); the caller closes filep->fd.
 */
int arena_file_open(const struct arena_place *place,
		    const struct arena_folder *folder, int access,
		    struct shared_file *filep);

/*
 * A map of this process and its future children alone. shared_error says why.
 * Returns 0 or -ENOMEM (then arenap->memory is NULL).
 */
int arena_open_private(int shared_error, struct arena *arenap);

/* How long ports rest from now on; 0 = as the arena's header says. */
void arena_set_rest(struct arena *arena, uint32_t rest_ms);

void arena_close(struct arena *arena);
