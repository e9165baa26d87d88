/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * System calls made directly, past every libc function that Berth or another
 * preload may have hooked.
 *
 * All return what the kernel returns: a result, or -errno; errno is not
 * touched. No cancellation point. Async-signal-safe.
 *
 * A seccomp filter of the program's may kill whoever makes a call that it does
 * not allow. So all calls ask filter.h first, and what is not allowed is not made:
 * the result is RAW_FILTERED then. Callers take another way, or leave the port to
 * the kernel; they never hand this result to the program.
 */

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/types.h>

#include "base/atomics.h"

#define RAW_FILTERED (-ENOSYS)

/* Whether a filter has refused a call: one of the program's, or one that was
 * there before and says EPERM, as those of containers do. */
static inline bool raw_is_filtered(long result)
{
	return result == RAW_FILTERED || result == -EPERM;
}

long raw_syscall(long number, long a1, long a2, long a3, long a4, long a5,
		 long a6);

/* A call that the program makes itself: not asked about, as it is not Berth's. */
long raw_program_call(long number, long a1, long a2, long a3, long a4, long a5,
		      long a6);

int raw_open(int directory_fd, const char *path, int flags, int mode);
int raw_close(int fd);
ssize_t raw_read(int fd, void *buffer, size_t size);
pid_t raw_getpid(void);
pid_t raw_gettid(void);

int raw_socket(int domain, int type, int protocol);
int raw_bind(int fd, const struct sockaddr *address, socklen_t length);
int raw_getsockname(int fd, struct sockaddr *address, socklen_t *lengthp);
int raw_getsockopt(int fd, int level, int name, void *value, socklen_t *lengthp);
int raw_setsockopt(int fd, int level, int name, const void *value,
		   socklen_t length);

/* An int option. Returns 0 or -errno. */
int raw_get_int_option(int fd, int level, int name, int *valuep);
int raw_set_int_option(int fd, int level, int name, int value);

/* NULL, and -errno in *errorp, where it fails; *errorp is 0 otherwise. */
void *raw_map(size_t size, int protection, int flags, int fd, off_t offset,
	      int *errorp);
/* Zeroed memory of this process, as much of it as is touched; or NULL. */
void *raw_map_private(size_t size);
void raw_unmap(void *memory, size_t size);
/* Not made where filter_is_inherited(), as raw_flock(). */
int raw_madvise(void *memory, size_t size, int advice);

/* Files. Names end in _at where a path is looked up from a folder, or AT_FDCWD. */
int raw_fstat(int fd, struct stat *statusp);
int raw_stat(const char *path, struct stat *statusp);
int raw_lstat_at(int directory_fd, const char *path, struct stat *statusp);
ssize_t raw_pread(int fd, void *buffer, size_t size, off_t offset);
ssize_t raw_pwrite(int fd, const void *buffer, size_t size, off_t offset);
int raw_ftruncate(int fd, off_t size);
int raw_fallocate(int fd, int mode, off_t offset, off_t size);
int raw_fchmod(int fd, int mode);
int raw_flock(int fd, int operation);
int raw_mkdir_at(int directory_fd, const char *path, int mode);
int raw_unlink_at(int directory_fd, const char *path);
int raw_link_at(int from_fd, const char *from, int to_fd, const char *to,
		int flags);

/* Where a filter refuses it, as it was when the program started. */
uid_t raw_geteuid(void);

/* --- what base/filter.c says of a call: here, since it makes calls too ------------ */

/* Not 0 once a filter may have been set. */
extern atomic_u32 filter_watch;

static inline bool filter_is_watched(void)
{
	/* Relaxed: a thread sees its own; one that TSYNC reaches has no way to
	 * be told before. filter_allows() orders what it reads itself. */
	return load_relaxed_u32(&filter_watch) != 0;
}

/*
 * Whether the kernel would make a call and do nothing else, under all filters.
 * An errno, a signal, a tracer or a supervisor is a "no".
 */
bool filter_allows(long number, const long arguments[6]);

/*
 * Whether the process was started under a filter, or whether that is not known. What such a filter says cannot be
 * asked: calls are not made then that Berth can do without and that filters for
 * a few groups of calls leave out.
 */
bool filter_is_inherited(void);
