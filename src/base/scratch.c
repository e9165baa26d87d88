/* SPDX-License-Identifier: MIT */
#include "base/scratch.h"

#include <sys/mman.h>
#include <sys/syscall.h>

#include "base/raw.h"

/* The kernel's errors are the last page of the address space. */
#define LARGEST_ERROR 4095ul

void *scratch_take(size_t size)
{
#ifdef SYS_mmap2
	/* i386: SYS_mmap takes its arguments from memory there. */
	const long number = SYS_mmap2;
#else
	const long number = SYS_mmap;
#endif
	const long result = raw_syscall(
		number, 0, (long)size, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	return (unsigned long)result >= -LARGEST_ERROR ? NULL : (void *)result;
}

void scratch_put(void *memory, size_t size)
{
	if (memory != NULL)
		raw_syscall(SYS_munmap, (long)memory, (long)size, 0, 0, 0, 0);
}
