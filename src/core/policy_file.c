/* SPDX-License-Identifier: MIT */
#include "core/policy_file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "base/raw.h"
#include "core/arena_place.h"
#include "core/shared_file.h"

#define FILE_SIZE \
	(sizeof(struct policy_file_header) + \
	 (size_t)N_POLICY_SLOTS * POLICY_SLOT_SIZE)

static off_t slot_offset(uint64_t edition)
{
	return (off_t)(sizeof(struct policy_file_header) +
		       edition / 2 % N_POLICY_SLOTS * POLICY_SLOT_SIZE);
}

static int fill_file(int fd, const struct arena_place *place)
{
	const struct policy_file_header header = {
		.magic = POLICY_FILE_MAGIC,
		.version = POLICY_FILE_VERSION,
		.header_size = sizeof(header),
		.netns_cookie = place->netns_cookie,
		.netns_inode = place->netns_inode,
	};
	const int result = shared_file_allocate(fd, sizeof(header));

	if (result < 0)
		return result;

	const int grown = raw_ftruncate(fd, (off_t)FILE_SIZE);

	if (grown < 0)
		return grown;
	return raw_pwrite(fd, &header, sizeof(header), 0) ==
	       (ssize_t)sizeof(header) ? 0 : -EIO;
}

static bool accepts_header(const void *bytes, const struct arena_place *place)
{
	const struct policy_file_header *header = bytes;

	return header->magic == POLICY_FILE_MAGIC &&
	       header->version == POLICY_FILE_VERSION &&
	       header->header_size == sizeof(*header) &&
	       arena_place_is(place, header->netns_inode,
			      header->netns_cookie);
}

static const struct shared_file_kind policy_kind = {
	.name = "policy",
	.size = FILE_SIZE,
	.writable = false,
	.mode_of_root = 0644,
	.fill = fill_file,
	.accepts = accepts_header,
};

static void adopt(struct policy_file *file, const struct shared_file *shared)
{
	file->header = shared->memory;
	file->by_root = shared->owner == 0;
	file->passed_over = shared->passed_over;
}

/* Absent, or of another version or namespace: nothing that is to be followed. */
static bool is_none(int result)
{
	return result == -ENOENT || result == -ESTALE;
}

static void note_missed(struct policy_file *file, int result)
{
	if (result < 0 && !is_none(result) && file->missed == 0)
		file->missed = result;
}

/* What root has published binds, whichever folder the environment names. */
static int open_roots(const struct arena_place *place,
		      struct policy_file *file, char path[PATH_MAX])
{
	struct arena_place anywhere = *place;

	anywhere.directory = NULL;
	for (unsigned int root = FIRST_ROOTS_ROOT; root <= LAST_ROOTS_ROOT;
	     root++) {
		struct shared_file shared = { .passed_over = 0 };
		const int result = shared_file_open_at(
			&policy_kind, &anywhere, root, false, &shared, path);

		note_missed(file, result);
		if (result < 0)
			continue;
		adopt(file, &shared);
		if (file->by_root && (policy_file_edition(file) & 1) != 0)
			return 0;
		policy_file_close(file);
	}
	return -ENOENT;
}

int policy_file_open(const struct arena_place *place, enum policy_open mode,
		     struct policy_file *file, char path[PATH_MAX])
{
	struct shared_file shared;

	*file = (struct policy_file){ .header = NULL };
	if ((place->netns_inode != 0 || place->netns_cookie != 0) &&
	    open_roots(place, file, path) == 0)
		return 0;

	const int result = shared_file_open(&policy_kind, place,
					    mode == POLICY_CREATE, &shared,
					    path);

	note_missed(file, result);
	if (result == 0)
		adopt(file, &shared);
	return result;
}

void policy_file_close(struct policy_file *file)
{
	if (file->header != NULL)
		raw_unmap((void *)file->header, FILE_SIZE);
	file->header = NULL;
}

const void *policy_file_slot(const struct policy_file *file, uint64_t edition)
{
	return (const char *)file->header + slot_offset(edition);
}

static int write_all(int fd, const char *bytes, size_t size, off_t offset)
{
	while (size > 0) {
		const ssize_t n = raw_pwrite(fd, bytes, size, offset);

		if (n == -EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? (int)n : -EIO;
		bytes += n;
		size -= (size_t)n;
		offset += n;
	}
	return 0;
}

/* Gives back what a slot holds behind its first so many bytes. */
static void trim_slot(int fd, uint64_t edition, size_t size)
{
	const size_t page = getauxval(AT_PAGESZ);
	const size_t whole = (size + page - 1) / page * page;

	/* Not every file system can: then the slot stays as large as it was. */
	if (whole < POLICY_SLOT_SIZE)
		raw_fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
			      slot_offset(edition) + (off_t)whole,
			      (off_t)(POLICY_SLOT_SIZE - whole));
}

/* A full file system is an error before anything is written. */
static int fill_slot(int fd, uint64_t edition, const void *image, size_t size)
{
	const off_t offset = slot_offset(edition);
	int result = raw_fallocate(fd, 0, offset, (off_t)size);

	/* Not every file system can: then the writing says whether it is full. */
	if (result == -EOPNOTSUPP)
		result = 0;
	if (result == 0)
		result = write_all(fd, image, size, offset);
	if (result == 0)
		trim_slot(fd, edition, size);
	return result;
}

static int publish(int fd, const void *image, size_t size, uint64_t *editionp)
{
	int error;
	struct policy_file_header *header =
		raw_map(sizeof(*header), PROT_READ | PROT_WRITE, MAP_SHARED,
			fd, 0, &error);

	if (header == NULL)
		return error;

	/* Relaxed: written by those alone who have the lock. */
	const uint64_t old = load_relaxed_u64(&header->edition);
	const uint64_t edition = (old / 2 + 1) * 2 + (image != NULL);
	const int result = image != NULL
		? fill_slot(fd, edition, image, size) : 0;

	if (result == 0) {
		/* Release: the image, before any process reads it. */
		store_release_u64(&header->edition, edition);
		*editionp = edition;
	}
	raw_unmap(header, sizeof(*header));
	return result;
}

int policy_file_publish(const char *path, const void *image, size_t size,
			uint64_t *editionp)
{
	const int fd = raw_open(AT_FDCWD, path, O_RDWR | O_NOFOLLOW, 0);
	struct stat status;
	int result = 0;

	if (fd < 0)
		return fd;
	if (size > POLICY_SLOT_SIZE)
		result = -EFBIG;
	else
		result = raw_fstat(fd, &status);
	if (result == 0 && (!S_ISREG(status.st_mode) ||
			    status.st_size != (off_t)FILE_SIZE))
		result = -ESTALE;
	/* The lock goes with the descriptor, however this process ends. */
	for (int locked = -EINTR; result == 0 && locked == -EINTR;) {
		locked = raw_flock(fd, LOCK_EX);
		if (locked != -EINTR)
			result = locked;
	}
	if (result == 0)
		result = publish(fd, image, size, editionp);
	raw_close(fd);
	return result;
}
