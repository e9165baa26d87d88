/* SPDX-License-Identifier: MIT */
#include "policy/file.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>

#include "base/raw.h"
#include "policy/write.h"

/* How often another process may replace the file that was opened. */
#define MAX_ROUNDS 8

/* --- which folder --------------------------------------------------------- */

/* Returns 0, or why this parent cannot hold the policy. */
static int load_at(const struct place *place, enum place_parent parent,
		   const struct policy_load *load, uint64_t *editionp,
		   char path[PATH_MAX])
{
	struct policy_write write;
	int result = -ESTALE;

	for (int i = 0; i < MAX_ROUNDS && result == -ESTALE; i++)
		result = policy_write_open(place, parent, &write);
	if (result < 0)
		return result;
	result = policy_write_load(&write, load, editionp);
	if (result == 0)
		place_folder_path(&write.folder, policy_kind.name, path);
	policy_write_close(&write);
	return result;
}

struct candidates {
	enum place_parent parents[N_PLACE_PARENTS];
	unsigned int n;
};

/* Lists where a policy may be put, the best first. Returns 0 or -EACCES. */
static int list_candidates(const struct place *place,
			   struct candidates *candidates)
{
	struct policy_file file;
	const bool is_roots = policy_file_open(place, POLICY_EXISTING, &file,
					       NULL) == 0 &&
			      place_parent_is_roots(file.parent);
	const bool is_in_force = is_roots &&
				 (policy_file_edition(&file) & 1) != 0;

	policy_file_close(&file);
	if (!is_in_force && place->directory != NULL)
		*candidates = (struct candidates){ { PARENT_NAMED }, 1 };
	else if (raw_geteuid() == 0 && is_in_force && file.parent == PARENT_SHM)
		*candidates = (struct candidates){ { PARENT_SHM, PARENT_RUN },
						   2 };
	else if (raw_geteuid() == 0)
		*candidates = (struct candidates){ { PARENT_RUN, PARENT_SHM },
						   2 };
	else if (is_roots)
		/* This user's programs follow root's file. */
		return -EACCES;
	else
		*candidates = (struct candidates){ { PARENT_OWN }, 1 };
	return 0;
}

/* --- files that no longer hold the policy --------------------------------- */

static void retire_at(const struct place *place, enum place_parent parent,
		      enum on_error on_error)
{
	struct place_folder folder;

	if (place_open(place, parent, MAKE_NOTHING, &folder) < 0)
		return;
	if (folder.is_trusted)
		(void)!policy_write_retire(folder.fd, true, on_error);
	raw_close(folder.fd);
}

int policy_file_retire(int folder_fd)
{
	const int lock_fd = raw_open(folder_fd, "lock",
				     O_RDWR | O_NOFOLLOW | O_NONBLOCK, 0);
	int result = 0;

	/* A process loads a policy there: the folder is in use. */
	if (lock_fd >= 0)
		result = raw_flock(lock_fd, LOCK_EX | LOCK_NB);
	if (result == 0)
		result = policy_write_retire(folder_fd, false,
					     ON_ERROR_PRIVATE);
	if (result == 0 && lock_fd >= 0)
		raw_file_remove(folder_fd, "lock", 0);
	if (lock_fd >= 0)
		raw_close(lock_fd);
	return result == 0 ? 0 : -EBUSY;
}

/* --- loading -------------------------------------------------------------- */

/* The folder is full, or cannot be written: the next one is tried. */
static bool is_lasting(int error)
{
	return error == -ENOSPC || error == -EDQUOT || error == -EFBIG ||
	       error == -EROFS || error == -EACCES || error == -EPERM ||
	       error == -ENOENT;
}

int policy_file_load(const struct place *place, const struct policy_load *load,
		     uint64_t *editionp, char path[PATH_MAX])
{
	struct candidates candidates;
	int first_error = 0, result;

	if (load->size > POLICY_SIZE_MAX)
		return -EFBIG;
	result = list_candidates(place, &candidates);
	if (result < 0)
		return result;
	result = -ENOENT;
	for (unsigned int i = 0; i < candidates.n; i++) {
		result = load_at(place, candidates.parents[i], load, editionp,
				 path);
		if (result == 0) {
			/* An empty file that a failed attempt has made must not
			 * be followed. */
			while (i-- > 0)
				retire_at(place, candidates.parents[i],
					  load->on_error);
			return 0;
		}
		if (first_error == 0 || first_error == -ENOENT)
			first_error = result;
		/* Where the failure may pass, the policy that is in force there
		 * stays. */
		if (load->image == NULL || !is_lasting(result))
			break;
	}
	return first_error != 0 ? first_error : result;
}

/* Opens the file to write it, which makes what is missing, as a load does. */
bool policy_file_may_load(const struct place *place)
{
	struct candidates candidates;
	struct policy_write write;

	if (list_candidates(place, &candidates) < 0)
		return false;
	for (unsigned int i = 0; i < candidates.n; i++)
		if (policy_write_open(place, candidates.parents[i], &write) ==
		    0) {
			policy_write_close(&write);
			return true;
		}
	return false;
}
