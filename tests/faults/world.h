/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What surrounds the programs of a test of faults: Berth's folder, with its
 * files as they were before each run, and the servers that target talks to.
 * For the inside of in_namespace -t, which empties /dev/shm.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "map/layout.h"

#ifndef WORLD_FOLDER
#define WORLD_FOLDER "/dev/shm/faults"
#endif
/* Where Berth goes as root when the default folder does not serve. */
#define WORLD_FOLDER_OF_ROOT "/dev/shm/berth-0"

#define FOLDER_SIZE 96

enum { FILE_MAP, FILE_POLICY, N_FILES };

/* A file as every run is to find it. */
struct kept_file {
	char path[128];		/* "" = there is none */
	ino_t inode;
	void *memory;		/* of the file */
	void *content;		/* a copy of it */
	size_t size;
};

struct world {
	char folder[FOLDER_SIZE];	/* of the namespace, below WORLD_FOLDER */
	struct kept_file files[N_FILES];
	int servers[4];
};

/* Ends the program where something is refused. */
void world_open_servers(struct world *world);

/* Removes all that lies in the folder; the next run finds nothing. */
void world_clear(struct world *world);

/*
 * The files as they are now are those that world_restore() brings back. A file
 * lies where a program finds it: in the first of the two folders that has it.
 */
void world_keep(struct world *world);
void world_restore(struct world *world);

/*
 * NULL, or what is wrong with the folder after a run: a file that was there is
 * gone or is another one; one that is not whole; one that nobody asked for.
 */
const char *world_complaint(const struct world *world);

/* Leases in the map that was kept, of programs that have ended. */
unsigned int world_count_leases(const struct world *world);

/* The counters of the map that was kept; all 0 without one. */
void world_read_counters(const struct world *world,
			 uint64_t counters[N_COUNTERS]);

/* The edition of the policy that was kept, see policy/layout.h. */
unsigned long world_edition(const struct world *world);

/*
 * Whether the policy that was kept says that it lies elsewhere now, and the
 * edition of the one in WORLD_FOLDER_OF_ROOT; 0 = there is none.
 */
bool world_has_moved(const struct world *world);
unsigned long world_edition_moved(void);
