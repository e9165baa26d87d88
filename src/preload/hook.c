/* SPDX-License-Identifier: MIT */
#include "preload/hook.h"

#include <sched.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "preload/next.h"
#include "process/descriptors.h"
#include "process/query.h"

atomic_u32 hook_stage;
struct process the_process;

/* In place of getenv(3), which some programs redefine, such as bash. */
static char *environment(const char *name)
{
	const size_t length = strlen(name);

	for (char **entry = environ; entry != NULL && *entry != NULL; entry++)
		if (strncmp(*entry, name, length) == 0 &&
		    (*entry)[length] == '=')
			return *entry + length + 1;
	return NULL;
}

struct process *hook_start(void)
{
	uint32_t expected = HOOK_NONE;

	/* Acq_rel: one caller makes the process; the others find it
	 * unfinished. */
	if (!swap_if_acq_rel_u32(&hook_stage, &expected, HOOK_STARTING))
		return NULL;
	process_open(&the_process, environment);
	/* Release: all of the_process is complete before a hook of any thread
	 * uses it. */
	store_release_u32(&hook_stage, HOOK_READY);
	return &the_process;
}

/* A child has one thread, and a copy of what its parent had. */
static void mark_child(void)
{
	/* Relaxed: written before the fork, or not at all in this process. */
	if (load_relaxed_u32(&hook_stage) != HOOK_READY)
		return;
	fd_cache_forked(&the_process.cache);
	process_share(&the_process);
}

/* The child has the sockets of this process too. */
static void mark_parent(void)
{
	process_share(&the_process);
}

__attribute__((constructor)) static void construct(void)
{
	next_find();
	(void)next_at_fork(mark_parent, mark_child);
	clock_find();
	hook_process();
}

/*
 * The process ends: its sockets will be closed without a call that is hooked.
 */
__attribute__((destructor)) static void destruct(void)
{
	struct process *process = hook_process();

	if (process != NULL)
		process_forget(process, 0, ~0u);
}

long hook_run(struct call *call)
{
	struct process *process = hook_process();

	return process != NULL ? call_run(process, call) : call->make(call, 0);
}

long hook_make(const struct call *call, uint16_t port)
{
	const struct plain_call *self = (const struct plain_call *)call;
	const long *a = self->words;
	const int saved_errno = errno;
	long made = -1;

	(void)port;
	switch (self->number) {
#define SYSTEM_CALL(result, name, parameters, words, arguments) \
	case SYS_##name: \
		made = next.name arguments; \
		break;
#define LIBC_CALL(result, name, parameters)
#define LIBC_ALIAS(name)
#include "preload/hooks.def"
	default: errno = ENOSYS;
	}
	return next_plain_result(made, saved_errno);
}

struct fd_facts hook_known_facts(int fd)
{
	const struct process *process = hook_process();

	return process != NULL ? fd_cache_get(&process->cache, fd)
			       : (struct fd_facts){ 0 };
}

bool hook_covers(struct process *process, int fd, struct fd_facts *factsp)
{
	return process_facts(process, fd, factsp) == 0 && factsp->covered &&
	       !factsp->own_range;
}
