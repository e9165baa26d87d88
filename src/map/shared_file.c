/* SPDX-License-Identifier: MIT */
#include "map/shared_file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "base/raw.h"
#include "base/text.h"
#include "kernel/folder.h"

/*
 * How often a stale file is replaced, or another process makes the file first.
 */
#define MAX_ROUNDS 8

#define MODE_OF_OWN 0600u

/* One file in one folder. */
struct opening {
	const struct shared_file_kind *kind;
	const struct place_folder *folder;
	bool create;
	/* Leaves a stale file to the process that removes it now */
	bool yields;
	struct shared_file *file;
};

/*
 * Returns 0; -EPERM for another user's file, -ESTALE for one of an owner who is
 * not trusted.
 */
static int check_owner(const struct opening *opening,
		       const struct file_status *status)
{
	if (status->uid == raw_geteuid())
		return 0;
	if (!place_trusts(opening->folder->place, opening->folder->parent,
			  status->uid))
		return -ESTALE;
	return opening->kind->needs_mode == 0 ||
			       (status->mode & opening->kind->needs_mode) != 0
		       ? 0
		       : -EPERM;
}

static int check_file(const struct opening *opening, int fd)
{
	struct shared_file *file = opening->file;
	int result = raw_file_status(fd, &file->status);

	if (result < 0)
		return place_failure(result);
	if (!S_ISREG(file->status.mode))
		return -ESTALE;
	result = check_owner(opening, &file->status);
	if (result < 0)
		return result;
	/* A file that cannot be read now is not stale: others may be using
	 * it. */
	result = raw_file_read(fd, file->header, sizeof(file->header), 0);
	if (result < 0)
		return result == -ENODATA ? -ESTALE : place_failure(result);
	return opening->kind->check(file->header, &file->status,
				    opening->folder->place);
}

/*
 * An unnamed file; where the file system has none, a file with a temporary
 * name.
 */
static int open_unnamed(int folder_fd, char name[32])
{
	int fd = raw_open(folder_fd, ".", O_TMPFILE | O_RDWR, MODE_OF_OWN);

	name[0] = '\0';
	if (fd != -EOPNOTSUPP && fd != -EISDIR && fd != -ENOENT)
		return fd;

	text_number(name, 32, "new-", folder_random(), "");
	fd = raw_open(folder_fd, name, O_RDWR | O_CREAT | O_EXCL, MODE_OF_OWN);
	if (fd < 0)
		name[0] = '\0';
	return fd;
}

int shared_file_link(const struct place_folder *folder, int fd,
		     const char *from, const char *name)
{
	char path[FD_PATH_SIZE];
	int result;

	if (from[0] != '\0')
		return raw_link_at(folder->fd, from, folder->fd, name, 0);
	/* open(2), O_TMPFILE: without a capability, by way of /proc. */
	result = raw_link_at(fd, "", folder->fd, name, AT_EMPTY_PATH);
	if (result == 0 || result == -EEXIST)
		return result;
	fd_path(fd, path);
	return raw_link_at(AT_FDCWD, path, folder->fd, name, AT_SYMLINK_FOLLOW);
}

int shared_file_make(const struct shared_file_kind *kind,
		     const struct place_folder *folder, char name[32])
{
	int fd, result = raw_file_may_have(kind->size);

	if (result < 0)
		return result;
	fd = open_unnamed(folder->fd, name);
	if (fd < 0)
		return fd;
	result = kind->fill(fd, folder->place);
	if (result == 0)
		result = (int)raw_call(SYS_fchmod, fd,
				       folder->parent == PARENT_OWN
					       ? MODE_OF_OWN
					       : kind->mode);
	if (result == 0)
		return fd;
	if (name[0] != '\0')
		raw_file_remove(folder->fd, name, 0);
	raw_close(fd);
	return result;
}

/*
 * Returns 0; -EEXIST when another process has made the file; or why it cannot
 * be made.
 */
static int make(const struct opening *opening)
{
	char name[32];
	const int fd = shared_file_make(opening->kind, opening->folder, name);
	int result;

	if (fd < 0)
		return fd;
	result = shared_file_link(opening->folder, fd, name,
				  opening->kind->name);
	if (name[0] != '\0')
		raw_file_remove(opening->folder->fd, name, 0);
	raw_close(fd);
	return result;
}

static int remove_if_stale(const struct opening *opening,
			   const struct file_status *stale)
{
	const int folder_fd = opening->folder->fd;
	const char *const name = opening->kind->name;
	struct file_status status;
	int result = raw_file_status_at(folder_fd, name, &status);

	if (result < 0)
		return result == -ENOENT ? 0 : result;
	if (stale != NULL ? !file_status_is_same(&status, stale)
			  : S_ISREG(status.mode))
		return 0;
	result = raw_file_remove(folder_fd, name, 0);
	return result == 0 || result == -ENOENT ? 0 : -ESTALE;
}

/*
 * Removes a stale file, if the name still leads to the file that was found
 * stale; with stale NULL, removes what is no regular file. The folder is
 * locked, so that no process removes a new file which another has made
 * meanwhile. Nobody waits for the lock: a process that finds it held goes on to
 * make(), which fails as long as the name exists; in the last two rounds it
 * removes the file without the lock. The kernel releases the lock of a process
 * that dies.
 */
static int remove_stale(const struct opening *opening,
			const struct file_status *stale)
{
	const int folder_fd = opening->folder->fd;

	/* A process that is stopped, or one that is no Berth program, may hold
	 * the lock: in the last rounds it is ignored; so it is where there are
	 * no locks. */
	if (raw_flock(folder_fd, LOCK_EX | LOCK_NB) == -EWOULDBLOCK &&
	    opening->yields)
		return 0;

	const int result = remove_if_stale(opening, stale);

	raw_flock(folder_fd, LOCK_UN);
	return result;
}

/*
 * Opens the file that has the name. Returns 0, -ENOENT, -ESTALE (removed or
 * not).
 */
static int open_named(const struct opening *opening)
{
	const int fd = raw_open(opening->folder->fd, opening->kind->name,
				opening->kind->access | O_NOFOLLOW | O_NONBLOCK,
				0);
	int result;

	if (fd == -ELOOP || fd == -EISDIR || fd == -ENXIO)
		return opening->create && remove_stale(opening, NULL) == 0
			       ? -ENOENT
			       : -ELOOP;
	/* A file that has to be written may belong to its owner alone. */
	if (fd < 0)
		return fd == -EACCES && opening->kind->access == O_RDWR
			       ? -EPERM
			       : place_failure(fd);
	result = check_file(opening, fd);
	if (result == 0) {
		opening->file->fd = fd;
		return 0;
	}
	if (result == -ESTALE && opening->create)
		result = remove_stale(opening, &opening->file->status) == 0
				 ? -ENOENT
				 : -ESTALE;
	raw_close(fd);
	return result;
}

int shared_file_open(const struct shared_file_kind *kind,
		     const struct place_folder *folder, bool create,
		     struct shared_file *filep)
{
	struct opening opening = {
		.kind = kind,
		.folder = folder,
		.create = create && !folder->place->makes_nothing,
		.file = filep,
	};

	if (!folder->is_trusted)
		return -EPERM;
	for (int round = 0; round < MAX_ROUNDS; round++) {
		opening.yields = round < MAX_ROUNDS - 2;

		int result = open_named(&opening);

		if (result != -ENOENT || !opening.create)
			return result;
		result = make(&opening);
		if (result < 0 && result != -EEXIST)
			return place_failure(result);
	}
	/* The file was made, but could not be opened in these rounds. */
	return -ESTALE;
}
