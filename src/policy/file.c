/* SPDX-License-Identifier: MIT */
#include "policy/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "base/raw.h"

static int fill_file(int fd, const struct place *place)
{
	const struct policy_preamble preamble = {
		.magic = POLICY_FILE_MAGIC,
		.version = POLICY_FILE_VERSION,
		.header_size = sizeof(struct policy_file_header),
		.netns_cookie = place->netns_cookie,
		.netns_inode = place->netns_inode,
	};
	const int result = raw_file_allocate(fd, 0,
					     sizeof(struct policy_file_header));

	return result < 0 ? result
			  : raw_file_write(fd, &preamble, sizeof(preamble), 0);
}

/* Of any version: a policy that another version has put in force stays. */
static int check_header(const void *bytes, const struct file_status *status,
			const struct place *place)
{
	const struct policy_preamble *preamble = bytes;

	_Static_assert(sizeof(*preamble) == SHARED_HEADER_SIZE, "");
	(void)status;
	return preamble->magic == POLICY_FILE_MAGIC &&
			       place_is(place, preamble->netns_inode,
					preamble->netns_cookie)
		       ? 0
		       : -ESTALE;
}

const struct shared_file_kind policy_kind = {
	.name = "policy",
	.access = O_RDONLY,
	.size = sizeof(struct policy_file_header),
	.mode = 0644,
	.fill = fill_file,
	.check = check_header,
};

static size_t view_size(unsigned int index)
{
	return (size_t)POLICY_VIEW_SIZE << index;
}

/* The first view that has this many bytes; N_POLICY_VIEWS = none has. */
static unsigned int view_of(uint64_t end)
{
	unsigned int index = 0;

	while (index < N_POLICY_VIEWS && view_size(index) < end)
		index++;
	return index;
}

static const struct policy_file_header *header_of(const struct policy_file *file)
{
	return file->preamble != &file->seen
		       ? (const struct policy_file_header *)file->preamble
		       : NULL;
}

/*
 * Reads where the image of an edition lies. Returns whether this place is
 * possible.
 */
static bool read_slot(const struct policy_slot slots[N_POLICY_SLOTS],
		      uint64_t edition, uint64_t *offsetp, uint64_t *sizep)
{
	const struct policy_slot *slot = &slots[edition / 2 % N_POLICY_SLOTS];
	/* Relaxed: ordered by the load of the edition before, and the edition
	 * is loaded again after the image was used. */
	const uint64_t offset = load_relaxed_u64(&slot->offset);
	const uint64_t size = load_relaxed_u64(&slot->size);

	*offsetp = offset;
	*sizep = size;
	return offset >= sizeof(struct policy_file_header) &&
	       offset % sizeof(uint64_t) == 0 && size <= POLICY_SIZE_MAX &&
	       offset <= view_size(N_POLICY_VIEWS - 1) - size;
}

/* The view that the edition in force needs. */
static unsigned int view_needed(int fd)
{
	struct {
		struct policy_preamble preamble;
		struct policy_slot slots[N_POLICY_SLOTS];
	} header;
	uint64_t offset, size;

	_Static_assert(
		sizeof(header) == offsetof(struct policy_file_header, pad), "");
	return raw_file_read(fd, &header, sizeof(header), 0) == 0 &&
			       read_slot(header.slots, header.preamble.edition,
					 &offset, &size)
		       ? view_of(offset + size)
		       : 0;
}

/*
 * Maps as much as the edition in force needs; or less, where no more can be
 * mapped.
 */
static void map(struct policy_file *file, int fd)
{
	const unsigned int index = view_needed(fd);
	int error;
	const void *memory = raw_map_file(fd, view_size(index), PROT_READ,
					  &error);

	if (memory != NULL)
		/* Relaxed: no other thread knows the file yet. */
		store_relaxed_u64(&file->views[index], (uintptr_t)memory);
	else
		/* So that at least an unload is noticed. */
		memory = raw_map_file(fd, sizeof(struct policy_file_header),
				      PROT_READ, &error);
	if (memory != NULL)
		file->preamble = memory;
}

/*
 * Looked at after the header was read: a load makes the file longer before it
 * says so in the header.
 */
static uint64_t size_of(int fd)
{
	struct file_status status;

	return raw_file_status(fd, &status) == 0 ? status.size : UINT64_MAX;
}

static void adopt(struct policy_file *file, const struct shared_file *shared,
		  enum place_parent parent)
{
	file->size = size_of(shared->fd);
	memcpy(&file->seen, shared->header, sizeof(file->seen));
	file->preamble = &file->seen;
	file->parent = parent;
	file->by_root = place_parent_is_roots(parent) ||
			shared->status.uid == 0;
	map(file, shared->fd);
}

/*
 * Checks whether a folder, whoever made it, holds a policy that is in force in
 * its place's namespace. Returns 0 with the file's status and header in *filep,
 * and no descriptor; or -errno.
 */
static int look_for_policy(const struct place_folder *folder,
			   struct shared_file *filep)
{
	const int fd = raw_open(folder->fd, policy_kind.name,
				O_RDONLY | O_NOFOLLOW | O_NONBLOCK, 0);
	const struct policy_preamble *preamble = (const void *)filep->header;
	int result;

	if (fd < 0)
		return fd;
	result = raw_file_status(fd, &filep->status);
	if (result == 0)
		result = S_ISREG(filep->status.mode)
				 ? raw_file_read(fd, filep->header,
						 sizeof(filep->header), 0)
				 : -ESTALE;
	raw_close(fd);
	if (result == 0)
		result = check_header(preamble, &filep->status, folder->place);
	/* Relaxed: this process's own copy. */
	return result == 0 && (load_relaxed_u64(&preamble->edition) & 1) == 0
		       ? -ENOENT
		       : result;
}

/* A policy that is not followed, because of the owner of its folder or file. */
static void note_ignored(struct policy_file *file,
			 const struct place_folder *folder)
{
	struct shared_file shared;

	if (look_for_policy(folder, &shared) < 0)
		return;
	file->has_ignored = true;
	file->ignored_uid = shared.status.uid;
	file->ignored_parent = folder->parent;
}

/* Returns as shared_file_open(). */
static int open_at(const struct place *place, enum place_parent parent,
		   bool create, struct policy_file *file, char path[PATH_MAX])
{
	struct place_folder folder;
	struct shared_file shared;
	int result = place_open(place, parent,
				create ? MAKE_AS_PROGRAM : MAKE_NOTHING,
				&folder);

	if (result < 0)
		return result;
	result = shared_file_open(&policy_kind, &folder, create, &shared);
	if (result == 0) {
		adopt(file, &shared, parent);
		raw_close(shared.fd);
		place_folder_path(&folder, policy_kind.name, path);
	} else if (result == -EPERM || result == -ESTALE) {
		note_ignored(file, &folder);
	}
	raw_close(folder.fd);
	return result;
}

/* Missing, stale, or of a user who is not trusted here. */
static bool is_none(int result)
{
	return result == -ENOENT || result == -ESTALE || result == -EPERM;
}

/* A file that cannot be read may hold a policy in force. */
static void note_missed(struct policy_file *file, int result, bool is_look)
{
	if (result >= 0 || is_none(result))
		return;
	file->is_unknown |= is_look;
	if (file->missed == 0)
		file->missed = result;
}

/*
 * A policy that root has put in force binds, whichever folder the environment
 * names.
 */
static int open_in_force(const struct place *place, struct policy_file *file,
			 char path[PATH_MAX])
{
	for (unsigned int parent = PARENT_RUN; parent <= PARENT_SHM; parent++) {
		const int result = open_at(place, (enum place_parent)parent,
					   false, file, path);

		note_missed(file, result, true);
		if (result < 0)
			continue;
		if ((policy_file_edition(file) & 1) != 0)
			return 0;
		policy_file_close(file);
	}
	return -ENOENT;
}

/* The first one that exists; else, the first that can be made. */
static int open_first(const struct place *place, bool create,
		      struct policy_file *file, char path[PATH_MAX])
{
	const unsigned int first = place->directory != NULL ? PARENT_NAMED
							    : PARENT_RUN;
	const unsigned int end = place->directory != NULL ? PARENT_NAMED + 1
							  : N_PLACE_PARENTS;
	int first_error = -ENOENT;

	for (int makes = 0; makes <= create; makes++)
		for (unsigned int i = first; i < end; i++) {
			const int result = open_at(place, (enum place_parent)i,
						   makes != 0, file, path);

			if (result == 0)
				return 0;
			note_missed(file, result, makes == 0);
			if (is_none(first_error))
				first_error = result;
		}
	return first_error;
}

int policy_file_open(const struct place *place, enum policy_open mode,
		     struct policy_file *file, char path[PATH_MAX])
{
	*file = (struct policy_file){ .preamble = NULL };
	if (place->netns_inode == 0 && place->netns_cookie == 0)
		return -ENOENT;
	if (open_in_force(place, file, path) == 0)
		return 0;
	return open_first(place, mode == POLICY_CREATE && !place->makes_nothing,
			  file, path);
}

void policy_file_close(struct policy_file *file)
{
	const struct policy_file_header *header = header_of(file);
	bool is_view = false;

	for (unsigned int i = 0; i < N_POLICY_VIEWS; i++) {
		/* Relaxed: no other thread uses a file that is closed. */
		const uint64_t view = load_relaxed_u64(&file->views[i]);

		if (view == 0)
			continue;
		is_view |= view == (uintptr_t)header;
		raw_unmap((void *)(uintptr_t)view, view_size(i));
		store_relaxed_u64(&file->views[i], 0);
	}
	if (header != NULL && !is_view)
		raw_unmap((void *)header, sizeof(*header));
	file->preamble = NULL;
}

enum on_error policy_file_on_error(const struct policy_file *file,
				   uint64_t edition)
{
	/* Relaxed: ordered by the edition, as in end_of(). */
	return file->preamble != NULL &&
			       load_relaxed_u32(
				       &file->preamble
						->on_error[edition / 2 % 2]) ==
				       ON_ERROR_REFUSE
		       ? ON_ERROR_REFUSE
		       : ON_ERROR_PRIVATE;
}

bool policy_file_has_moved(const struct policy_file *file)
{
	/* Relaxed: it was stored before the edition that the caller has read. */
	return file->preamble != NULL &&
	       load_relaxed_u32(&file->preamble->has_moved) != 0;
}

/* Returns a view with this many bytes: an existing one, or a new one. */
static const char *take_view(struct policy_file *file, uint64_t end,
			     int *errorp)
{
	const unsigned int first = view_of(end);
	uint64_t expected = 0;
	void *memory;

	*errorp = -EINVAL;
	if (first == N_POLICY_VIEWS)
		return NULL;
	for (unsigned int i = first; i < N_POLICY_VIEWS; i++) {
		/* Acquire: another thread has made the mapping before. */
		const uint64_t view = load_acquire_u64(&file->views[i]);

		if (view != 0)
			return (const char *)(uintptr_t)view;
	}
	memory = raw_map_again(file->preamble, view_size(first), errorp);
	if (memory == NULL)
		return NULL;
	/* Acq_rel: the mapping is complete before another thread finds it. */
	if (swap_if_acq_rel_u64(&file->views[first], &expected,
				(uintptr_t)memory))
		return memory;
	/* Another thread was faster; no thread knows this mapping. */
	raw_unmap(memory, view_size(first));
	return (const char *)(uintptr_t)expected;
}

/* Reading a page behind the file's end would cause SIGBUS. */
static bool is_cut_short(const struct policy_file *file, uint64_t edition,
			 uint64_t end)
{
	/* Relaxed: this process's own copy. */
	return edition == load_relaxed_u64(&file->seen.edition) &&
	       end > file->size;
}

int policy_file_image(struct policy_file *file, uint64_t edition,
		      const void **imagep, size_t *sizep)
{
	const struct policy_file_header *header = header_of(file);
	const char *view;
	uint64_t offset, size;
	int error;

	if (!policy_kind_is_followable(file->preamble))
		return -ENOTSUP;
	if (header == NULL)
		return -ENOMEM;
	if (!read_slot(header->slots, edition, &offset, &size) ||
	    is_cut_short(file, edition, offset + size))
		return -EINVAL;
	view = take_view(file, offset + size, &error);
	if (view == NULL)
		return error;
	*imagep = view + offset;
	*sizep = (size_t)size;
	return 0;
}
