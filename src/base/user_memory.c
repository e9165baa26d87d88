/* SPDX-License-Identifier: MIT */
#include "base/user_memory.h"

#include <errno.h>
#include <linux/futex.h>
#include <stdint.h>
#include <sys/syscall.h>

#include "base/raw.h"

#define PAGE_BITS 12u /* the smallest page there is; larger ones hold many */

/* The kernel's sigset_t, 64 signals: the most that is read. */
#define WORD_SIZE 8u

#define NO_SUCH_WAY (-1L)
#define NO_SUCH_OPTION 0x7ffffff

/*
 * Three calls that read a word and change nothing; the next is used where a
 * filter forbids the one before. futex(2) compares the word, then wakes and
 * moves no waiter: it returns 0 or EAGAIN for a word that it could read. Nearly
 * every filter allows it, since libc's locks need it. rt_sigprocmask(2) reads a
 * set before it checks what to do with it: EINVAL. setsockopt(2) reads a value
 * before it checks the option (sk_setsockopt() in net/core/sock.c; MPTCP does
 * not): ENOPROTOOPT. An aligned word lies within one page.
 */
static bool is_readable_word(int fd, uintptr_t address)
{
	const uintptr_t word = address & ~(uintptr_t)(WORD_SIZE - 1);
	uint32_t nobody = 0;
	long result = raw_call(SYS_futex, word, FUTEX_CMP_REQUEUE_PRIVATE, 0, 0,
			       &nobody);

	if (result == 0 || result == -EAGAIN || result == -EFAULT)
		return result != -EFAULT;
	result = raw_call(SYS_rt_sigprocmask, NO_SUCH_WAY, word, 0, WORD_SIZE);
	if (result == -EINVAL || result == -EFAULT)
		return result != -EFAULT;
	return raw_setsockopt(fd, SOL_SOCKET, NO_SUCH_OPTION,
			      (const void *)word, sizeof(int)) == -ENOPROTOOPT;
}

bool user_memory_check(int fd, const void *pointer, size_t n_bytes)
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
						  ? first
						  : page << PAGE_BITS))
			return false;
	return true;
}
