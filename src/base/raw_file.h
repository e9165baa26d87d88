/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Raw system calls on files, folders and memory: see raw.h, whose rules hold
 * here too. A call that a signal has interrupted is begun again.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* What stat(2) returns, as far as Berth uses it. */
struct file_status {
	uint64_t device, inode;
	uint64_t size;
	uint32_t mode, uid;
};

int raw_file_status(int fd, struct file_status *statusp);

/* Of a name in a folder; of a symbolic link itself. */
int raw_file_status_at(int folder_fd, const char *name,
		       struct file_status *statusp);
/* Of what a path leads to, which begins in a folder or at the top. */
int raw_file_status_of(int folder_fd, const char *path,
		       struct file_status *statusp);

/* Whether both are of the same file. */
static inline bool file_status_is_same(const struct file_status *a,
				       const struct file_status *b)
{
	return a->device == b->device && a->inode == b->inode;
}

/*
 * Reads all n bytes, or returns -errno; -ENODATA where the file ends earlier.
 */
int raw_file_read(int fd, void *bytes, size_t size, uint64_t offset);
int raw_file_write(int fd, const void *bytes, size_t size, uint64_t offset);

/*
 * Reads the beginning of a small file, such as one of /proc, and terminates it.
 * Returns how many bytes were read, or -errno.
 */
ssize_t raw_read_text(const char *path, char *text, size_t size);

/*
 * Calls visit with each line of a file, such as one of /proc, without its
 * newline, until visit returns false. A line beyond 64 KiB comes in parts; what
 * follows the last newline may have been cut, and is left out.
 * Returns 0, 1 where visit has returned false, or -errno.
 */
int raw_each_line(const char *path,
		  bool (*visit)(const char *line, void *context),
		  void *context);

/*
 * Allocates memory for a range of a file; beyond the file's end it is zeros.
 * Where signals keep interrupting it, it returns -EINTR: tmpfs begins again
 * after each, also after SIGSTOP.
 */
int raw_file_allocate(int fd, uint64_t offset, uint64_t size);
/*
 * Whether this process may make a file of this size: the kernel ends a process
 * that writes beyond RLIMIT_FSIZE by SIGXFSZ. Returns 0 or -EFBIG.
 */
int raw_file_may_have(uint64_t size);

/* unlinkat(2). */
int raw_file_remove(int folder_fd, const char *name, int flags);

/* Within one folder; flags are RENAME_NOREPLACE or RENAME_EXCHANGE. */
int raw_rename(int folder_fd, const char *from, const char *to,
	       unsigned int flags);

/* The text of a symbolic link, terminated. Returns its length or -errno. */
ssize_t raw_read_link(int folder_fd, const char *name, char *text, size_t size);

/*
 * Maps a file as shared; prot is PROT_READ or more. Returns NULL, with -errno
 * in *errorp, on failure.
 */
void *raw_map_file(int fd, size_t size, int prot, int *errorp);

/*
 * Maps a file that is mapped as shared a second time, from the same offset on,
 * without a descriptor: mremap(2) with an old size of 0.
 */
void *raw_map_again(const void *address, size_t size, int *errorp);
