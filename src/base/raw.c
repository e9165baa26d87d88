/* SPDX-License-Identifier: MIT */
#include "base/raw.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#if defined(__x86_64__) && defined(__LP64__)

long raw_program_call(long number, long a1, long a2, long a3, long a4, long a5,
		      long a6)
{
	register long r10 __asm__("r10") = a4;
	register long r8 __asm__("r8") = a5;
	register long r9 __asm__("r9") = a6;
	long result;

	__asm__ volatile("syscall"
			 : "=a"(result)
			 : "a"(number), "D"(a1), "S"(a2), "d"(a3), "r"(r10),
			   "r"(r8), "r"(r9)
			 : "rcx", "r11", "memory");
	return result;
}

#elif defined(__aarch64__)

long raw_program_call(long number, long a1, long a2, long a3, long a4, long a5,
		      long a6)
{
	register long x8 __asm__("x8") = number;
	register long x0 __asm__("x0") = a1;
	register long x1 __asm__("x1") = a2;
	register long x2 __asm__("x2") = a3;
	register long x3 __asm__("x3") = a4;
	register long x4 __asm__("x4") = a5;
	register long x5 __asm__("x5") = a6;

	__asm__ volatile("svc 0"
			 : "+r"(x0)
			 : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5)
			 : "memory");
	return x0;
}

#else
#error "Berth knows the system call convention of x86-64 and arm64 only"
#endif

/* Not inlined: the common path then has no array to fill. */
__attribute__((noinline, cold)) static bool allows(long number, long a1,
						   long a2, long a3, long a4,
						   long a5, long a6)
{
	return filter_allows(number, (const long[6]){ a1, a2, a3, a4, a5, a6 });
}

long raw_syscall(long number, long a1, long a2, long a3, long a4, long a5,
		 long a6)
{
	if (__builtin_expect(filter_is_watched(), 0) &&
	    !allows(number, a1, a2, a3, a4, a5, a6))
		return RAW_FILTERED;
	return raw_program_call(number, a1, a2, a3, a4, a5, a6);
}

int raw_open(int directory_fd, const char *path, int flags, int mode)
{
	return (int)raw_call(SYS_openat, raw_folder(directory_fd), path,
			     flags | O_CLOEXEC, mode);
}

int raw_close(int fd)
{
	return (int)raw_call(SYS_close, fd);
}

ssize_t raw_read(int fd, void *buffer, size_t size)
{
	return raw_call(SYS_read, fd, buffer, size);
}

pid_t raw_getpid(void)
{
	return (pid_t)raw_call(SYS_getpid);
}

pid_t raw_getppid(void)
{
	return (pid_t)raw_call(SYS_getppid);
}

int raw_socket(int domain, int type, int protocol)
{
	return (int)raw_call(SYS_socket, domain, type, protocol);
}

int raw_bind(int fd, const struct sockaddr *address, socklen_t length)
{
	return (int)raw_call(SYS_bind, fd, address, length);
}

int raw_getsockname(int fd, struct sockaddr *address, socklen_t *lengthp)
{
	return (int)raw_call(SYS_getsockname, fd, address, lengthp);
}

int raw_getsockopt(int fd, int level, int name, void *value, socklen_t *lengthp)
{
	return (int)raw_call(SYS_getsockopt, fd, level, name, value, lengthp);
}

int raw_setsockopt(int fd, int level, int name, const void *value,
		   socklen_t length)
{
	return (int)raw_call(SYS_setsockopt, fd, level, name, value, length);
}

int raw_poll(int fd, short events)
{
	struct pollfd polled = { .fd = fd, .events = events };
#ifdef SYS_poll
	const long n = raw_call(SYS_poll, &polled, 1);
#else
	const struct timespec at_once = { 0 };
	const long n = raw_call(SYS_ppoll, &polled, 1, &at_once);
#endif

	return n == 1 ? polled.revents : (int)n;
}

int raw_get_int_option(int fd, int level, int name, int *valuep)
{
	socklen_t length = sizeof(*valuep);

	return raw_getsockopt(fd, level, name, valuep, &length);
}

int raw_set_int_option(int fd, int level, int name, int value)
{
	return raw_setsockopt(fd, level, name, &value, sizeof(value));
}

#define ERRORS_END (-4096ul)

void *raw_map(size_t size, int protection, int flags, int fd, off_t offset,
	      int *errorp)
{
	const long result = raw_call(SYS_mmap, 0, size, protection, flags, fd,
				     offset);

	*errorp = (unsigned long)result > ERRORS_END ? (int)result : 0;
	return *errorp == 0 ? (void *)result : NULL;
}

void *raw_map_private(size_t size)
{
	int error;

	return raw_map(size, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0,
		       &error);
}

void raw_unmap(void *memory, size_t size)
{
	if (memory != NULL)
		raw_call(SYS_munmap, memory, size);
}

int raw_madvise(void *memory, size_t size, int advice)
{
	if (filter_is_inherited())
		return RAW_FILTERED;
	return (int)raw_call(SYS_madvise, memory, size, advice);
}

uid_t raw_geteuid(void)
{
	const long uid = raw_call(SYS_geteuid);

	return uid >= 0 ? (uid_t)uid : (uid_t)getauxval(AT_EUID);
}

int raw_flock(int fd, int operation)
{
	if (filter_is_inherited())
		return RAW_FILTERED;
	return (int)raw_call(SYS_flock, fd, operation);
}

int raw_link_at(int from_fd, const char *from, int to_fd, const char *to,
		int flags)
{
	return (int)raw_call(SYS_linkat, raw_folder(from_fd), from,
			     raw_folder(to_fd), to, flags);
}
