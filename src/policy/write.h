/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * One policy file, opened for writing by one loader at a time, which puts a
 * policy in force there or takes it out of force. The caller chooses the folder
 * of the file (see policy/load.c).
 *
 * No heap; async-signal-safe. Errors are -errno.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/raw_file.h"
#include "map/place.h"
#include "policy/file.h"

struct policy_write {
	struct place_folder folder;
	int lock_fd;
	int fd;
	struct file_status status;
	struct policy_file_header *header;
};

/*
 * Opens the file below a parent, or makes it, and takes the folder's lock.
 * Returns 0, with both for policy_write_close(); or -errno with neither:
 * -ESTALE when another file has got the name meanwhile, so that another attempt
 * may succeed; -EBUSY while another load by this user does not end; -EPERM for
 * a folder that is not trusted.
 */
int policy_write_open(const struct place *place, enum place_parent parent,
		      struct policy_write *write);
void policy_write_close(struct policy_write *write);

/*
 * Puts a policy in force, or takes the last one out of force. Returns 0 and the
 * new edition; or -errno, and what is in force stays.
 */
int policy_write_load(struct policy_write *write,
		      const struct policy_load *load, uint64_t *editionp);

/*
 * Removes the file in an open folder and tells processes that have it mapped,
 * with a last edition that says whether a policy is in force elsewhere. A
 * policy in force stays, unless though_in_force. Returns 0, also when there is
 * no file; or -EBUSY.
 */
int policy_write_retire(int folder_fd, bool though_in_force,
			enum on_error on_error);
