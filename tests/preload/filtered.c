/* SPDX-License-Identifier: MIT */
/*
 * filtered SCENARIO WAY LIST RANGE [CALL...]
 *
 * Puts a seccomp filter on itself and then does what SCENARIO says: prints the
 * result of each call, and how many of its sockets have a port in RANGE. LIST
 * is "only" (all but the CALLs kill), "none" (the CALLs kill) or "most" (all but
 * the CALLs say EPERM). A CALL is a number, a name as in words.c, or
 * NUMBER:LEVEL:NAME of getsockopt(2) or setsockopt(2). WAY is how the filter is
 * set: prctl, seccomp, tsync, libseccomp, or never. Edge cases 24, 41 and 42.
 *
 * The filter is a child's: its parent has the sockets too, and looks at their
 * ports. PR_SET_NO_NEW_PRIVS is the last call before the scenario for who
 * traces it.
 *
 * With the WAY "inherited" the program starts itself anew under the filter,
 * with FILTERED_PRELOAD as LD_PRELOAD, and has no child.
 */
#include "step.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "words.h"

#define SERVER "here:7600"
#define CLOSED "here:7601"
#define N_SOCKETS 6
#define MAX_INSTRUCTIONS 4096

/* --- the filter ----------------------------------------------------------- */

static struct sock_filter code[MAX_INSTRUCTIONS];
static struct sock_fprog program = { 0, code };

static void add(struct sock_filter instruction)
{
	code[program.len++] = instruction;
}

static void load(size_t at)
{
	add((struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
					 (uint32_t)at));
}

/* Goes on where they are the same, else jumps over so many. */
static void unless_equal(uint32_t value, uint8_t n_skipped)
{
	add((struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, 0,
					 n_skipped));
}

static void answer(uint32_t action)
{
	add((struct sock_filter)BPF_STMT(BPF_RET | BPF_K, action));
}

static void add_call(const char *text, uint32_t action)
{
	unsigned int call, level, name;

	load(offsetof(struct seccomp_data, nr));
	if (sscanf(text, "%u:%u:%u", &call, &level, &name) == 3) {
		unless_equal(call, 5);
		load(offsetof(struct seccomp_data, args[1]));
		unless_equal(level, 3);
		load(offsetof(struct seccomp_data, args[2]));
		unless_equal(name, 1);
	} else {
		char copy[64];

		snprintf(copy, sizeof(copy), "%s", text);
		words_read(copy);
		unless_equal((uint32_t)number(0), 1);
	}
	answer(action);
}

static void *find(void *library, const char *name)
{
	void *found = library != NULL ? dlsym(library, name) : NULL;

	must(found != NULL ? 0 : -1, name);
	return found;
}

/* As one does who is linked with libseccomp; its actions are the kernel's. */
static void set_by_library(uint32_t listed, uint32_t otherwise, char **calls)
{
	void *library = dlopen("libseccomp.so.2", RTLD_NOW);
	void *(*init)(uint32_t) = find(library, "seccomp_init");
	int (*add_rule)(void *, uint32_t, int, unsigned int,
			...) = find(library, "seccomp_rule_add");
	int (*load_all)(const void *) = find(library, "seccomp_load");
	void *context = init(otherwise);

	for (; *calls != NULL; calls++)
		must(add_rule(context, listed, atoi(*calls), 0), "a rule");
	must(load_all(context), "seccomp_load");
}

static void set_filter(const char *way, const char *list, char **calls)
{
	const bool is_none = strcmp(list, "none") == 0;
	const uint32_t listed = is_none ? SECCOMP_RET_KILL_PROCESS
					: SECCOMP_RET_ALLOW;
	const uint32_t otherwise = is_none ? SECCOMP_RET_ALLOW
				   : strcmp(list, "most") == 0
					   ? SECCOMP_RET_ERRNO | EPERM
					   : SECCOMP_RET_KILL_PROCESS;

	if (strcmp(way, "libseccomp") == 0) {
		set_by_library(listed, otherwise, calls);
		return;
	}
	for (; *calls != NULL; calls++)
		add_call(*calls, listed);
	answer(otherwise);
	must(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "no_new_privs");
	if (strcmp(way, "prctl") == 0)
		must(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program),
		     "prctl");
	else if (strcmp(way, "seccomp") == 0)
		must((int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0,
				  &program),
		     "seccomp");
	else if (strcmp(way, "tsync") == 0)
		must((int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER,
				  SECCOMP_FILTER_FLAG_TSYNC, &program),
		     "seccomp");
}

/* --- the scenarios -------------------------------------------------------- */

static char report[4096];
/* No stdio behind the filter: its calls are not the scenario's. */
static void say(const char *call, long result)
{
	const int error = result < 0 ? errno : 0;
	const size_t length = strlen(report);

	snprintf(report + length, sizeof(report) - length, "%s %s %d\n", call,
		 result < 0 ? "failed" : "done", error);
}

static const struct scenario {
	const char *name, *kind, *steps;
	bool is_own; /* of AF_UNIX: nothing of it is Berth's */
} scenarios[] = {
	{ "connect", "tcp4", "connect " SERVER, false },
	{ "connect6", "tcp6", "connect " SERVER, false },
	{ "reconnect", "tcp4", "connect " CLOSED ";connect " SERVER, false },
	{ "dup", "tcp4", "dup;connect " SERVER ";close", false },
	{ "bind", "tcp4", "bind here:0", false },
	{ "bind6", "tcp6", "bind here:0", false },
	{ "bind-connect", "tcp4", "bind here:0;connect " SERVER, false },
	{ "reuse", "tcp4", "set SOL_SOCKET SO_REUSEADDR 1;bind any:0", false },
	{ "listen", "tcp4", "listen 1", false },
	{ "udp-connect", "udp4", "connect " SERVER, false },
	{ "udp-bind", "udp6", "bind here:0", false },
	{ "sendto", "udp4", "sendto " SERVER " 0;sendto " SERVER " 0", false },
	{ "sendmsg", "udp6", "sendmsg " SERVER " 0", false },
	{ "unix", "tcp4",
	  "sendmsg null/len=0 0;sendto null/len=0 0;connect unix:none;"
	  "bind unix:none",
	  true },
};

/* On each socket. */
static void act(const struct scenario *scenario, const int *fds)
{
	for (int i = 0; i < N_SOCKETS; i++) {
		char copy[256], *rest = copy, *step;

		stage.fd = fds[i];
		snprintf(copy, sizeof(copy), "%s", scenario->steps);
		while ((step = strsep(&rest, ";")) != NULL)
			say(step, step_make(step));
	}
	(void)!write(STDOUT_FILENO, report, strlen(report));
}

/* --- both processes ------------------------------------------------------- */

/*
 * Half of the sockets come as they do from another process: no call has told of
 * them what they are.
 */
static int open_socket(const struct scenario *scenario, int i)
{
	int pair[2];

	if (scenario->is_own) {
		must(socketpair(AF_UNIX, SOCK_DGRAM, 0, pair), "socketpair");
		return i % 2 == 0 ? pair[0] : pass_to_self(pair[0]);
	}

	const int fd = open_kind(stage.kind);

	return i % 2 == 0 ? fd : pass_to_self(fd);
}

static void run_child(const struct scenario *scenario, const int *fds,
		      char **argv)
{
	set_filter(argv[2], argv[3], argv + 5);
	act(scenario, fds);
	for (int i = 0; i < N_SOCKETS; i++)
		close(fds[i]);
	exit(0);
}

static int count_inside(const int *fds, const char *range)
{
	int n_inside = 0;

	for (int i = 0; i < N_SOCKETS; i++)
		n_inside += range_has(range, local_port(fds[i]));
	return n_inside;
}

static void start_anew(char **argv)
{
	const char *preload = getenv("FILTERED_PRELOAD");
	static char way[] = "alone";

	if (preload != NULL)
		setenv("LD_PRELOAD", preload, 1);
	set_filter("prctl", argv[3], argv + 5);
	argv[2] = way;
	execv("/proc/self/exe", argv);
	must(-1, "execv");
}

static int run_alone(const struct scenario *scenario, const int *fds,
		     const char *range)
{
	char line[32];

	act(scenario, fds);
	snprintf(line, sizeof(line), "ports %d\n", count_inside(fds, range));
	(void)!write(STDOUT_FILENO, line, strlen(line));
	return 0;
}

/* The sockets are the child's; where it has closed them, they are here. */
static int end(const int *fds, const char *range)
{
	int status;

	must(wait(&status), "wait");
	printf("ports %d\n", count_inside(fds, range));
	if (WIFSIGNALED(status))
		printf("ended by signal %d\n", WTERMSIG(status));
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

int main(int argc, char **argv)
{
	const struct scenario *scenario = scenarios;
	int fds[N_SOCKETS];

	if (argc < 5) {
		for (size_t i = 0; i < sizeof(scenarios) / sizeof(*scenarios);
		     i++)
			puts(scenarios[i].name);
		return argc == 1 ? 0 : 2;
	}
	if (strcmp(argv[2], "inherited") == 0)
		start_anew(argv);
	while (strcmp(scenario->name, argv[1]) != 0)
		scenario++;
	stage.kind = step_kind(scenario->kind);
	step_serve(SERVER);
	for (int i = 0; i < N_SOCKETS; i++)
		fds[i] = open_socket(scenario, i);
	if (strcmp(argv[2], "alone") == 0)
		return run_alone(scenario, fds, argv[4]);
	if (must(fork(), "fork") == 0)
		run_child(scenario, fds, argv);
	return end(fds, argv[4]);
}
