/* SPDX-License-Identifier: MIT */
#include "cli/bus_error.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stddef.h>

static sigjmp_buf before_work;

static void leave(int signal)
{
	(void)signal;
	/* The access that has caused it is no function that holds a lock. */
	siglongjmp(before_work, 1);
}

int bus_error_catch(int (*work)(void *context), void *context)
{
	const struct sigaction action = { .sa_handler = leave };
	struct sigaction old_action;
	sigset_t signals, old_signals;
	volatile int result = -EIO;

	sigemptyset(&signals);
	sigaddset(&signals, SIGBUS);
	sigaction(SIGBUS, &action, &old_action);
	sigprocmask(SIG_UNBLOCK, &signals, &old_signals);
	if (sigsetjmp(before_work, 1) == 0)
		result = work(context);
	sigprocmask(SIG_SETMASK, &old_signals, NULL);
	sigaction(SIGBUS, &old_action, NULL);
	return result;
}
