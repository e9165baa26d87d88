/* SPDX-License-Identifier: MIT */
/*
 * A library that opens sockets before libberth.so's constructor has run (it is
 * listed after it in LD_PRELOAD, so the linker initialises it first), and again
 * when libberth.so's destructor has. Edge case 21.
 */
#include "step.h"

#include <stdlib.h>
#include <string.h>

/* Of a kind each. The descriptors are those of the scene, from 0. */
static const char *const streams[] = {
	"open", "connect here:7700", "inside", "open", "bind any:0", "inside",
	/* Copies of a descriptor, made and closed in each way that there is. */
	"sys.socket AF_INET SOCK_STREAM 0", "listen 1", "inside", "dup2 @2",
	"dup2 100 =100", "dup3 101 O_CLOEXEC =101", "fcntl F_GETFD =1",
	"fcntl F_DUPFD 100 =102", "inside", "dup", "inside",
	"close_range 100 101 0", "fd 100", "fcntl F_GETFD =EBADF", "fd 102",
	"fcntl F_GETFD =0", "dup2 110 =110", "closefrom 100",
	"fcntl F_GETFD =EBADF", "fd FD_HUGE", "dup2 FD_HUGE =EBADF", NULL
};
static const char *const datagrams[] = { "open",
					 "sendto here:7700 0 =1",
					 "inside",
					 "open",
					 "sendmsg here:7700 0 =1",
					 "inside",
					 "open",
					 "sendmmsg here:7700 2 0 =2",
					 "inside",
					 "get SOL_SOCKET SO_TYPE",
					 "set SOL_SOCKET SO_BROADCAST 1",
					 NULL };

/* stdio may be gone by then: only write(2). */
static void play(const char *const *steps, const char *when)
{
	for (; *steps != NULL; steps++) {
		const char *said = step_judge(*steps);
		char line[256];

		strcpy(line, said == NULL ? "ok " : "not ok ");
		strcat(strcat(strcat(line, *steps), " "), when);
		strcat(strcat(line, said == NULL ? "" : ": "),
		       said == NULL ? "" : said);
		strcat(line, "\n");
		if (write(1, line, strlen(line)) < 0)
			_exit(98);
	}
	step_end();
}

static void use_sockets(const char *when)
{
	stage.range = getenv("EARLY_RANGE");
	if (!stage.range)
		return;
	stage.kind = &kinds[TCP4];
	step_serve("here:7700");
	play(streams, when);
	stage.kind = &kinds[UDP4];
	play(datagrams, when);
	step_close_servers();
}

static void at_exit(void)
{
	use_sockets("in atexit");
}

__attribute__((constructor)) static void start(void)
{
	atexit(at_exit);
	use_sockets("before the constructor");
}

__attribute__((destructor)) static void end(void)
{
	use_sockets("after the destructor");
}
