/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The file that holds the policy of a namespace: `policy`, in the folder of the
 * arena (see arena.h), or in one that root has made and published a policy in:
 * /run/berth or /dev/shm/berth, whatever BERTH_DIR says. Only its owner may
 * write it; all map it read-only. No file descriptor stays open.
 */

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/policy_layout.h"

struct arena_place;

struct policy_file {
	const struct policy_file_header *header;	/* NULL = there is none */
	bool by_root;		/* root owns it: it binds, whatever is in the
				   environment */
	int passed_over;	/* why it is not in the folder that comes first,
				   as in shared_file.h */
	int missed;		/* why one that may be there could not be
				   looked at, -errno; 0 = all were */
};

enum policy_open { POLICY_EXISTING, POLICY_CREATE };

/*
 * Maps the policy file of a place, or with POLICY_CREATE makes an empty one.
 * path may be NULL, else it is told the file's name.
 * Returns 0; or -errno as arena_open(), and policy_file_edition() is 0 then.
 */
int policy_file_open(const struct arena_place *place, enum policy_open mode,
		     struct policy_file *file, char path[PATH_MAX]);

void policy_file_close(struct policy_file *file);

/* The edition in force, 0 without a file. Odd: there is a policy. */
static inline uint64_t policy_file_edition(const struct policy_file *file)
{
	/* Acquire: the policy's bytes were written before, for this reader. */
	return file->header != NULL ? load_acquire_u64(&file->header->edition)
				    : 0;
}

/* Where the image of an edition lies: POLICY_SLOT_SIZE bytes, if it is odd. */
const void *policy_file_slot(const struct policy_file *file, uint64_t edition);

/*
 * Puts an image of size bytes in force, or with NULL none. Returns 0 and the new
 * edition, or -errno (-EFBIG beyond POLICY_SLOT_SIZE, -ENOSPC, -EACCES when
 * the file is another's); the policy in force then stays. Waits for another
 * loader of the same file; one that dies keeps nobody.
 */
int policy_file_publish(const char *path, const void *image, size_t size,
			uint64_t *editionp);
