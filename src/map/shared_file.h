/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A file that processes of a network namespace share: found, made and checked.
 *
 * It lies in the namespace's folder (see place.h) and begins with a header of
 * its kind. It is made whole or not at all: written as an unnamed file, then
 * linked to its name; a stale one is replaced. No heap; async-signal-safe.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/raw_file.h"
#include "map/place.h"

/* How much of a file's beginning is read before it is mapped. */
#define SHARED_HEADER_SIZE 64u

struct shared_file_kind {
	const char *name;
	int access;    /* O_RDWR or O_RDONLY */
	uint64_t size; /* of a new file */
	/* Of a new file in a folder that other users may read; 0600 in other
	 * folders. */
	uint32_t mode;
	/* Writes a new file's first bytes, and allocates. Returns 0 or -errno. */
	int (*fill)(int fd, const struct place *place);
	/* Whether a file with this header is valid, for this namespace. Returns
	 * 0, or -ESTALE for one that may be replaced. */
	int (*check)(const void *header, const struct file_status *status,
		     const struct place *place);
	/* Another user's file is used only where the parent trusts that user, and
	 * where its mode has one of these bits; 0 = with any mode. */
	uint32_t needs_mode;
};

/* An open file; the caller closes it. */
struct shared_file {
	int fd;
	struct file_status status;
	/* Its first bytes, when it was opened. */
	uint64_t header[SHARED_HEADER_SIZE / sizeof(uint64_t)];
};

/*
 * Opens the file of a kind in a folder; with create, makes a missing one and
 * replaces a stale one. Returns 0; -ENOENT; -ESTALE for a stale file that could
 * not be replaced; -EPERM for another user's; -ELOOP for what is no regular
 * file; -EFBIG where RLIMIT_FSIZE forbids making one; or what open(2) and
 * linkat(2) give.
 */
int shared_file_open(const struct shared_file_kind *kind,
		     const struct place_folder *folder, bool create,
		     struct shared_file *filep);

/*
 * A new file with its first contents, without a name. The caller gives it a
 * name and closes it. name is "" or, where the file system has no unnamed
 * files, a temporary name to be removed.
 */
int shared_file_make(const struct shared_file_kind *kind,
		     const struct place_folder *folder, char name[32]);

/* Gives a new file this name. Returns 0, or -EEXIST where the name is taken. */
int shared_file_link(const struct place_folder *folder, int fd,
		     const char *from, const char *name);
