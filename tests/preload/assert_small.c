/* SPDX-License-Identifier: MIT */
/*
 * assert_small RANGE [dry]: calls that take a port, on stacks as small as
 * programs make them: a thread of PTHREAD_STACK_MIN, 16 KiB, and a signal
 * handler on an alternate stack of 8 KiB. Below each lies a pattern where a
 * guard page would be: what runs over the end of the stack is seen, and no
 * other memory is lost. With "dry", no port of the range is left. Edge case 48.
 */
#include "probe.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define GUARD_SIZE ((size_t)256 * 1024)
#define THREAD_STACK_SIZE ((size_t)16 * 1024)
#define HANDLER_STACK_SIZE ((size_t)8 * 1024)
#define PATTERN 0x5a
#define OPEN_PORT 7700
#define MAX_HOLDERS 64

/* What the calls are given and what they give: none of it is on the stack. */
struct call {
	const char *name;
	int kind;
	long (*make)(struct call *call);
	struct address address;
	int fd;
	long result;
	int error;
};

static long call_bind(struct call *call)
{
	return bind(call->fd, &call->address.sa, call->address.length);
}

static long call_listen(struct call *call)
{
	return listen(call->fd, 1);
}

static long call_connect(struct call *call)
{
	return connect(call->fd, &call->address.sa, call->address.length);
}

static long call_send(struct call *call)
{
	return sendto(call->fd, "x", 1, MSG_NOSIGNAL, &call->address.sa,
		      call->address.length);
}

static struct call calls[] = {
	{ .name = "bind", .kind = TCP4, .make = call_bind },
	{ .name = "bind", .kind = TCP6, .make = call_bind },
	{ .name = "bind", .kind = UDP4, .make = call_bind },
	{ .name = "listen", .kind = TCP4, .make = call_listen },
	{ .name = "connect", .kind = TCP4, .make = call_connect },
	{ .name = "connect", .kind = TCP6, .make = call_connect },
	{ .name = "connect", .kind = UDP4, .make = call_connect },
	{ .name = "send", .kind = UDP4, .make = call_send },
};
#define N_CALLS ((int)(sizeof(calls) / sizeof(calls[0])))

static void make_calls(void)
{
	for (int i = 0; i < N_CALLS; i++) {
		errno = 0;
		calls[i].result = calls[i].make(&calls[i]);
		calls[i].error = errno;
	}
}

/* --- the stacks ----------------------------------------------------------- */

/* Returns the stack; below it lies the pattern. */
static char *make_stack(size_t size)
{
	char *memory = mmap(NULL, GUARD_SIZE + size, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	must(memory == MAP_FAILED ? -1 : 0, "mmap");
	memset(memory, PATTERN, GUARD_SIZE + size);
	return memory + GUARD_SIZE;
}

/* How many bytes below the stack have changed, counted from the lowest. */
static size_t overrun(const char *stack)
{
	const char *lowest = stack - GUARD_SIZE;

	while (lowest < stack && *lowest == PATTERN)
		lowest++;
	return (size_t)(stack - lowest);
}

static void *run(void *nothing)
{
	make_calls();
	return nothing;
}

static char *run_in_thread(void)
{
	char *stack = make_stack(THREAD_STACK_SIZE);
	pthread_attr_t attributes;
	pthread_t thread;

	pthread_attr_init(&attributes);
	must(-pthread_attr_setstack(&attributes, stack, THREAD_STACK_SIZE),
	     "pthread_attr_setstack");
	must(-pthread_create(&thread, &attributes, run, NULL),
	     "pthread_create");
	must(-pthread_join(thread, NULL), "pthread_join");
	return stack;
}

static void handle(int number)
{
	(void)number;
	make_calls();
}

static char *run_in_handler(void)
{
	char *stack = make_stack(HANDLER_STACK_SIZE);
	const stack_t small = { .ss_sp = stack, .ss_size = HANDLER_STACK_SIZE };
	const struct sigaction action = { .sa_handler = handle,
					  .sa_flags = SA_ONSTACK };

	must(sigaltstack(&small, NULL), "sigaltstack");
	must(sigaction(SIGUSR1, &action, NULL), "sigaction");
	must(raise(SIGUSR1), "raise");
	return stack;
}

/* --- before and after ----------------------------------------------------- */

static void use_up(const struct kind *kind)
{
	for (int i = 0; i < MAX_HOLDERS; i++)
		if (bind_to(open_kind(kind), any_of(kind, 0)) < 0)
			return;
	must(-1, "a range that is used up");
}

static void open_all(void)
{
	for (int i = 0; i < N_CALLS; i++) {
		const struct kind *kind = &kinds[calls[i].kind];

		calls[i].fd = open_kind(kind);
		calls[i].address = calls[i].make == call_bind
					   ? any_of(kind, 0)
					   : loopback_of(kind, OPEN_PORT);
	}
}

static void judge(const char *where, const char *range, bool is_dry)
{
	for (int i = 0; i < N_CALLS; i++) {
		const struct call *call = &calls[i];
		const char *name = kinds[call->kind].name;
		const bool is_exhausted = call->result < 0 &&
					  (call->error == EADDRINUSE ||
					   call->error == EAGAIN ||
					   call->error == EADDRNOTAVAIL);

		if (is_dry)
			check(is_exhausted, "%s: %s %s finds no port, %s",
			      where, name, call->name, strerror(call->error));
		else
			check(call->result >= 0 &&
				      range_has(range, local_port(call->fd)),
			      "%s: %s %s gets a port of the range", where, name,
			      call->name);
		close(call->fd);
	}
}

static void play(const char *where, char *(*run_calls)(void), const char *range,
		 bool is_dry)
{
	open_all();

	const size_t n = overrun(run_calls());

	check(n == 0, "%s: no byte below the stack is changed (%zu)", where, n);
	judge(where, range, is_dry);
}

int main(int argc, char **argv)
{
	const bool is_dry = argc > 2 && strcmp(argv[2], "dry") == 0;

	if (argc < 2)
		return 2;
	start_server(&kinds[TCP4], loopback_of(&kinds[TCP4], OPEN_PORT));
	start_server(&kinds[TCP6], loopback_of(&kinds[TCP6], OPEN_PORT));
	if (is_dry) {
		use_up(&kinds[TCP6]);
		use_up(&kinds[UDP6]);
	}
	play("a thread of 16 KiB", run_in_thread, argv[1], is_dry);
	play("a handler on 8 KiB", run_in_handler, argv[1], is_dry);
	return 0;
}
