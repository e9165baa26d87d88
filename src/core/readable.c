/* SPDX-License-Identifier: MIT */
#include "core/readable.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdint.h>
#include <sys/socket.h>

#include "base/raw.h"
#include "core/socket.h"

#define PAGE_BITS 12u	/* the smallest page there is; larger ones hold many */
#define NO_SUCH_OPTION 0x7ffffff

static bool probe(int fd, bool mptcp, uintptr_t address)
{
	/* Aligned down: the four bytes that are read lie in one page. */
	const void *word = (const void *)(address & ~(uintptr_t)3);

	if (mptcp) {
		const int result = raw_setsockopt(fd, IPPROTO_IP,
						  IP_LOCAL_PORT_RANGE, word,
						  sizeof(int));

		if (result == 0)
			socket_unpin(fd);
		return result != -EFAULT;
	}
	return raw_setsockopt(fd, SOL_SOCKET, NO_SUCH_OPTION, word,
			      sizeof(int)) != -EFAULT;
}

static bool check_page(struct readable_pages *pages, int fd, bool mptcp,
		       uintptr_t address)
{
	const uint64_t number = address >> PAGE_BITS;
	atomic_u64 *entry = &pages->numbers[number % N_READABLE_PAGES];

	/* Relaxed: one word, complete in itself; a lost entry is asked again. */
	if (load_relaxed_u64(entry) == number)
		return true;
	if (!probe(fd, mptcp, address))
		return false;
	store_relaxed_u64(entry, number);
	return true;
}

bool readable_check(struct readable_pages *pages, int fd, bool mptcp,
		    const void *pointer, size_t n_bytes)
{
	const uintptr_t first = (uintptr_t)pointer;
	const uintptr_t last = first + n_bytes - 1;

	/* Page 0 is never mapped, and is what an empty entry stands for. */
	if (n_bytes == 0)
		return true;
	if (first >> PAGE_BITS == 0 || last < first)
		return false;
	for (uintptr_t at = first; at <= last;
	     at = ((at >> PAGE_BITS) + 1) << PAGE_BITS)
		if (!check_page(pages, fd, mptcp, at))
			return false;
	return true;
}
