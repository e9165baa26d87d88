/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * System calls made directly, past every libc function that Berth or another
 * preload may have hooked.
 *
 * All return what the kernel returns: a result, or -errno; errno is not
 * touched. No cancellation point. Async-signal-safe.
 */

#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>

long raw_syscall(long number, long a1, long a2, long a3, long a4, long a5,
		 long a6);

int raw_open(int directory_fd, const char *path, int flags, int mode);
int raw_close(int fd);
ssize_t raw_read(int fd, void *buffer, size_t size);
ssize_t raw_write(int fd, const void *buffer, size_t size);
pid_t raw_getpid(void);

int raw_socket(int domain, int type, int protocol);
int raw_bind(int fd, const struct sockaddr *address, socklen_t length);
/* Without SIGPIPE. */
ssize_t raw_sendto(int fd, const void *data, size_t size,
		   const struct sockaddr *address, socklen_t length);
int raw_getsockname(int fd, struct sockaddr *address, socklen_t *lengthp);
int raw_getsockopt(int fd, int level, int name, void *value, socklen_t *lengthp);
int raw_setsockopt(int fd, int level, int name, const void *value,
		   socklen_t length);

/* An int option. Returns 0 or -errno. */
int raw_get_int_option(int fd, int level, int name, int *valuep);
int raw_set_int_option(int fd, int level, int name, int value);
