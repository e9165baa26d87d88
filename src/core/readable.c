/* SPDX-License-Identifier: MIT */
#include "core/readable.h"

#include <errno.h>
#include <stdint.h>
#include <sys/syscall.h>

#include "base/raw.h"

#define PAGE_BITS 12u	/* the smallest page there is; larger ones hold many */

/* The kernel's sigset_t, 64 signals. */
#define SIGNAL_SET_SIZE 8u

#define NO_SUCH_WAY (-1L)
#define NO_SUCH_OPTION 0x7ffffff

/*
 * Each of the two calls reads what it is given before it looks at what to do
 * with it: EINVAL or ENOPROTOOPT for a word that it could read, EFAULT for one
 * that it could not (sys_rt_sigprocmask() in kernel/signal.c, sk_setsockopt() in
 * net/core/sock.c). An aligned word lies in one page.
 */
static bool is_readable_word(int fd, uintptr_t address)
{
	const uintptr_t word = address & ~(uintptr_t)(SIGNAL_SET_SIZE - 1);
	const long result = raw_syscall(SYS_rt_sigprocmask, NO_SUCH_WAY,
					(long)word, 0, SIGNAL_SET_SIZE, 0, 0);

	if (result == -EINVAL || result == -EFAULT)
		return result == -EINVAL;
	return raw_setsockopt(fd, SOL_SOCKET, NO_SUCH_OPTION,
			      (const void *)word, sizeof(int)) == -ENOPROTOOPT;
}

bool readable_check(int fd, const void *pointer, size_t n_bytes)
{
	const uintptr_t own = (uintptr_t)__builtin_frame_address(0);
	const uintptr_t first = (uintptr_t)pointer;
	const uintptr_t last = first + n_bytes - 1;

	if (n_bytes == 0)
		return true;
	if (pointer == NULL || last < first)
		return false;
	for (uintptr_t page = first >> PAGE_BITS; page <= last >> PAGE_BITS;
	     page++)
		if (page != own >> PAGE_BITS &&
		    !is_readable_word(fd, page == first >> PAGE_BITS
						  ? first : page << PAGE_BITS))
			return false;
	return true;
}
