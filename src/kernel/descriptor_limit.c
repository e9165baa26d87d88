/* SPDX-License-Identifier: MIT */
#include "kernel/descriptor_limit.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#include "base/raw.h"

/* The most descriptors that Berth has open at a time. */
#define N_DESCRIPTORS 5u

struct limit {
	uint64_t soft, hard;
};

static long set_limit(const struct limit *limit, struct limit *oldp)
{
	return raw_call(SYS_prlimit64, 0, RLIMIT_NOFILE, limit, oldp);
}

/* Whether this many more descriptors can be opened. */
static bool has_room(void)
{
	int fds[N_DESCRIPTORS];
	unsigned int n = 0;

	while (n < N_DESCRIPTORS &&
	       (fds[n] = raw_open(AT_FDCWD, "/", O_PATH, 0)) >= 0)
		n++;

	const bool is_full = n < N_DESCRIPTORS && fds[n] == -EMFILE;

	while (n > 0)
		raw_close(fds[--n]);
	return !is_full;
}

void descriptor_limit_lift(struct descriptor_limit *limitp)
{
	struct limit old, lifted;

	limitp->is_lifted = false;
	if (has_room() || set_limit(NULL, &old) < 0 || old.soft == old.hard)
		return;
	lifted = (struct limit){ old.hard, old.hard };
	if (set_limit(&lifted, NULL) < 0)
		return;
	*limitp = (struct descriptor_limit){ true, old.soft, old.hard };
}

void descriptor_limit_restore(const struct descriptor_limit *limit)
{
	const struct limit old = { limit->soft, limit->hard };

	if (limit->is_lifted)
		(void)!set_limit(&old, NULL);
}
