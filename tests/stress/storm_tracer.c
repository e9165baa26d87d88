/* SPDX-License-Identifier: MIT */

/*
 * Holds a program up at random instructions of its calls on sockets: for
 * stress_storm.py.
 *
 *     storm_tracer SEED PROGRAM ARGUMENT...
 *
 * From now and then a system call on, the program is moved on by a random number
 * of single instructions. There it stands: "held" on standard output. A line
 * on standard input lets it go on; the end of standard input kills it.
 */

#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/ptrace.h>

#include "stepper.h"

#define MAX_STEPS_ON 800u
#define RARELY 40u /* one call of so many */

static struct stepped program;
static unsigned int seed;

static unsigned int random_below(unsigned int n)
{
	return (unsigned int)rand_r(&seed) / 7 % n;
}

static void start(void *argv)
{
	setenv("LD_PRELOAD", getenv("STORM_PRELOAD"), 1);
	execv(*(char **)argv, argv);
	_exit(127);
}

/* Moves it on. Returns the signal that it is to have, or exits as it does. */
static int move_on(int request, int signal)
{
	if (stepped_move(&program, request, signal))
		return stepped_signal(&program);
	exit(WIFEXITED(program.status) ? WEXITSTATUS(program.status)
				       : 128 + WTERMSIG(program.status));
}

static bool is_about_sockets(void)
{
	struct ptrace_syscall_info info;

	if (ptrace(PTRACE_GET_SYSCALL_INFO, program.pid, sizeof(info), &info) <=
		    0 ||
	    info.op != PTRACE_SYSCALL_INFO_ENTRY)
		return false;
	switch (info.entry.nr) {
	case SYS_bind:
	case SYS_connect:
	case SYS_listen:
	case SYS_setsockopt:
	case SYS_getsockname:
	case SYS_sendto:
	case SYS_close:
	case SYS_dup3:
	case SYS_fcntl: return true;
	default: return false;
	}
}

static void hold(void)
{
	char line[16];

	printf("held\n");
	fflush(stdout);
	if (fgets(line, sizeof(line), stdin) != NULL)
		return;
	stepped_kill(&program);
	exit(0);
}

int main(int argc, char *argv[])
{
	int signal = 0;

	if (argc < 3)
		return 2;
	if (stepper_open() != NULL)
		return 77;
	seed = (unsigned int)strtoul(argv[1], NULL, 10);
	stepped_start(&program, 0, start, argv + 2);
	if (program.gone)
		return WEXITSTATUS(program.status);
	ptrace(PTRACE_SETOPTIONS, program.pid, NULL,
	       PTRACE_O_EXITKILL | PTRACE_O_TRACESYSGOOD);
	for (;;) {
		signal = move_on(PTRACE_SYSCALL, signal);
		if (signal != 0 || !is_about_sockets() ||
		    random_below(RARELY) != 0)
			continue;
		for (unsigned int i = random_below(MAX_STEPS_ON); i > 0; i--)
			signal = move_on(PTRACE_SINGLESTEP, signal);
		hold();
	}
}
