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

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/ptrace.h>

#define MAX_STEPS 800u
#define RARELY 40u	/* one call of so many */

static pid_t child;
static unsigned int seed;

static unsigned int random_below(unsigned int n)
{
	return (unsigned int)rand_r(&seed) / 7 % n;
}

/* Moves the child on. Returns the signal that it stopped with, or exits with it. */
static int move_on(int how, int signal)
{
	int status;

	if (ptrace((enum __ptrace_request)how, child, NULL, (long)signal) != 0)
		exit(0);
	while (waitpid(child, &status, 0) < 0)
		if (errno != EINTR)
			exit(99);
	if (WIFEXITED(status))
		exit(WEXITSTATUS(status));
	if (WIFSIGNALED(status))
		exit(128 + WTERMSIG(status));
	return WSTOPSIG(status);
}

/* What is no stop of ours is the program's own signal. */
static int own_signal(int stop)
{
	return (stop & 0x7f) == SIGTRAP || stop == SIGSTOP ? 0 : stop;
}

static bool is_about_sockets(void)
{
	struct ptrace_syscall_info info;

	if (ptrace(PTRACE_GET_SYSCALL_INFO, child, sizeof(info), &info) <= 0 ||
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
	case SYS_fcntl:
		return true;
	default:
		return false;
	}
}

static int step_on(void)
{
	int signal = 0;

	for (unsigned int i = random_below(MAX_STEPS); i > 0; i--)
		signal = own_signal(move_on(PTRACE_SINGLESTEP, signal));
	return signal;
}

static void hold(void)
{
	char line[16];

	printf("held\n");
	fflush(stdout);
	if (fgets(line, sizeof(line), stdin) != NULL)
		return;
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	exit(0);
}

int main(int argc, char *argv[])
{
	int signal = 0;
	int status;

	if (argc < 3)
		return 2;
	seed = (unsigned int)strtoul(argv[1], NULL, 10);
	child = fork();
	if (child == 0) {
		if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) != 0)
			_exit(77);
		setenv("LD_PRELOAD", getenv("STORM_PRELOAD"), 1);
		execv(argv[2], argv + 2);
		_exit(127);
	}
	waitpid(child, &status, 0);
	if (!WIFSTOPPED(status))
		return WEXITSTATUS(status);
	ptrace(PTRACE_SETOPTIONS, child, NULL,
	       PTRACE_O_EXITKILL | PTRACE_O_TRACESYSGOOD);
	for (;;) {
		signal = own_signal(move_on(PTRACE_SYSCALL, signal));
		if (signal != 0 || !is_about_sockets() ||
		    random_below(RARELY) != 0)
			continue;
		signal = step_on();
		hold();
	}
}
