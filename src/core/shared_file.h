/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A file of fixed size that the processes of a network namespace share: found,
 * made, checked and mapped.
 *
 * It lies in the namespace's folder (see arena_place.h) and begins with a header
 * of its kind. It is made whole or not at all: written to an unnamed file, then
 * linked in place; one of another version or namespace is replaced. No heap; no
 * file descriptor stays open; async-signal-safe.
 */

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct arena_folder;
struct arena_place;

#define SHARED_HEADER_SIZE 4096u

struct shared_file_kind {
	const char *name;
	size_t size;
	bool writable;		/* mapped to be written */
	mode_t mode_of_root;	/* of a file that root makes; others': 0600 */
	/* Writes a new file's first bytes, and allocates. Returns 0 or -errno. */
	int (*fill)(int fd, const struct arena_place *place);
	/* Whether a header is one of this kind, version and namespace. */
	bool (*accepts)(const void *header, const struct arena_place *place);
};

/* Allocates a file whole. Returns 0 or -errno. */
int shared_file_allocate(int fd, size_t size);

struct shared_file {
	void *memory;
	uid_t owner;
	int passed_over;	/* why a folder before its own gave none,
				   -errno; 0 = none of them holds one */
};

/*
 * Opens, or with create makes, the file in the folders of a place, the first
 * that gives one. path may be NULL, else it is told the file's name.
 * Returns 0; or what arena_open() returns.
 */
int shared_file_open(const struct shared_file_kind *kind,
		     const struct arena_place *place, bool create,
		     struct shared_file *filep, char path[PATH_MAX]);

/* The same in one of the folders, by its number: see arena_place_open(). */
int shared_file_open_at(const struct shared_file_kind *kind,
			const struct arena_place *place, unsigned int root,
			bool create, struct shared_file *filep,
			char path[PATH_MAX]);
