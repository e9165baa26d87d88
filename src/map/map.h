/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The map of a network namespace: found, made, checked and mapped.
 *
 * The file is `map` in the namespace's folder (see place.h). Only its owner may
 * use a map, unless the mode of its file lets others write, for a user who may
 * write a file may also shorten it, which ends the programs that have it
 * mapped. So a user gets the map of the first parent that has one for this user:
 * that of BERTH_DIR, root's where it may be written, else the user's own. The
 * file is made whole or not at all; no file descriptor stays open.
 */

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/atomics.h"
#include "map/place.h"

struct map_memory;
struct shared_file;

#define REST_MS_DEFAULT 60000u

/* Only its owner may use it. */
#define MAP_MODE_DEFAULT 0600u

struct map {
	/* NULL = not even a private map could be made */
	struct map_memory *memory;
	atomic_u32 rest_ms; /* checked, at least 1 */
	int shared_error;   /* why it is private, -errno; 0 = shared */
	/* Why an earlier parent gave none, -errno; 0 = no earlier parent holds
	 * one */
	int passed_over;
	/* Of the namespace that the map belongs to; */
	uint64_t netns_inode;
	uint64_t netns_cookie; /* 0 = unknown, as in place.h */
};

/* Whether a missing or unusable map is made; MAP_LOAD: in /run/berth too. */
enum map_open { MAP_EXISTING, MAP_CREATE, MAP_LOAD };

/*
 * Opens the map of a place and, when path is not NULL, writes its file's path
 * there. Returns 0; or -ENOENT (MAP_EXISTING and there is none), -ESTALE (there
 * is one of another version, size or namespace, and it could not be replaced),
 * -EACCES, -EPERM (another user's), -ENOSPC, -EFBIG (RLIMIT_FSIZE), -ELOOP (a
 * symbolic link has its name) or what open(2) and mmap(2) give.
 * Async-signal-safe, no heap; opens and closes a few descriptors.
 */
int map_open(const struct place *place, enum map_open mode, struct map *mapp,
	     char path[PATH_MAX]);

/*
 * Opens the file of the map that map_open() would open, and maps nothing: for
 * the command, since others may be allowed to write that file, and so to
 * shorten it. Returns as map_open(); the caller closes *fdp.
 */
int map_find(const struct place *place, enum map_open mode, int *fdp,
	     char path[PATH_MAX]);

/*
 * Opens the file of the map that an open folder holds, whoever has made it: for
 * the command, which shows the maps of all users. access is O_RDONLY or O_RDWR.
 * Nothing is mapped: another user may shorten the file at any time. Returns as
 * map_open(); the caller closes filep->fd.
 */
int map_file_open(const struct place_folder *folder, int access,
		  struct shared_file *filep);

/*
 * Makes a map for this process and its future children alone. shared_error says
 * why. Returns 0 or -ENOMEM (then mapp->memory is NULL).
 */
int map_open_private(int shared_error, struct map *mapp);

/* Sets how long ports rest from now on; 0 = as the map's header says. */
void map_set_rest(struct map *map, uint32_t rest_ms);

void map_close(struct map *map);
