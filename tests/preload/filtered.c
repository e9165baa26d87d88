/* SPDX-License-Identifier: MIT */
/*
 * filtered SCENARIO WAY LIST RANGE [CALL...]
 *
 * Puts a seccomp filter on itself and then does what SCENARIO says: prints the
 * result of each call, and how many of its sockets have a port in RANGE. LIST
 * is "only" (all but the CALLs kill) or "none" (the CALLs kill). A CALL is a
 * number, or NUMBER:LEVEL:NAME of getsockopt(2) or setsockopt(2). WAY is how
 * the filter is set: prctl, seccomp, tsync, libseccomp, or never. Edge cases
 * 24, 41 and 42.
 *
 * The filter is a child's: its parent has the sockets too, and looks at their
 * ports. PR_SET_NO_NEW_PRIVS is the last call before the scenario for who
 * traces it.
 *
 * With the WAY "inherited" the program starts itself anew under the filter,
 * with FILTERED_PRELOAD as LD_PRELOAD, and has no child.
 */
#include "probe.h"

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

#define SERVER_PORT 7600
#define CLOSED_PORT 7601
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
	unsigned int number, level, name;

	load(offsetof(struct seccomp_data, nr));
	if (sscanf(text, "%u:%u:%u", &number, &level, &name) == 3) {
		unless_equal(number, 5);
		load(offsetof(struct seccomp_data, args[1]));
		unless_equal(level, 3);
		load(offsetof(struct seccomp_data, args[2]));
		unless_equal(name, 1);
	} else {
		unless_equal((uint32_t)atoi(text), 1);
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

static void set_filter(const char *way, bool only, char **calls)
{
	const uint32_t listed = only ? SECCOMP_RET_ALLOW
				     : SECCOMP_RET_KILL_PROCESS;

	if (strcmp(way, "libseccomp") == 0) {
		set_by_library(listed,
			       only ? SECCOMP_RET_KILL_PROCESS
				    : SECCOMP_RET_ALLOW,
			       calls);
		return;
	}
	for (; *calls != NULL; calls++)
		add_call(*calls, listed);
	answer(only ? SECCOMP_RET_KILL_PROCESS : SECCOMP_RET_ALLOW);
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
static char a_byte[1];

/* No stdio behind the filter: its calls are not the scenario's. */
static void say(const char *call, long result)
{
	const int error = result < 0 ? errno : 0;
	const size_t length = strlen(report);

	snprintf(report + length, sizeof(report) - length, "%s %s %d\n", call,
		 result < 0 ? "failed" : "done", error);
}

static struct address server_of(const struct kind *kind)
{
	return loopback_of(kind, SERVER_PORT);
}

static void do_connect(const struct kind *kind, int fd)
{
	say("connect", connect_to(fd, server_of(kind)));
}

static void do_reconnect(const struct kind *kind, int fd)
{
	say("connect", connect_to(fd, loopback_of(kind, CLOSED_PORT)));
	say("connect", connect_to(fd, server_of(kind)));
}

static void do_bind(const struct kind *kind, int fd)
{
	say("bind", bind_to(fd, loopback_of(kind, 0)));
}

static void do_bind_connect(const struct kind *kind, int fd)
{
	say("bind", bind_to(fd, loopback_of(kind, 0)));
	say("connect", connect_to(fd, server_of(kind)));
}

static void do_reuse(const struct kind *kind, int fd)
{
	say("SO_REUSEADDR", set_int(fd, SOL_SOCKET, SO_REUSEADDR, 1));
	say("bind", bind_to(fd, any_of(kind, 0)));
}

static void do_listen(const struct kind *kind, int fd)
{
	say("listen", listen(fd, 1));
	(void)kind;
}

static void do_sendto(const struct kind *kind, int fd)
{
	say("sendto", send_to(fd, server_of(kind), 0));
	say("sendto", send_to(fd, server_of(kind), 0));
}

static void do_sendmsg(const struct kind *kind, int fd)
{
	struct address address = server_of(kind);
	struct iovec data = { a_byte, 1 };
	const struct msghdr message = {
		.msg_name = &address.sa,
		.msg_namelen = address.length,
		.msg_iov = &data,
		.msg_iovlen = 1,
	};

	say("sendmsg", sendmsg(fd, &message, 0));
}

static void do_dup(const struct kind *kind, int fd)
{
	const int copy = dup(fd);

	say("dup", copy);
	say("connect", connect_to(copy, server_of(kind)));
	say("close", close(copy));
}

/* Nothing of this is Berth's. */
static void do_unix(const struct kind *kind, int fd)
{
	struct address nowhere = { .un = { AF_UNIX, "/nonexistent/socket" },
				   .length = sizeof(nowhere.un) };
	struct iovec data = { a_byte, 1 };
	const struct msghdr message = { .msg_iov = &data, .msg_iovlen = 1 };

	(void)kind;
	say("sendmsg", sendmsg(fd, &message, 0));
	say("sendto", sendto(fd, "x", 1, 0, NULL, 0));
	say("connect", connect_to(fd, nowhere));
	say("bind", bind_to(fd, nowhere));
}

static const struct scenario {
	const char *name;
	int kind;
	void (*act)(const struct kind *kind, int fd);
	bool is_own; /* of AF_UNIX */
} scenarios[] = {
	{ "connect", TCP4, do_connect, false },
	{ "connect6", TCP6, do_connect, false },
	{ "reconnect", TCP4, do_reconnect, false },
	{ "dup", TCP4, do_dup, false },
	{ "bind", TCP4, do_bind, false },
	{ "bind-connect", TCP4, do_bind_connect, false },
	{ "reuse", TCP4, do_reuse, false },
	{ "listen", TCP4, do_listen, false },
	{ "udp-connect", UDP4, do_connect, false },
	{ "udp-bind", UDP6, do_bind, false },
	{ "sendto", UDP4, do_sendto, false },
	{ "sendmsg", UDP6, do_sendmsg, false },
	{ "unix", TCP4, do_unix, true },
};

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

	const int fd = open_kind(&kinds[scenario->kind]);

	return i % 2 == 0 ? fd : pass_to_self(fd);
}

static void run_child(const struct scenario *scenario, const int *fds,
		      char **argv)
{
	set_filter(argv[2], strcmp(argv[3], "only") == 0, argv + 5);
	for (int i = 0; i < N_SOCKETS; i++)
		scenario->act(&kinds[scenario->kind], fds[i]);
	(void)!write(STDOUT_FILENO, report, strlen(report));
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
	set_filter("prctl", strcmp(argv[3], "only") == 0, argv + 5);
	argv[2] = way;
	execv("/proc/self/exe", argv);
	must(-1, "execv");
}

static int run_alone(const struct scenario *scenario, const int *fds,
		     const char *range)
{
	char line[32];

	for (int i = 0; i < N_SOCKETS; i++)
		scenario->act(&kinds[scenario->kind], fds[i]);
	(void)!write(STDOUT_FILENO, report, strlen(report));
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
	start_server(&kinds[scenario->kind],
		     loopback_of(&kinds[scenario->kind], SERVER_PORT));
	for (int i = 0; i < N_SOCKETS; i++)
		fds[i] = open_socket(scenario, i);
	if (strcmp(argv[2], "alone") == 0)
		return run_alone(scenario, fds, argv[4]);
	if (must(fork(), "fork") == 0)
		run_child(scenario, fds, argv);
	return end(fds, argv[4]);
}
