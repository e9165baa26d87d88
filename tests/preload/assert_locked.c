/* SPDX-License-Identifier: MIT */
/*
 * assert_locked RANGE: what is mapped for Berth is at most 5 MiB, so that a
 * small program may lock all its memory under the usual RLIMIT_MEMLOCK, and
 * then goes on as it does unlocked, in a range that is used up too. Edge
 * case 46.
 */
#include "probe.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>

#define MAPPED_MAX (5l << 20)
#define LIMIT (8u << 20)
#define N_RANGE 8

/* All that is mapped, but for what the kernel puts there. */
static long mapped(void)
{
	FILE *file = fopen("/proc/self/maps", "r");
	unsigned long start, end;
	char line[512];
	long sum = 0;

	while (file != NULL && fgets(line, sizeof(line), file) != NULL)
		if (sscanf(line, "%lx-%lx", &start, &end) == 2 &&
		    strstr(line, "[v") == NULL)
			sum += (long)(end - start);
	if (file != NULL)
		fclose(file);
	return sum;
}

/* The same of this program bare. */
static long mapped_bare(const char *self)
{
	char command[512];
	long sum = 0;

	unsetenv("LD_PRELOAD");
	snprintf(command, sizeof(command), "exec %s size", self);

	FILE *pipe = popen(command, "r");

	if (pipe == NULL || fscanf(pipe, "%ld", &sum) != 1)
		sum = 0;
	if (pipe != NULL)
		pclose(pipe);
	return sum;
}

static void use_locked(const char *range)
{
	const struct kind *kind = &kinds[TCP4];
	int fds[N_RANGE + 1];

	for (int i = 0; i <= N_RANGE; i++) {
		fds[i] = open_kind(kind);

		const int result = bind_to(fds[i], any_of(kind, 0));

		check(i < N_RANGE ? result == 0 &&
					    range_has(range, local_port(fds[i]))
				  : result != 0 && errno == EADDRINUSE,
		      "locked: bind %d of %d", i + 1, N_RANGE);
	}
	for (int i = 0; i <= N_RANGE; i++)
		close(fds[i]);
}

int main(int argc, char **argv)
{
	const struct rlimit limit = { LIMIT, LIMIT };
	const long sum = mapped();

	if (argc == 2 && strcmp(argv[1], "size") == 0) {
		printf("%ld\n", sum);
		return 0;
	}
	if (argc != 2)
		return 2;

	const long bare = mapped_bare(argv[0]);

	check(bare > 0 && sum - bare <= MAPPED_MAX,
	      "%ld KiB are mapped for Berth", (sum - bare) >> 10);
	must(setrlimit(RLIMIT_MEMLOCK, &limit), "RLIMIT_MEMLOCK");
	/* Without CAP_IPC_LOCK, which a user namespace does not give. */
	(void)!setuid(1000);

	const int error = mlockall(MCL_CURRENT | MCL_FUTURE) == 0 ? 0 : errno;

	check(error == 0, "mlockall under a limit of 8 MiB: %s",
	      strerror(error));
	use_locked(argv[1]);
	return 0;
}
