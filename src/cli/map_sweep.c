/* SPDX-License-Identifier: MIT */
#include "cli/map_sweep.h"

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "cli/maps.h"
#include "core/arena.h"
#include "core/policy.h"

static void sweep_spaces(const struct arena *arena, const struct policy *policy,
			 sweep_lister list, struct map_sweep *swept)
{
	static const struct port_set none;

	for (int space = 0; space < N_SPACES; space++) {
		const struct port_set *range = policy->dynamic[space];

		swept->errors[space] = sweep_space(
			arena, (enum space)space, range != NULL ? range : &none,
			list, clock_now_ms(), &swept->results[space]);
	}
}

/* The other process: whatever ends it, nothing is written then. */
_Noreturn static void sweep_and_end(const struct map *map,
				    const struct arena_place *place,
				    const struct policy *policy,
				    sweep_lister list, int fd)
{
	static const struct rlimit no_core;
	struct map_sweep swept = { 0 };
	struct arena arena;

	/* What SIGBUS leaves would be of no use. */
	setrlimit(RLIMIT_CORE, &no_core);
	swept.error = map_open(map, place, &arena);
	if (swept.error == 0) {
		arena_set_rest(&arena, policy->rest_ms);
		sweep_spaces(&arena, policy, list, &swept);
	}
	_exit(write(fd, &swept, sizeof(swept)) != sizeof(swept));
}

/* Less than PIPE_BUF: it comes whole or not at all. */
static bool read_all(int fd, struct map_sweep *sweptp)
{
	ssize_t n;

	_Static_assert(sizeof(*sweptp) <= 512, "POSIX's PIPE_BUF");
	do
		n = read(fd, sweptp, sizeof(*sweptp));
	while (n < 0 && errno == EINTR);
	return n == sizeof(*sweptp);
}

int map_sweep(const struct map *map, const struct arena_place *place,
	      const struct policy *policy, sweep_lister list,
	      struct map_sweep *sweptp)
{
	int fds[2];
	pid_t pid;
	bool is_whole;

	if (pipe(fds) < 0)
		return -errno;
	pid = fork();
	if (pid == 0)
		sweep_and_end(map, place, policy, list, fds[1]);

	const int error = -errno;

	close(fds[1]);
	is_whole = pid > 0 && read_all(fds[0], sweptp);
	close(fds[0]);
	while (pid > 0 && waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
	if (pid < 0)
		return error;
	return is_whole ? sweptp->error : -EIO;
}
