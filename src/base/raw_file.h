/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Raw system calls on files, folders and memory: see raw.h, whose rules hold
 * here too. What may be interrupted is begun again.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* What stat(2) says, of the parts that Berth looks at. */
struct file_status {
	uint64_t device, inode;
	uint64_t size;
	uint32_t mode, uid;
};

int raw_file_status(int fd, struct file_status *statusp);

/* Of a name in a folder, a symbolic link's own. */
int raw_file_status_at(int folder_fd, const char *name,
		       struct file_status *statusp);

/* Whether two are of one and the same file. */
static inline bool file_status_is_same(const struct file_status *a,
				       const struct file_status *b)
{
	return a->device == b->device && a->inode == b->inode;
}

/* All of it, or -errno; -ENODATA where the file ends before. */
int raw_file_read(int fd, void *bytes, size_t size, uint64_t offset);
int raw_file_write(int fd, const void *bytes, size_t size, uint64_t offset);

/*
 * Gives a range of a file its memory, beyond its end with zeros. A signal that
 * comes too often is an error, EINTR: tmpfs begins anew after each, a SIGSTOP too.
 */
int raw_file_allocate(int fd, uint64_t offset, uint64_t size);
/*
 * Whether this process may make a file of this size: beyond RLIMIT_FSIZE the
 * kernel would end it by SIGXFSZ. Returns 0 or -EFBIG.
 */
int raw_file_may_have(uint64_t size);

/* unlinkat(2). */
int raw_file_remove(int folder_fd, const char *name, int flags);

/* In one folder; flags are RENAME_NOREPLACE or RENAME_EXCHANGE. */
int raw_rename(int folder_fd, const char *from, const char *to,
	       unsigned int flags);

/* Whole entries of struct raw_entry; 0 at the end. */
ssize_t raw_read_folder(int fd, void *entries, size_t size);

/* getdents64(2). */
struct raw_entry {
	uint64_t inode;
	int64_t next;
	uint16_t length;	/* of this entry */
	uint8_t type;
	char name[];
};

/* The text of a symbolic link, terminated. Returns its length or -errno. */
ssize_t raw_read_link(int folder_fd, const char *name, char *text, size_t size);

/* Shared; prot is PROT_READ or more. NULL and *errorp where it cannot be. */
void *raw_map_file(int fd, size_t size, int prot, int *errorp);

/* Shared with children to come, without a file. */
void *raw_map_memory(size_t size, int *errorp);

/*
 * Maps the file that is shared at an address once more, from there on, without
 * a descriptor: mremap(2) with an old size of 0.
 */
void *raw_map_again(const void *address, size_t size, int *errorp);
