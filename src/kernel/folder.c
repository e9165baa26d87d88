/* SPDX-License-Identifier: MIT */
#include "kernel/folder.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stddef.h>
#include <string.h>
#include <sys/random.h>
#include <sys/syscall.h>

#include "base/clock.h"
#include "base/raw.h"
#include "base/raw_file.h"
#include "base/text.h"

/*
 * How often a name may appear and disappear during the call before it gives up.
 */
#define MAX_ROUNDS 16

#define ENTRIES_SIZE 4096u

/* getdents64(2). */
struct raw_entry {
	uint64_t inode;
	int64_t next;
	uint16_t length; /* of this entry */
	uint8_t type;
	char name[];
};

/* proc(5), pid_max: at most 2^22. */
#define PID_BITS 22

int folder_open(int parent_fd, const char *name, int access)
{
	const int fd = raw_open(parent_fd, name,
				access | O_DIRECTORY | O_NOFOLLOW, 0);

	return fd == -ELOOP || fd == -ENOTDIR ? -EACCES : fd;
}

/* Visits entries in a buffer. Returns as folder_each(). */
static int each_entry(int fd, char *entries, int max,
		      void (*visit)(int fd, const char *name, void *context),
		      void *context)
{
	int n_seen = 0;
	ssize_t n = 0;

	while (n_seen < max &&
	       (n = raw_call(SYS_getdents64, fd, entries, ENTRIES_SIZE)) > 0)
		for (ssize_t at = 0; at < n; n_seen++) {
			const struct raw_entry *entry = (const void *)(entries +
								       at);

			if (visit != NULL)
				visit(fd, entry->name, context);
			at += entry->length;
		}
	return n < 0 ? (int)n : n_seen;
}

int folder_each(int parent_fd, const char *path, int max,
		void (*visit)(int fd, const char *name, void *context),
		void *context)
{
	const int fd = raw_open(parent_fd, path, O_RDONLY | O_DIRECTORY, 0);
	char *entries;
	int result = -ENOMEM;

	if (fd < 0)
		return fd;
	entries = raw_map_private(ENTRIES_SIZE);
	if (entries != NULL)
		result = each_entry(fd, entries, max, visit, context);
	raw_unmap(entries, ENTRIES_SIZE);
	raw_close(fd);
	return result;
}

/* By its own descriptor: its mode may not let "." be opened. */
static bool is_empty(int fd)
{
	char *const entries = raw_map_private(ENTRIES_SIZE);
	const int n = entries != NULL ? each_entry(fd, entries, 3, NULL, NULL)
				      : -ENOMEM;

	raw_unmap(entries, ENTRIES_SIZE);
	return n == 2; /* "." and ".." */
}

/*
 * Sets the mode where the umask has changed it. Where others may rename the
 * folder, the name may lead to another folder of this user by now: so only an
 * empty folder is changed.
 */
static void correct_mode(int fd, uint32_t mode)
{
	struct file_status status;

	if (raw_file_status(fd, &status) == 0 && status.uid == raw_geteuid() &&
	    (status.mode & 07777) != mode && is_empty(fd))
		raw_call(SYS_fchmod, fd, mode);
}

int folder_make(int parent_fd, const char *name, uint32_t mode, bool *is_newp)
{
	int result, fd = folder_open(parent_fd, name, O_RDONLY);

	if (fd != -ENOENT)
		return fd;
	result = (int)raw_call(SYS_mkdirat, raw_folder(parent_fd), name, mode);
	if (result < 0 && result != -EEXIST)
		return result;
	fd = folder_open(parent_fd, name, O_RDONLY);
	if (fd >= 0 && result == 0) {
		correct_mode(fd, mode);
		if (is_newp != NULL)
			*is_newp = true;
	}
	return fd == -ENOENT ? -ESTALE : fd;
}

uint64_t folder_random(void)
{
	uint64_t number;

	if (raw_call(SYS_getrandom, &number, sizeof(number), GRND_NONBLOCK) ==
	    sizeof(number))
		return number;
	/* Made from the time and the process, so that it is not used twice. */
	return clock_now_ms() << PID_BITS | (uint64_t)raw_getpid();
}

/* Puts the new folder where the name is. Returns 0 or -errno. */
static int put_in_place(int parent_fd, const char *new_name, const char *name)
{
	int result = -EBUSY;

	for (int round = 0; round < MAX_ROUNDS; round++) {
		result = raw_rename(parent_fd, new_name, name,
				    RENAME_NOREPLACE);
		if (result != -EEXIST)
			return result;
		result = raw_rename(parent_fd, new_name, name, RENAME_EXCHANGE);
		if (result != -ENOENT)
			return result;
	}
	return result;
}

int folder_take(int parent_fd, const char *name, uint32_t mode)
{
	char new_name[64];
	bool is_new = false;
	int fd, result;

	text_number(new_name, sizeof(new_name), "berth-put-aside-",
		    folder_random(), "");
	fd = folder_make(parent_fd, new_name, mode, &is_new);
	if (fd < 0)
		return fd;
	result = is_new ? put_in_place(parent_fd, new_name, name) : -EBUSY;
	/* The new folder has the name now; the old one is removed if it is
	 * empty. */
	if (raw_file_remove(parent_fd, new_name, AT_REMOVEDIR) == -ENOTDIR)
		raw_file_remove(parent_fd, new_name, 0);
	if (result == 0)
		return fd;
	raw_close(fd);
	return result;
}
