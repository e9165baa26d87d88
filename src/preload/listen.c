/* SPDX-License-Identifier: MIT */
#include "core/assign.h"
#include "core/refusal.h"
#include "preload/hook.h"
#include "preload/next.h"

static int listen_without_port(struct process *process, int fd,
			       struct fd_facts *facts, int backlog)
{
	struct policy policy;
	int result;

	process_policy(process, &policy);
	result = refusal_without_arena(process, &policy, CALL_LISTEN,
				       (enum space)facts->space);
	if (result == 0 && policy.settings[SETTING_MODE] == MODE_ENFORCE)
		result = assign_implicit(process, fd, facts, ROLE_OF_LISTEN);
	if (result == -EADDRINUSE || result == -EACCES)
		return (int)hook_result(result);
	result = next.listen(fd, backlog);
	if (result == 0 && policy.settings[SETTING_MODE] == MODE_OBSERVE)
		assign_observe(process, &policy, fd, facts, ROLE_OF_LISTEN,
			       CALL_LISTEN);
	return result;
}

HOOK int listen(int fd, int backlog)
{
	struct process *process = hook_process();
	struct fd_facts facts;

	if (process == NULL || !hook_covers_surely(process, fd, &facts) ||
	    !hook_is_stream(&facts) || facts.has_port)
		return next.listen(fd, backlog);
	return listen_without_port(process, fd, &facts, backlog);
}
