/* SPDX-License-Identifier: MIT */
#include "policy/write.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>

#include "base/raw.h"

/* How long to wait for another loader, which writes a few pages. */
#define LOCK_WAIT_MS 10000u
#define LOCK_STEP_MS 5u

/* The temporary name of a file that will replace another. */
#define NEW_NAME "policy.new"

/* Images begin at multiples of it: the length of a cache line. */
#define ALIGNMENT 64u

/* --- one loader at a time ------------------------------------------------- */

static void wait_step(void)
{
	const struct timespec step = { .tv_nsec = LOCK_STEP_MS * 1000000L };

	raw_call(SYS_nanosleep, &step);
}

/*
 * Takes the lock of a file that no other user can open, and so none can lock. In
 * a folder of BERTH_DIR it may belong to another user, who may hold the lock for
 * ever: the wait is limited.
 */
static int take_lock(struct policy_write *write)
{
	struct file_status status;
	int result;

	write->lock_fd = raw_open(write->folder.fd, "lock",
				  O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK,
				  0600);
	if (write->lock_fd < 0)
		return write->lock_fd;
	result = raw_file_status(write->lock_fd, &status);
	if (result < 0)
		return result;
	for (unsigned int waited = 0; waited < LOCK_WAIT_MS;
	     waited += LOCK_STEP_MS) {
		result = raw_flock(write->lock_fd, LOCK_EX | LOCK_NB);
		if (result != -EWOULDBLOCK)
			return result;
		wait_step();
	}
	return status.uid == raw_geteuid() ? -EBUSY : 0;
}

void policy_write_close(struct policy_write *write)
{
	raw_unmap(write->header, sizeof(*write->header));
	if (write->fd >= 0)
		raw_close(write->fd);
	if (write->lock_fd >= 0)
		raw_close(write->lock_fd);
	raw_close(write->folder.fd);
}

/* --- the file ------------------------------------------------------------- */

/* Whether the file is still the one that its name leads to. */
static bool is_in_place(const struct policy_write *write)
{
	struct file_status status;

	return raw_file_status_at(write->folder.fd, policy_kind.name,
				  &status) == 0 &&
	       file_status_is_same(&status, &write->status);
}

static int open_to_write(struct policy_write *write)
{
	struct shared_file_kind kind = policy_kind;
	struct shared_file file;
	int result;

	kind.access = O_RDWR;
	result = shared_file_open(&kind, &write->folder, true, &file);
	if (result < 0)
		return result == -EPERM ? -EACCES : result;
	write->fd = file.fd;
	write->status = file.status;
	write->header = raw_map_file(file.fd, sizeof(*write->header),
				     PROT_READ | PROT_WRITE, &result);
	return result;
}

int policy_write_open(const struct place *place, enum place_parent parent,
		      struct policy_write *write)
{
	int result;

	*write = (struct policy_write){ .lock_fd = -1, .fd = -1 };
	result = place_open(place, parent, MAKE_AS_COMMAND, &write->folder);
	if (result < 0)
		return result;
	result = write->folder.is_trusted ? take_lock(write) : -EPERM;
	if (result == 0)
		result = open_to_write(write);
	if (result == 0 && !is_in_place(write))
		result = -ESTALE;
	if (result < 0)
		policy_write_close(write);
	return result;
}

/* Relaxed throughout: only the process that holds the lock writes them. */
static uint64_t edition_of(const struct policy_write *write)
{
	return load_relaxed_u64(&write->header->preamble.edition);
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
	/* Relaxed: ordered by the release of the edition. */
	store_relaxed_u32(&preamble->on_error[edition / 2 % 2],
			  (uint32_t)on_error);
	/* Release: the image and where it lies, before any process reads it. */
	store_release_u64(&preamble->edition, edition);
}

/* Puts the policy in a file of this version in force, or takes it out. */
static int write_policy(const struct policy_write *write,
			const struct policy_load *load, uint64_t edition)
{
	struct policy_file_header *header = write->header;
	const struct policy_slot *last =
		&header->slots[edition_of(write) / 2 % N_POLICY_SLOTS];
	struct policy_slot *slot = &header->slots[edition / 2 % N_POLICY_SLOTS];
	uint64_t offset = load_relaxed_u64(&last->offset);
	uint64_t size = load_relaxed_u64(&last->size);

	if (load->image != NULL) {
		const uint64_t at = free_offset(last, load->size);
		const int result = write_image(write->fd, load, at);

		if (result < 0)
			return result;
		offset = at;
		size = load->size;
	}
	/* Without a policy, the last image is still kept. */
	store_relaxed_u64(&slot->offset, offset);
	store_relaxed_u64(&slot->size, size);
	put_in_force(&header->preamble, edition, load->on_error);
	return 0;
}

/*
 * Tells processes that have the file mapped that it no longer holds the policy.
 */
static void say_moved(const struct policy_write *write, enum on_error on_error,
		      bool is_any)
{
	struct policy_preamble *preamble = &write->header->preamble;

	/* Relaxed: before the edition, as in put_in_force(). */
	store_relaxed_u32(&preamble->has_moved, 1);
	put_in_force(preamble, next_edition(edition_of(write), is_any),
		     on_error);
}

/* Makes a new file that holds the policy, under a temporary name. */
static int make_new(struct policy_write *write, const struct policy_load *load,
		    uint64_t edition)
{
	char name[32];
	int result = 0;

	raw_file_remove(write->folder.fd, NEW_NAME, 0);
	write->fd = shared_file_make(&policy_kind, &write->folder, name);
	if (write->fd < 0)
		return write->fd;
	write->header = raw_map_file(write->fd, sizeof(*write->header),
				     PROT_READ | PROT_WRITE, &result);
	if (result == 0)
		result = write_policy(write, load, edition);
	if (result == 0)
		result = shared_file_link(&write->folder, write->fd, name,
					  NEW_NAME);
	if (name[0] != '\0')
		raw_file_remove(write->folder.fd, name, 0);
	return result;
}

/*
 * Replaces a file of another version; processes that follow the old file are
 * told that the policy has moved.
 */
static int replace(struct policy_write *write, const struct policy_load *load,
		   uint64_t edition)
{
	const struct policy_write old = *write;
	int result;

	write->header = NULL;
	result = make_new(write, load, edition);
	if (result == 0)
		result = raw_rename(write->folder.fd, NEW_NAME,
				    policy_kind.name, 0);
	if (result == 0)
		say_moved(&old, load->on_error, true);
	else
		raw_file_remove(write->folder.fd, NEW_NAME, 0);
	raw_unmap(old.header, sizeof(*old.header));
	raw_close(old.fd);
	return result;
}

int policy_write_load(struct policy_write *write,
		      const struct policy_load *load, uint64_t *editionp)
{
	const uint64_t edition = next_edition(edition_of(write),
					      load->image != NULL);
	int result = 0;

	if (policy_kind_is_followable(&write->header->preamble))
		result = write_policy(write, load, edition);
	else if (load->image != NULL)
		result = replace(write, load, edition);
	else
		/* Of any version: the preamble alone is enough for an
		 * unload. */
		put_in_force(&write->header->preamble, edition, load->on_error);
	if (result == 0)
		*editionp = edition;
	return result;
}

/* --- files that no longer hold the policy --------------------------------- */

int policy_write_retire(int folder_fd, bool though_in_force,
			enum on_error on_error)
{
	const int fd = raw_open(folder_fd, policy_kind.name,
				O_RDWR | O_NOFOLLOW | O_NONBLOCK, 0);
	struct policy_write write = { .lock_fd = -1 };
	int result;

	if (fd < 0)
		return fd == -ENOENT ? 0 : -EBUSY;
	write.header = raw_map_file(fd, sizeof(*write.header),
				    PROT_READ | PROT_WRITE, &result);
	if (result == 0 && raw_file_status(fd, &write.status) == 0 &&
	    write.status.size >= sizeof(*write.header) &&
	    ((edition_of(&write) & 1) == 0 || though_in_force)) {
		say_moved(&write, on_error, though_in_force);
		raw_file_remove(folder_fd, policy_kind.name, 0);
	} else {
		result = -EBUSY;
	}
	raw_unmap(write.header, sizeof(*write.header));
	raw_close(fd);
	return result;
}
