/* SPDX-License-Identifier: MIT */
#include "core/shared_file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/raw.h"
#include "core/arena.h"
#include "core/arena_place.h"

/* A file in the way is replaced, another maker is met: each at most so often. */
#define MAX_ROUNDS 8

/* Signals that may interrupt an allocation: a profiler's come every ms. */
#define MAX_INTERRUPTIONS 64

#define BLOCK_SIZE 4096u

/* proc(5), pid_max: at most 2^22. */
#define PID_BITS 22

/* One file in one folder. */
struct opening {
	const struct shared_file_kind *kind;
	const struct arena_place *place;
	const struct arena_folder *folder;
	bool create;
	bool yields;	/* to who is taking a stale file away just now */
	struct shared_file *file;
};

static int map(const struct opening *opening, int fd)
{
	const struct shared_file_kind *kind = opening->kind;
	int error;

	opening->file->memory = raw_map(
		kind->size, PROT_READ | (kind->writable ? PROT_WRITE : 0),
		MAP_SHARED | MAP_NORESERVE, fd, 0, &error);
	return error;
}

/* Returns 0, -ESTALE for a file that is shorter, or -errno. */
static int read_header(int fd, char *bytes, size_t size)
{
	size_t done = 0;

	while (done < size) {
		const ssize_t n = raw_pread(fd, bytes + done, size - done,
					    (off_t)done);

		if (n == -EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? (int)n : -ESTALE;
		done += (size_t)n;
	}
	return 0;
}

static int check_file(const struct opening *opening, int fd,
		      struct stat *statusp)
{
	/* Words, so that it is aligned for any header. */
	uint64_t header[SHARED_HEADER_SIZE / sizeof(uint64_t)];

	const int known = raw_fstat(fd, statusp);

	if (known < 0)
		return known;
	if (!S_ISREG(statusp->st_mode) ||
	    statusp->st_size != (off_t)opening->kind->size)
		return -ESTALE;
	/* Another's file is used only where the operator named the folder. */
	if (statusp->st_uid != 0 && statusp->st_uid != raw_geteuid() &&
	    opening->place->directory == NULL)
		return -ESTALE;

	/* What cannot be read now is not stale: others may be using it. */
	const int result = read_header(fd, (char *)header, sizeof(header));

	if (result < 0)
		return result;
	if (!opening->kind->accepts(header, opening->place))
		return -ESTALE;
	opening->file->owner = statusp->st_uid;
	return 0;
}

/* Where the file system knows no allocation: a byte in each block, as libc does. */
static int write_blocks(int fd, size_t size)
{
	for (size_t at = 0; at < size; at += BLOCK_SIZE) {
		const ssize_t n = raw_pwrite(fd, "", 1, (off_t)at);

		if (n < 0)
			return (int)n;
	}
	return raw_ftruncate(fd, (off_t)size);
}

/* tmpfs gives up, and begins anew, whatever the signal is: a SIGSTOP too. */
int shared_file_allocate(int fd, size_t size)
{
	int result = -EINTR;

	for (int i = 0; i < MAX_INTERRUPTIONS && result == -EINTR; i++)
		result = raw_fallocate(fd, 0, 0, (off_t)size);
	return result == -EOPNOTSUPP ? write_blocks(fd, size) : result;
}

/* An unnamed file, or where the file system has none, one with a name to drop. */
static int open_unnamed(const struct opening *opening, char name[32])
{
	int fd = raw_open(opening->folder->fd, ".", O_TMPFILE | O_RDWR, 0600);

	name[0] = '\0';
	if (fd != -EOPNOTSUPP && fd != -EISDIR && fd != -ENOENT)
		return fd;

	/* A name of this moment too: one that died here, or lives in another
	 * container, may have had the pid. */
	uint64_t number = clock_now_ms() << PID_BITS | (uint64_t)raw_getpid();
	size_t length = strlen(opening->kind->name);

	memcpy(name, opening->kind->name, length);
	name[length++] = '.';
	for (; number != 0; number /= 10)
		name[length++] = (char)('0' + number % 10);
	name[length] = '\0';
	return raw_open(opening->folder->fd, name, O_RDWR | O_CREAT | O_EXCL, 0600);
}

static int link_in_place(const struct opening *opening, int fd,
			 const char *name)
{
	const int folder_fd = opening->folder->fd;
	const char *const target = opening->kind->name;
	char path[32] = "/proc/self/fd/";
	size_t length = strlen(path);
	char digits[12];
	size_t n_digits = 0;

	if (name[0] != '\0')
		return raw_link_at(folder_fd, name, folder_fd, target, 0);

	const int linked = raw_link_at(fd, "", folder_fd, target,
				       AT_EMPTY_PATH);

	/* open(2), O_TMPFILE: without a capability, by way of /proc. */
	if (linked == 0 || linked == -EEXIST)
		return linked;
	do
		digits[n_digits++] = (char)('0' + fd % 10);
	while ((fd /= 10) != 0);
	while (n_digits > 0)
		path[length++] = digits[--n_digits];
	path[length] = '\0';
	return raw_link_at(AT_FDCWD, path, folder_fd, target,
			   AT_SYMLINK_FOLLOW);
}

/* Returns 0; -EEXIST when somebody else was first; or why it cannot be made. */
static int make(const struct opening *opening)
{
	char name[32];
	const int fd = open_unnamed(opening, name);

	if (fd < 0)
		return fd;

	int result = opening->kind->fill(fd, opening->place);

	/* A service that drops root must still reach what root has made. */
	if (result == 0)
		result = raw_fchmod(fd, raw_geteuid() == 0
				    ? opening->kind->mode_of_root : 0600);
	if (result == 0)
		result = link_in_place(opening, fd, name);
	if (name[0] != '\0')
		raw_unlink_at(opening->folder->fd, name);
	raw_close(fd);
	return result;
}

static int remove_if_stale(const struct opening *opening,
			   const struct stat *stale)
{
	const int folder_fd = opening->folder->fd;
	const char *const name = opening->kind->name;
	struct stat status;

	int result = raw_lstat_at(folder_fd, name, &status);

	if (result < 0)
		return result == -ENOENT ? 0 : result;
	if (stale != NULL ? status.st_ino != stale->st_ino ||
			    status.st_dev != stale->st_dev
			  : S_ISREG(status.st_mode))
		return 0;
	result = raw_unlink_at(folder_fd, name);
	return result == 0 || result == -ENOENT ? 0 : -ESTALE;
}

/*
 * Takes a stale file away, if it still is the one that was found stale; without
 * one, what is no file at all. One process at a time, or a new file would go that
 * another has put there since the look. Nobody waits: who finds the folder locked
 * goes on to make(), to which the name tells whether the stale file has gone; in
 * the last rounds he goes ahead. The kernel takes back the lock of who dies.
 */
static int remove_stale(const struct opening *opening,
			const struct stat *stale)
{
	const int folder_fd = opening->folder->fd;

	/* Held by one who is stopped, or a stranger, it is not in the way for
	 * good; nor where there are no locks. */
	if (raw_flock(folder_fd, LOCK_EX | LOCK_NB) == -EWOULDBLOCK &&
	    opening->yields)
		return 0;

	const int result = remove_if_stale(opening, stale);

	raw_flock(folder_fd, LOCK_UN);
	return result;
}

/* Maps what the name leads to. Returns 0, -ENOENT, -ESTALE (removed or not). */
static int open_named(const struct opening *opening)
{
	const int access = opening->kind->writable ? O_RDWR : O_RDONLY;
	const int fd = raw_open(opening->folder->fd, opening->kind->name,
				access | O_NOFOLLOW | O_NONBLOCK, 0);
	struct stat status;

	if (fd == -ELOOP || fd == -EISDIR || fd == -ENXIO)
		return opening->create && remove_stale(opening, NULL) == 0
			? -ENOENT : -ELOOP;
	if (fd < 0)
		return fd;

	int result = check_file(opening, fd, &status);

	if (result == 0)
		result = map(opening, fd);
	else if (result == -ESTALE && opening->create)
		result = remove_stale(opening, &status) == 0
			? -ENOENT : -ESTALE;
	raw_close(fd);
	return result;
}

static int open_in_folder(const struct opening *opening)
{
	struct opening now = *opening;

	for (int round = 0; round < MAX_ROUNDS; round++) {
		now.yields = round < MAX_ROUNDS - 2;

		int result = open_named(&now);

		if (result != -ENOENT || !now.create)
			return result;
		result = make(&now);
		if (result < 0 && result != -EEXIST)
			return result;
	}
	/* One that was made is not open yet. */
	return -ESTALE;
}

int shared_file_open_at(const struct shared_file_kind *kind,
			const struct arena_place *place, unsigned int root,
			bool create, struct shared_file *filep,
			char path[PATH_MAX])
{
	struct arena_folder folder;
	const struct opening opening = {
		.kind = kind, .place = place, .folder = &folder,
		.create = create, .file = filep,
	};
	int result = arena_place_open(place, root, create, &folder);

	if (result == 0) {
		result = open_in_folder(&opening);
		raw_close(folder.fd);
	}
	if (result == 0 && path != NULL)
		result = arena_place_file(&folder, kind->name, path);
	return result;
}

int shared_file_open(const struct shared_file_kind *kind,
		     const struct arena_place *place, bool create,
		     struct shared_file *filep, char path[PATH_MAX])
{
	int first_error = -ENOENT;

	if (place->netns_inode == 0 && place->netns_cookie == 0)
		return -ENOENT;
	for (unsigned int root = 0; root < N_ARENA_ROOTS; root++) {
		const int result = shared_file_open_at(kind, place, root,
						       create, filep, path);

		if (result == 0) {
			filep->passed_over =
				first_error != -ENOENT ? first_error : 0;
			return 0;
		}
		if (first_error == -ENOENT)
			first_error = result;
	}
	return first_error;
}
