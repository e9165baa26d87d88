/* SPDX-License-Identifier: MIT */
#include "preload/hook.h"

#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/raw.h"
#include "core/endpoint.h"
#include "core/socket.h"
#include "preload/next.h"

enum stage { STAGE_NONE, STAGE_STARTING, STAGE_READY };

static struct process the_process;
static atomic_u32 stage;

/* getenv(3), which programs redefine: bash does, for one. */
static char *environment(const char *name)
{
	const size_t length = strlen(name);

	for (char **entry = environ; entry != NULL && *entry != NULL; entry++)
		if (strncmp(*entry, name, length) == 0 &&
		    (*entry)[length] == '=')
			return *entry + length + 1;
	return NULL;
}

static struct process *start(void)
{
	uint32_t expected = STAGE_NONE;

	/* Acq_rel: one caller makes it; the others see it unfinished. */
	if (!swap_if_acq_rel_u32(&stage, &expected, STAGE_STARTING))
		return NULL;
	process_open(&the_process, environment);
	/* Release: all of the_process, before any hook of any thread uses it. */
	store_release_u32(&stage, STAGE_READY);
	return &the_process;
}

struct process *hook_process(void)
{
	/* Acquire: pairs with the release in start(), for this thread. */
	if (__builtin_expect(load_acquire_u32(&stage) == STAGE_READY, 1))
		return &the_process;
	return start();
}

__attribute__((constructor)) static void construct(void)
{
	next_find();
	clock_find();
	hook_process();
}

/* The sockets are about to close without a call that could be seen. */
__attribute__((destructor)) static void destruct(void)
{
	struct process *process = hook_process();

	if (process != NULL)
		process_end(process);
}

bool hook_covers(struct process *process, int fd, struct fd_facts *factsp)
{
	return process_facts(process, fd, factsp) == 0 && factsp->covered &&
	       !factsp->own_range;
}

bool hook_covers_surely(struct process *process, int fd,
			struct fd_facts *factsp)
{
	struct endpoint local;

	if (!hook_covers(process, fd, factsp))
		return false;
	/* The other descriptor of the socket may have been used. */
	if (!factsp->has_port && factsp->copied)
		return process_ask(process, fd, factsp) == 0 &&
		       factsp->covered && !factsp->own_range;
	if (!factsp->has_port)
		return true;
	if (factsp->loose && factsp->tried && hook_is_stream(factsp) &&
	    socket_is_closed(fd)) {
		process_drop_port(process, fd, factsp);
		return true;
	}

	const int result = socket_local(fd, &local);

	/* Where a filter forbids to ask, the cache is believed. */
	if (raw_is_filtered(result) ||
	    (result == 0 && local.port == factsp->port))
		return true;
	return process_ask(process, fd, factsp) == 0 && factsp->covered &&
	       !factsp->own_range;
}

bool hook_may_read(struct process *process, int fd,
		   const struct fd_facts *facts, const void *pointer,
		   size_t n_bytes)
{
	return readable_check(&process->readable, fd, facts->mptcp != 0,
			      pointer, n_bytes);
}

int hook_family(const struct sockaddr *address, socklen_t length)
{
	sa_family_t family = AF_UNSPEC;

	if (address != NULL && length >= sizeof(family))
		memcpy(&family, address, sizeof(family));
	return family;
}
