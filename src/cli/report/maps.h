/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The maps of all users in this network namespace: in BERTH_DIR, that of root,
 * and those in /dev/shm.
 *
 * The owner of a map may write anything to it. If the owner shortens it, SIGBUS
 * ends the processes that have it mapped. So a map is read into memory of this
 * process; it is mapped only to be written, by bus_error_catch().
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/raw_file.h"

struct map;
struct place;

struct found_map {
	/* of the file; if unknown, of the folder */
	const char *path;
	uint32_t uid;	/* whose it is */
	bool is_shared; /* others than that user may write it */
	int error;	/* why it cannot be opened, -errno; or 0: */
	int fd;		/* open until the visit returns */
	struct file_status status;
};

typedef void (*found_map_visit)(const struct found_map *found, void *context);

/*
 * Visits the map of each user, in the folder that the programs of this user
 * would use; also those that cannot be opened, which may be of another
 * namespace. access is O_RDONLY or O_RDWR. Returns 0, or -errno when the
 * folders of users could not all be listed.
 */
int found_maps_visit(const struct place *place, int access,
		     found_map_visit visit, void *context);

/*
 * Copies a part of a map; the rest is zero. The words may be of different
 * moments, as for any reader. Returns 0; -ESTALE for a file that was shortened;
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

/* The maps that were left out. */
struct maps_missed {
	size_t n_denied; /* not for this user */
	bool is_broken;	 /* another one could not be read, or written */
	bool is_quiet;	 /* no messages: they were printed before */
};

/* Whether an error only means another user's or another namespace's map. */
bool found_map_is_denied(int error);

/* Counts a map that was left out. Reports at once why one is broken;
 * maps_missed_tell() reports the number of the others. */
void maps_missed_add(struct maps_missed *missed, const struct found_map *found,
		     int error);
void maps_missed_tell(const struct maps_missed *missed);
