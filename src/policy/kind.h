/* SPDX-License-Identifier: MIT */
#pragma once

/* What makes a file a policy file, for opening one and for loading a policy. */

#include "map/shared_file.h"
#include "policy/layout.h"

extern const struct shared_file_kind policy_kind;

/* Whether the rest of the file has the form that this version knows. */
static inline bool
policy_kind_is_followable(const struct policy_preamble *preamble)
{
	return preamble->version == POLICY_FILE_VERSION &&
	       preamble->header_size == sizeof(struct policy_file_header);
}

/*
 * Checks whether a folder, whoever made it, holds a policy that is in force in
 * its place's namespace. Returns 0 with the file's status and header in *filep,
 * and no descriptor; or -errno.
 */
int policy_kind_look(const struct place_folder *folder,
		     struct shared_file *filep);
