/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The shared memory of a network namespace: found, made, checked and mapped.
 *
 * The file is `arena` in a folder of its own, named by the namespace's inode,
 * under the first of BERTH_DIR; /run/berth, where root has made it;
 * /dev/shm/berth, if root made it (root makes it when it is missing);
 * /dev/shm/berth-<uid>. It is made whole or not at all: written to an unnamed
 * file, allocated, then linked in place. No file descriptor stays open.
 */

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/atomics.h"
#include "core/arena_place.h"

struct arena_memory;

#define REST_MS_DEFAULT 60000u

/* Of the file that root makes: a service that drops root must reach it. */
#define ARENA_MODE_DEFAULT 0666

struct arena {
	struct arena_memory *memory;	/* NULL = none could be had at all */
	atomic_u32 rest_ms;		/* checked, at least 1 */
	int shared_error;		/* why it is private, -errno; 0 = shared */
	int passed_over;		/* as in shared_file.h */
	uint64_t netns_inode;		/* of the namespace that it is of; */
	uint64_t netns_cookie;		/* 0 = unknown, as in arena_place.h */
};

/* Whether a missing or unusable arena is made. */
enum arena_open { ARENA_EXISTING, ARENA_CREATE };

/*
 * Opens the arena of a place and, when path is not NULL, tells its file's path.
 * Returns 0; or -ENOENT (ARENA_EXISTING and there is none), -ESTALE (there is
 * one of another version, size or namespace, and it could not be replaced),
 * -EACCES, -ENOSPC, -ELOOP (a symlink in its place) or what open(2) and mmap(2)
 * give. Async-signal-safe, no heap; opens and closes a few descriptors.
 */
int arena_open(const struct arena_place *place, enum arena_open mode,
	       struct arena *arenap, char path[PATH_MAX]);

/*
 * A map of this process and its future children alone. shared_error says why.
 * Returns 0 or -ENOMEM (then arenap->memory is NULL).
 */
int arena_open_private(int shared_error, struct arena *arenap);

/* How long ports rest from now on; 0 = as the arena's header says. */
void arena_set_rest(struct arena *arena, uint32_t rest_ms);

void arena_close(struct arena *arena);
