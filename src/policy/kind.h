/* SPDX-License-Identifier: MIT */
#pragma once

/* What makes a file a policy file, for opening one and for loading a policy. */

#include "map/shared_file.h"

extern const struct shared_file_kind policy_kind;

/*
 * Checks whether a folder, whoever made it, holds a policy that is in force in
 * the place's namespace. Returns 0 with the file's status and header in *filep,
 * and no descriptor; or -errno.
 */
int policy_kind_look(const struct place *place,
		     const struct place_folder *folder,
		     struct shared_file *filep);
