/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The maps of this network namespace, those of all users: in BERTH_DIR, of
 * root, and of each user in /dev/shm.
 *
 * Their makers may write anything to them and shorten them at any time, which
 * ends by SIGBUS whoever has them mapped. So a map is read into memory of this
 * process's own; only who has to write it maps it, in a process that may die.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/raw_file.h"

struct map;
struct place;

struct found_map {
	/* Of its file; if that is unknown, of the folder it may be in. */
	const char *path;
	uint32_t uid;		/* whose it is */
	bool is_shared;		/* others than that user may write it */
	int error;		/* why it cannot be opened, -errno; or 0: */
	int fd;			/* open until the visit returns */
	struct file_status status;
};

typedef void (*found_map_visit)(const struct found_map *found, void *context);

/*
 * Visits each map that is there, with those that cannot be opened, which may be
 * another namespace's. access is O_RDONLY or O_RDWR. Of each user there is one,
 * in the folder that programs of this user would use. Returns 0, or -errno
 * where the users' folders could not all be listed.
 */
int found_maps_visit(const struct place *place, int access,
		     found_map_visit visit, void *context);

/*
 * Reads a part of a map, the rest is zero. Words may be of different moments,
 * as for any reader. Returns 0; -ESTALE where the file has been shortened;
 * -ENOMEM; or why it cannot be read. To be closed by map_close().
 */
int found_map_copy(const struct found_map *found, const struct place *place,
		   size_t offset, size_t size, struct map *mapp);

/*
 * The same of the map that a program of this user would use. Returns as
 * found_map_copy(), or why there is none, as map_open().
 */
int map_copy_own(const struct place *place, struct map *mapp);

/* Maps a map that is open to be written: see above. Returns 0 or -errno. */
int found_map_open(const struct found_map *found, const struct place *place,
		   struct map *mapp);

/* The maps that were left out, for a word on standard error. */
struct maps_missed {
	size_t n_denied;	/* not for this user */
	bool is_broken;		/* another one could not be read, or written */
	bool is_quiet;		/* nothing is said: it was before */
};

/* Whether a map is left out as is right: another user's, or namespace's. */
bool found_map_is_denied(int error);

/* Counts a map; why it is broken is said at once, of the others the number. */
void maps_missed_add(struct maps_missed *missed, const struct found_map *found,
		     int error);
void maps_missed_tell(const struct maps_missed *missed);
