/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The file that holds the policy of a namespace: `policy`, in one of the
 * folders of place.h. Only its owner may write it; all programs map it
 * read-only. A policy that root has put in force in /run/berth or
 * /dev/shm/berth-0 binds, whatever BERTH_DIR is. No file descriptor stays open.
 *
 * A process keeps the file that it has found at its start: it follows new
 * editions there without a system call, and where an image lies beyond what is
 * mapped, by mremap(2), without a descriptor. A mapping is never removed: a
 * thread that was stopped may still read it.
 */

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "map/shared_file.h"
#include "policy/layout.h"

struct policy_file {
	/* In the file; or where the file could not be mapped, as read. NULL =
	 * there is no file. */
	const struct policy_preamble *preamble;
	struct policy_preamble seen; /* as it was when the file was opened */
	uint64_t size;		     /* of the file then, in bytes */
	/* Addresses at which POLICY_VIEW_SIZE << index bytes of the file are
	 * mapped from its beginning; 0 = not yet. */
	atomic_u64 views[N_POLICY_VIEWS];
	enum place_parent parent;
	/* Root owns it: it binds, whatever is in the environment */
	bool by_root;
	/* Why a file that may exist could not be read or made, -errno; 0 =
	 * all could */
	int missed;
	bool is_unknown; /* a policy may be in force that was not read */
	/* A policy is in force in a folder where it is not followed: */
	bool has_ignored;
	uint32_t ignored_uid;		  /* of this user, */
	enum place_parent ignored_parent; /* in this parent */
};

enum policy_open { POLICY_EXISTING, POLICY_CREATE };

/*
 * Maps the policy file of a place, or with POLICY_CREATE makes an empty one.
 * path may be NULL, else the file's name is written there. Returns 0; or -errno
 * as map_open(), and policy_file_edition() is 0 then. A file that cannot be
 * mapped is opened all the same: policy_file_image() fails.
 */
int policy_file_open(const struct place *place, enum policy_open mode,
		     struct policy_file *file, char path[PATH_MAX]);

void policy_file_close(struct policy_file *file);

/* The edition in force, 0 without a file. Odd: there is a policy. */
static inline uint64_t policy_file_edition(const struct policy_file *file)
{
	/* Acquire: the policy's bytes were written before, for this reader. */
	return file->preamble != NULL
		       ? load_acquire_u64(&file->preamble->edition)
		       : 0;
}

/* What a program does that cannot follow an edition: enum on_error. */
enum on_error policy_file_on_error(const struct policy_file *file,
				   uint64_t edition);

/* Whether the file no longer holds the namespace's policy: another file may. */
bool policy_file_has_moved(const struct policy_file *file);

/*
 * Finds the image of an odd edition, and maps it if need be. Returns 0;
 * -ENOTSUP for a file of another version; -EINVAL for a damaged header, or a
 * file that had been cut short when it was opened; or why it cannot be mapped.
 * Lock-free, async-signal-safe.
 */
int policy_file_image(struct policy_file *file, uint64_t edition,
		      const void **imagep, size_t *sizep);

/* What a load puts in force. */
struct policy_load {
	const void *image; /* NULL = nothing */
	size_t size;
	enum on_error on_error; /* of programs that cannot follow it */
};

/*
 * Puts a policy in force in the first of the folders that can hold it, or takes
 * the policy in force out of force; makes the folders and the file. path may be
 * NULL, else the file's name is written there. Returns 0 and the new edition,
 * or -errno (-EFBIG beyond POLICY_SIZE_MAX or RLIMIT_FSIZE, -ENOSPC, -EACCES
 * when the file belongs to another user, -EBUSY while another load by this user
 * does not end); the policy in force then stays. Waits for another loader of
 * the same file, but only for a limited time; a loader that dies blocks nobody.
 */
int policy_file_load(const struct place *place, const struct policy_load *load,
		     uint64_t *editionp, char path[PATH_MAX]);

/* Whether this user may do so: see list_candidates() of policy/load.c. */
bool policy_file_may_load(const struct place *place);

/*
 * Removes the policy file in a folder, where no policy is in force, and tells
 * processes that have it mapped that the policy has moved. Returns 0, also when
 * there is no file; or -EBUSY.
 */
int policy_file_retire(int folder_fd);

/* What makes a file a policy file, for opening one and for loading a policy. */
extern const struct shared_file_kind policy_kind;

/* Whether the rest of the file has the form that this version knows. */
static inline bool
policy_kind_is_followable(const struct policy_preamble *preamble)
{
	return preamble->version == POLICY_FILE_VERSION &&
	       preamble->header_size == sizeof(struct policy_file_header);
}
