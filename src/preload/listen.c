/* SPDX-License-Identifier: MIT */
#include "core/assign.h"
#include "core/refusal.h"
#include "preload/hook.h"
#include "preload/next.h"
#include "preload/sctp.h"

struct listen_call {
	struct program_call call;	/* first: make() is given its address */
	int fd, backlog;
};

static long make_listen(const struct program_call *call)
{
	const struct listen_call *self = (const struct listen_call *)call;
	const int saved_errno = errno;

	return hook_plain_result(next.listen(self->fd, self->backlog),
				 saved_errno);
}

static long listen_sctp(struct process *process, int fd, struct fd_facts *facts,
			int backlog)
{
	const struct listen_call self = { { make_listen }, fd, backlog };
	const long result = assign_call(process, fd, facts, CALL_LISTEN, NULL,
					&self.call);

	return result == -EADDRINUSE ? -EAGAIN : result;
}

static int listen_without_port(struct process *process, int fd,
			       struct fd_facts *facts, int backlog)
{
	struct policy policy;
	int result;

	process_policy(process, &policy);
	result = refusal_without_arena(process, &policy, CALL_LISTEN,
				       (enum space)facts->space);
	if (result == 0 && policy.settings[SETTING_MODE] == MODE_ENFORCE &&
	    sctp_is(facts))
		return (int)hook_result(listen_sctp(process, fd, facts,
						    backlog));
	if (result == 0 && policy.settings[SETTING_MODE] == MODE_ENFORCE)
		result = assign_implicit(process, fd, facts, ROLE_OF_LISTEN);
	if (result == -EADDRINUSE || result == -EACCES)
		return (int)hook_result(result);
	result = next.listen(fd, backlog);
	if (result == 0 && !facts->has_port)
		assign_observe(process, &policy, fd, facts, ROLE_OF_LISTEN,
			       CALL_LISTEN);
	return result;
}

/* With a backlog of 0, SCTP stops to listen, and takes no port for it. */
static bool takes_port(const struct fd_facts *facts, int backlog)
{
	return !facts->has_port &&
	       (sctp_is(facts) ? backlog != 0 : hook_is_stream(facts));
}

HOOK int listen(int fd, int backlog)
{
	struct process *process = hook_process();
	struct fd_facts facts;

	if (process == NULL || !hook_covers_surely(process, fd, &facts) ||
	    !takes_port(&facts, backlog))
		return next.listen(fd, backlog);
	return listen_without_port(process, fd, &facts, backlog);
}
