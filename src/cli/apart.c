/* SPDX-License-Identifier: MIT */
#include "cli/apart.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

void *apart_memory(size_t size)
{
	void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE,
			    MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	return memory != MAP_FAILED ? memory : NULL;
}

_Noreturn static void run_and_end(void (*work)(void *memory), void *memory)
{
	static const struct rlimit no_core;

	/* A core file of a SIGBUS would help nobody. */
	setrlimit(RLIMIT_CORE, &no_core);
	work(memory);
	_exit(EXIT_SUCCESS);
}

int apart_run(void (*work)(void *memory), void *memory)
{
	const pid_t pid = fork();
	pid_t ended;
	int status;

	if (pid < 0)
		return -errno;
	if (pid == 0)
		run_and_end(work, memory);
	do
		ended = waitpid(pid, &status, 0);
	while (ended < 0 && errno == EINTR);
	return ended == pid && WIFEXITED(status) && WEXITSTATUS(status) == 0
		       ? 0
		       : -EIO;
}
