/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What the hooked calls have in common. Nothing here locks, allocates or
 * writes; all of it may run in a signal handler, in a vfork child, before this
 * library's constructor and after its destructor.
 */

#include <stdbool.h>
#include <sys/socket.h>

#include "assign/call.h"
#include "base/atomics.h"
#include "process/process.h"

#define HOOK __attribute__((visibility("default")))

enum hook_stage { HOOK_NONE, HOOK_STARTING, HOOK_READY };

/* For hook_process() alone. */
extern atomic_u32 hook_stage;
extern struct process the_process;
struct process *hook_start(void);

/*
 * This process's Berth, made on first use. NULL while another thread, or the
 * code that a signal handler has interrupted, is making it: the call is then
 * made as it is. Inline: close() of a file costs little else.
 */
static inline struct process *hook_process(void)
{
	/* Acquire: pairs with the release in hook_start(), for this thread. */
	if (__builtin_expect(load_acquire_u32(&hook_stage) == HOOK_READY, 1))
		return &the_process;
	return hook_start();
}

/* Makes a call by call_run(); where there is no Berth yet, as it is. */
long hook_run(struct call *call);

/* A call of hooks.def that is made as it is, whatever port it gets. */
struct plain_call {
	struct call call; /* first: make() is given its address */
	long number;	  /* SYS_listen, and so on */
	long words[6];	  /* the parameters, as syscall(2) takes them */
};

/* make() of a plain call. */
long hook_make(const struct call *call, uint16_t port);

/*
 * The facts of a descriptor to which Berth assigns ports. Returns false for all
 * others, for sockets to which the program has given a range, and for what is
 * no socket: their calls are made as they are.
 */
bool hook_covers(struct process *process, int fd, struct fd_facts *factsp);

/* What the cache knows of a descriptor; nothing is asked. */
struct fd_facts hook_known_facts(int fd);

/* --- calls that one hook makes by way of another -------------------------- */

/*
 * bind(2) as its hook makes it. is_chosen: Berth has chosen the port in the
 * address, and nothing is refused. Returns 0 or -errno.
 */
int bind_hooked(int fd, const struct sockaddr *address, socklen_t length,
		bool is_chosen);

/* seccomp(2), which libc has no function for, with libc's result and errno. */
long seccomp_hooked(unsigned int operation, unsigned int flags,
		    const void *argument);

/*
 * setsockopt(2) and getsockopt(2) with level IPPROTO_SCTP, by which libsctp binds
 * and connects; after hook_process() has returned a process. Return false for an
 * option or a socket that Berth does not handle; else the call was made, and
 * *resultp is its result, or -errno.
 */
bool sctp_setsockopt(int fd, int name, const void *value, socklen_t length,
		     long *resultp);
bool sctp_getsockopt(int fd, int name, void *value, socklen_t *lengthp,
		     long *resultp);
