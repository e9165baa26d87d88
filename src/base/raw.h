/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * System calls made directly, past every libc function that Berth or another
 * preload may have hooked.
 *
 * All return what the kernel returns: a result, or -errno; errno is not
 * touched. No cancellation point. Async-signal-safe.
 *
 * A seccomp filter of the program may kill it for a call that the filter does
 * not allow. So each function asks filter.h first, and does not make a call
 * that is not allowed: the result is RAW_FILTERED then. Callers use another
 * way, or leave the port to the kernel; they never return this result to the
 * program.
 */

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>

#include "base/atomics.h"

#define RAW_FILTERED (-ENOSYS)

/* Whether a filter has refused a call: a filter of the program, or one that
 * was there when the program started and returns EPERM, as those of
 * containers do. */
static inline bool raw_is_filtered(long result)
{
	return result == RAW_FILTERED || result == -EPERM;
}

/*
 * A folder's descriptor as libc passes it, in 32 bits: a filter may compare
 * AT_FDCWD with all 64 bits.
 */
static inline long raw_folder(int directory_fd)
{
	return (long)(unsigned int)directory_fd;
}

long raw_syscall(long number, long a1, long a2, long a3, long a4, long a5,
		 long a6);

/* The same with up to six arguments, integers or pointers; the others are 0. */
#define raw_call(...) RAW_CALL(__VA_ARGS__, 0, 0, 0, 0, 0, 0, 0)
#define RAW_CALL(number, a1, a2, a3, a4, a5, a6, ...) \
	raw_syscall(number, (long)(a1), (long)(a2), (long)(a3), (long)(a4), \
		    (long)(a5), (long)(a6))

/*
 * A call that the program makes itself: filter.h is not asked, as it is not a
 * call of Berth's.
 */
long raw_program_call(long number, long a1, long a2, long a3, long a4, long a5,
		      long a6);

int raw_open(int directory_fd, const char *path, int flags, int mode);
int raw_close(int fd);
ssize_t raw_read(int fd, void *buffer, size_t size);
pid_t raw_getpid(void);
pid_t raw_getppid(void);

int raw_socket(int domain, int type, int protocol);
int raw_bind(int fd, const struct sockaddr *address, socklen_t length);
int raw_getsockname(int fd, struct sockaddr *address, socklen_t *lengthp);
int raw_getsockopt(int fd, int level, int name, void *value,
		   socklen_t *lengthp);
int raw_setsockopt(int fd, int level, int name, const void *value,
		   socklen_t length);

/* The result of poll(2) for one descriptor, without waiting: its events, 0 or
 * -errno. */
int raw_poll(int fd, short events);

/* An int option. Returns 0 or -errno. */
int raw_get_int_option(int fd, int level, int name, int *valuep);
int raw_set_int_option(int fd, int level, int name, int value);

/* Returns NULL, with -errno in *errorp, on failure; else *errorp is 0. */
void *raw_map(size_t size, int protection, int flags, int fd, off_t offset,
	      int *errorp);
/*
 * Zeroed private memory, aligned for every type, of which only touched pages are
 * allocated; NULL where the kernel refuses. On rare paths it takes the place of
 * a large array on the program's stack, which may be small: that of a thread
 * with PTHREAD_STACK_MIN, or an alternate signal stack.
 */
void *raw_map_private(size_t size);
/* NULL is fine. */
void raw_unmap(void *memory, size_t size);
/* The call is not made where filter_is_inherited(); raw_flock() neither. */
int raw_madvise(void *memory, size_t size, int advice);

/*
 * Files. In functions named _at, a path is looked up from a folder, or
 * AT_FDCWD.
 */
int raw_flock(int fd, int operation);
int raw_link_at(int from_fd, const char *from, int to_fd, const char *to,
		int flags);

/* The value at the program's start, where a filter refuses the call. */
uid_t raw_geteuid(void);

/* --- what base/filter.c needs here: it makes raw calls itself ------------- */

/* Not 0 once a filter may have been set. */
extern atomic_u32 filter_watch;

static inline bool filter_is_watched(void)
{
	/* Relaxed: a thread sees its own store; a thread that TSYNC reaches
	 * cannot be told before. filter_allows() orders what it reads
	 * itself. */
	return load_relaxed_u32(&filter_watch) != 0;
}

/*
 * Whether all filters let the kernel make a call, with no other effect. An
 * errno, a signal, a tracer or a supervisor counts as no.
 */
bool filter_allows(long number, const long arguments[6]);

/*
 * Whether the process was started under a filter, or this is not known. Such a
 * filter cannot be asked, so Berth then leaves out calls that it can do without
 * and that filters which allow only a few groups of calls do not include.
 */
bool filter_is_inherited(void);
