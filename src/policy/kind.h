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
