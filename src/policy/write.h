/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * One policy file, opened to be written: by one loader at a time, who puts a
 * policy in force there or takes it out of force. Which folder the file lies in
 * is the caller's choice (see policy/load.c).
 *
 * No heap; async-signal-safe. Errors are -errno.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/raw_file.h"
#include "map/place.h"
#include "policy/file.h"

struct policy_write {
	const struct place *place;
	enum place_root root;
	struct place_folder folder;
	int lock_fd;
	int fd;
	struct file_status status;
	struct policy_file_header *header;
};

/*
 * Opens the file below a root, or makes it, and takes the folder's lock. Returns
 * 0, with both for policy_write_close(); or -errno with neither: -ESTALE when
 * another file has taken the name meanwhile, so that another try may do; -EBUSY
 * while another loader of this user's does not end; -EPERM for a folder that is
 * not to be trusted.
 */
int policy_write_open(const struct place *place, enum place_root root,
		      struct policy_write *write);
void policy_write_close(struct policy_write *write);

/*
 * Puts a policy in force, or takes the last one out of force. Returns 0 and the
 * new edition; or -errno, and what is in force stays.
 */
int policy_write_publish(struct policy_write *write,
			 const struct policy_load *load, uint64_t *editionp);

/*
 * Takes the file in an open folder away and tells those who have it mapped, with
 * a last edition that says whether a policy is in force elsewhere. One in force
 * stays, unless though_in_force. Returns 0, also when there is none; or -EBUSY.
 */
int policy_write_retire(int folder_fd, bool though_in_force,
			enum on_error on_error);
