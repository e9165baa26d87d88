/* SPDX-License-Identifier: MIT */
#include "core/policy_file.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>

#include "base/raw.h"
#include "core/policy_kind.h"
#include "core/shared_file.h"

/* Another loader is waited for so long: it writes some pages. */
#define LOCK_WAIT_MS 10000u
#define LOCK_STEP_MS 5u

/* Files that others put in place of the one that was opened. */
#define MAX_ROUNDS 8

/* A file that is to take the other's name. */
#define NEW_NAME "policy.new"

/* Images begin at multiples of it: the length of a cache line. */
#define ALIGNMENT 64u

/* A policy file that is open to be written, and the folder that it lies in. */
struct loading {
	const struct arena_place *place;
	enum arena_root root;
	struct arena_folder folder;
	int lock_fd;
	int fd;
	struct file_status status;
	struct policy_file_header *header;
};

/* --- one loader at a time -------------------------------------------------- */

static void wait_step(void)
{
	const struct timespec step = { .tv_nsec = LOCK_STEP_MS * 1000000 };

	raw_syscall(SYS_nanosleep, (long)&step, 0, 0, 0, 0, 0);
}

/*
 * A file that nobody else can open, and so nobody else can lock. In a folder of
 * BERTH_DIR it may be another user's, who is not waited for in vain.
 */
static int open_lock(const struct loading *loading)
{
	return raw_open(loading->folder.fd, "lock",
			O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK, 0600);
}

static int take_lock(struct loading *loading)
{
	struct file_status status;
	int result;

	loading->lock_fd = open_lock(loading);
	if (loading->lock_fd < 0)
		return loading->lock_fd;
	result = raw_file_status(loading->lock_fd, &status);
	if (result < 0)
		return result;
	for (unsigned int waited = 0; waited < LOCK_WAIT_MS;
	     waited += LOCK_STEP_MS) {
		result = raw_flock(loading->lock_fd, LOCK_EX | LOCK_NB);
		if (result != -EWOULDBLOCK)
			return result;
		wait_step();
	}
	return status.uid == raw_geteuid() ? -EBUSY : 0;
}

static void close_loading(struct loading *loading)
{
	if (loading->header != NULL)
		raw_unmap(loading->header, sizeof(*loading->header));
	if (loading->fd >= 0)
		raw_close(loading->fd);
	if (loading->lock_fd >= 0)
		raw_close(loading->lock_fd);
	raw_close(loading->folder.fd);
}

/* --- the file --------------------------------------------------------------- */

/* Whether the file is still the one that its name leads to. */
static bool is_in_place(const struct loading *loading)
{
	struct file_status status;

	return raw_file_status_at(loading->folder.fd, policy_kind.name,
				  &status) == 0 &&
	       file_status_is_same(&status, &loading->status);
}

static int open_to_write(struct loading *loading)
{
	struct shared_file_kind kind = policy_kind;
	struct shared_file file;
	int result;

	kind.access = O_RDWR;
	result = shared_file_open(&kind, loading->place, loading->root,
				  &loading->folder, true, &file);
	if (result < 0)
		return result == -EPERM ? -EACCES : result;
	loading->fd = file.fd;
	loading->status = file.status;
	loading->header = raw_map_file(file.fd, sizeof(*loading->header),
				       PROT_READ | PROT_WRITE, &result);
	return result;
}

/* Returns 0 with the lock taken and the file open, or -errno with neither. */
static int open_loading(const struct arena_place *place, enum arena_root root,
			struct loading *loading)
{
	int result;

	*loading = (struct loading){ .place = place, .root = root,
				     .lock_fd = -1, .fd = -1 };
	result = arena_place_open(place, root, MAKE_AS_COMMAND,
				  &loading->folder);
	if (result < 0)
		return result;
	result = loading->folder.is_trusted ? take_lock(loading) : -EPERM;
	if (result == 0)
		result = open_to_write(loading);
	if (result == 0 && !is_in_place(loading))
		result = -ESTALE;
	if (result < 0)
		close_loading(loading);
	return result;
}

static bool is_of_this_version(const struct policy_file_header *header)
{
	return header->preamble.version == POLICY_FILE_VERSION &&
	       header->preamble.header_size == sizeof(*header);
}

/* Relaxed throughout: written by those alone who have the lock. */
static uint64_t edition_of(const struct loading *loading)
{
	return load_relaxed_u64(&loading->header->preamble.edition);
}

static uint64_t next_edition(uint64_t edition, bool is_any)
{
	return (edition / 2 + 1) * 2 + is_any;
}

/* Where an image of this size does not overlap the last one. */
static uint64_t free_offset(const struct policy_slot *last, uint64_t size)
{
	const uint64_t first = sizeof(struct policy_file_header);
	const uint64_t offset = load_relaxed_u64(&last->offset);
	const uint64_t end = offset + load_relaxed_u64(&last->size);

	if (offset == 0 || first + size <= offset)
		return first;
	return (end + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
}

/* A full file system is an error before anything is written. */
static int write_image(int fd, const struct policy_load *load, uint64_t offset)
{
	int result = raw_file_may_have(offset + load->size);

	if (result == 0)
		result = raw_file_allocate(fd, offset, load->size);
	return result < 0 ? result
		: raw_file_write(fd, load->image, load->size, offset);
}

static void put_in_force(struct policy_preamble *preamble, uint64_t edition,
			 enum on_error on_error)
{
	/* Relaxed: before the edition, which is released. */
	store_relaxed_u32(&preamble->on_error[edition / 2 % 2],
			  (uint32_t)on_error);
	/* Release: the image and where it lies, before any process reads it. */
	store_release_u64(&preamble->edition, edition);
}

/* Puts the policy in a file of this version in force, or takes it out. */
static int write_policy(const struct loading *loading,
			const struct policy_load *load, uint64_t edition)
{
	struct policy_file_header *header = loading->header;
	const struct policy_slot *last = &header->slots[
		edition_of(loading) / 2 % N_POLICY_SLOTS];
	struct policy_slot *slot = &header->slots[edition / 2 % N_POLICY_SLOTS];
	uint64_t offset = load_relaxed_u64(&last->offset);
	uint64_t size = load_relaxed_u64(&last->size);

	if (load->image != NULL) {
		const uint64_t at = free_offset(last, load->size);
		const int result = write_image(loading->fd, load, at);

		if (result < 0)
			return result;
		offset = at;
		size = load->size;
	}
	/* Without a policy, the last one's image is still kept. */
	store_relaxed_u64(&slot->offset, offset);
	store_relaxed_u64(&slot->size, size);
	put_in_force(&header->preamble, edition, load->on_error);
	return 0;
}

/* Tells those who have the file mapped that it is not the one any more. */
static void say_moved(const struct loading *loading, enum on_error on_error,
		      bool is_any)
{
	struct policy_preamble *preamble = &loading->header->preamble;

	/* Relaxed: before the edition, as in put_in_force(). */
	store_relaxed_u32(&preamble->has_moved, 1);
	put_in_force(preamble, next_edition(edition_of(loading), is_any),
		     on_error);
}

/* Makes a new file that has the policy, under a name of its own. */
static int make_new(struct loading *loading, const struct policy_load *load,
		    uint64_t edition)
{
	char name[32];
	int result = 0;

	raw_file_remove(loading->folder.fd, NEW_NAME, 0);
	loading->fd = shared_file_make(&policy_kind, loading->place,
				       loading->root, &loading->folder, name);
	if (loading->fd < 0)
		return loading->fd;
	loading->header = raw_map_file(loading->fd, sizeof(*loading->header),
				       PROT_READ | PROT_WRITE, &result);
	if (result == 0)
		result = write_policy(loading, load, edition);
	if (result == 0)
		result = shared_file_link(&loading->folder, loading->fd, name,
					  NEW_NAME);
	if (name[0] != '\0')
		raw_file_remove(loading->folder.fd, name, 0);
	return result;
}

/*
 * In place of a file of another version comes one of this; whoever follows the
 * old one is told that it has moved.
 */
static int replace(struct loading *loading, const struct policy_load *load,
		   uint64_t edition)
{
	const struct loading old = *loading;
	int result;

	loading->header = NULL;
	result = make_new(loading, load, edition);
	if (result == 0)
		result = raw_rename(loading->folder.fd, NEW_NAME,
				    policy_kind.name, 0);
	if (result == 0)
		say_moved(&old, load->on_error, true);
	else
		raw_file_remove(loading->folder.fd, NEW_NAME, 0);
	raw_unmap(old.header, sizeof(*old.header));
	raw_close(old.fd);
	return result;
}

static int publish(struct loading *loading, const struct policy_load *load,
		   uint64_t *editionp)
{
	const uint64_t edition = next_edition(edition_of(loading),
					      load->image != NULL);
	int result = 0;

	if (is_of_this_version(loading->header))
		result = write_policy(loading, load, edition);
	else if (load->image != NULL)
		result = replace(loading, load, edition);
	else
		/* Which version it may be: an unload is in the preamble. */
		put_in_force(&loading->header->preamble, edition,
			     load->on_error);
	if (result == 0)
		*editionp = edition;
	return result;
}

/* --- which folder ------------------------------------------------------------ */

/* Returns 0, or why this root cannot hold the policy. */
static int publish_at(const struct arena_place *place, enum arena_root root,
		      const struct policy_load *load, uint64_t *editionp,
		      char path[PATH_MAX])
{
	struct loading loading;
	int result = -ESTALE;

	for (int i = 0; i < MAX_ROUNDS && result == -ESTALE; i++)
		result = open_loading(place, root, &loading);
	if (result < 0)
		return result;
	result = publish(&loading, load, editionp);
	if (result == 0 && path != NULL &&
	    arena_folder_path(&loading.folder, policy_kind.name, path,
			      PATH_MAX) < 0)
		path[0] = '\0';
	close_loading(&loading);
	return result;
}

/* Whether a root that is trusted has a policy file; or one in force. */
static bool has_policy(const struct arena_place *place, enum arena_root root,
		       bool in_force)
{
	struct arena_folder folder;
	struct shared_file file;
	bool has = false;

	if (arena_place_open(place, root, MAKE_NOTHING, &folder) < 0)
		return false;
	if (in_force)
		has = folder.is_trusted &&
		      policy_kind_look(place, &folder, &file) == 0 &&
		      arena_place_trusts(place, root, file.status.uid);
	else if (shared_file_open(&policy_kind, place, root, &folder, false,
				  &file) == 0)
		has = raw_close(file.fd) == 0;
	raw_close(folder.fd);
	return has;
}

struct candidates {
	enum arena_root roots[N_ARENA_ROOTS];
	unsigned int n;
};

static void add(struct candidates *candidates, enum arena_root root)
{
	for (unsigned int i = 0; i < candidates->n; i++)
		if (candidates->roots[i] == root)
			return;
	candidates->roots[candidates->n++] = root;
}

static bool is_roots_in_force(const struct arena_place *place,
			      enum arena_root *rootp)
{
	for (unsigned int root = ROOT_RUN; root <= ROOT_SHM; root++)
		if (has_policy(place, (enum arena_root)root, true)) {
			*rootp = (enum arena_root)root;
			return true;
		}
	return false;
}

/* Where a policy may be put, the best first. Returns 0 or -EACCES. */
static int list_candidates(const struct arena_place *place,
			   struct candidates *candidates)
{
	enum arena_root root;
	const bool is_in_force = is_roots_in_force(place, &root);

	candidates->n = 0;
	if (is_in_force)
		add(candidates, root);
	if (!is_in_force && place->directory != NULL) {
		add(candidates, ROOT_NAMED);
	} else if (raw_geteuid() == 0) {
		add(candidates, ROOT_RUN);
		add(candidates, ROOT_SHM);
	} else if (is_in_force || has_policy(place, ROOT_RUN, false) ||
		   has_policy(place, ROOT_SHM, false)) {
		/* This user's programs follow root's file. */
		return -EACCES;
	} else {
		add(candidates, ROOT_OWN);
	}
	return 0;
}

/* --- files that are given up ------------------------------------------------- */

static int retire(int folder_fd, bool though_in_force, enum on_error on_error)
{
	const int fd = raw_open(folder_fd, policy_kind.name,
				O_RDWR | O_NOFOLLOW | O_NONBLOCK, 0);
	struct loading loading = { .lock_fd = -1 };
	int result;

	if (fd < 0)
		return fd == -ENOENT ? 0 : -EBUSY;
	loading.header = raw_map_file(fd, sizeof(*loading.header),
				      PROT_READ | PROT_WRITE, &result);
	if (result == 0 && raw_file_status(fd, &loading.status) == 0 &&
	    loading.status.size >= sizeof(*loading.header) &&
	    ((edition_of(&loading) & 1) == 0 || though_in_force)) {
		say_moved(&loading, on_error, though_in_force);
		raw_file_remove(folder_fd, policy_kind.name, 0);
	} else {
		result = -EBUSY;
	}
	if (loading.header != NULL)
		raw_unmap(loading.header, sizeof(*loading.header));
	raw_close(fd);
	return result;
}

static void retire_at(const struct arena_place *place, enum arena_root root,
		      enum on_error on_error)
{
	struct arena_folder folder;

	if (arena_place_open(place, root, MAKE_NOTHING, &folder) < 0)
		return;
	if (folder.is_trusted)
		(void)!retire(folder.fd, true, on_error);
	raw_close(folder.fd);
}

int policy_file_retire(int folder_fd)
{
	const int lock_fd = raw_open(folder_fd, "lock", O_RDWR | O_NOFOLLOW |
				     O_NONBLOCK, 0);
	int result = 0;

	/* Somebody loads a policy there: it is not dead. */
	if (lock_fd >= 0)
		result = raw_flock(lock_fd, LOCK_EX | LOCK_NB);
	if (result == 0)
		result = retire(folder_fd, false, ON_ERROR_PRIVATE);
	if (result == 0 && lock_fd >= 0)
		raw_file_remove(folder_fd, "lock", 0);
	if (lock_fd >= 0)
		raw_close(lock_fd);
	return result == 0 ? 0 : -EBUSY;
}

/* --- the whole of it --------------------------------------------------------- */

/* A folder that is full, or not to be written: the next one may serve. */
static bool is_lasting(int error)
{
	return error == -ENOSPC || error == -EDQUOT || error == -EFBIG ||
	       error == -EROFS || error == -EACCES || error == -EPERM ||
	       error == -ENOENT;
}

int policy_file_publish(const struct arena_place *place,
			const struct policy_load *load, uint64_t *editionp,
			char path[PATH_MAX])
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
		result = publish_at(place, candidates.roots[i], load, editionp,
				    path);
		if (result == 0) {
			/* What was tried in vain is not to be followed. */
			while (i-- > 0)
				retire_at(place, candidates.roots[i],
					  load->on_error);
			return 0;
		}
		if (first_error == 0 || first_error == -ENOENT)
			first_error = result;
		/* What is in force there stays, if it is not for good. */
		if (load->image == NULL || !is_lasting(result))
			break;
	}
	return first_error != 0 ? first_error : result;
}

/* Opens the file to write, which makes what is missing, as a load does. */
bool policy_file_may_publish(const struct arena_place *place)
{
	struct candidates candidates;
	struct loading loading;

	if (list_candidates(place, &candidates) < 0)
		return false;
	for (unsigned int i = 0; i < candidates.n; i++)
		if (open_loading(place, candidates.roots[i], &loading) == 0) {
			close_loading(&loading);
			return true;
		}
	return false;
}
