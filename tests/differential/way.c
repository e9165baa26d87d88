/* SPDX-License-Identifier: MIT */
#include "way.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/raw.h"

#define ERRNO_KEPT 1234
#define HANDLER_STACK_SIZE 8192

static struct order *shared; /* with a forked child */
static struct order *of_handler;
static char handler_stack[HANDLER_STACK_SIZE];

long way_raw(long number, const long a[6])
{
	return raw_program_call(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}

static void handle(int number)
{
	(void)number;

	const int error = errno;

	way_make(of_handler, PLACE_HERE);
	errno = error;
}

void way_init(void)
{
	const stack_t stack = {
		.ss_sp = handler_stack,
		.ss_size = sizeof(handler_stack),
	};
	struct sigaction action = { .sa_flags = SA_ONSTACK };

	action.sa_handler = handle;
	sigaltstack(&stack, NULL);
	sigaction(SIGUSR1, &action, NULL);
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (shared == MAP_FAILED) {
		perror("mmap");
		exit(99);
	}
}

static long by_libc(long number, const long a[6])
{
	switch (number) {
	case SYS_socket: return socket((int)a[0], (int)a[1], (int)a[2]);
	case SYS_close: return close((int)a[0]);
	case SYS_close_range:
		return close_range((unsigned int)a[0], (unsigned int)a[1], 0);
	case SYS_bind: return bind((int)a[0], (void *)a[1], (socklen_t)a[2]);
	case SYS_connect:
		return connect((int)a[0], (void *)a[1], (socklen_t)a[2]);
	case SYS_listen: return listen((int)a[0], (int)a[1]);
	case SYS_accept4:
		return accept4((int)a[0], (void *)a[1], (void *)a[2],
			       (int)a[3]);
	case SYS_sendto:
		if (a[4] == 0 && a[5] == 0)
			return send((int)a[0], (void *)a[1], (size_t)a[2],
				    (int)a[3]);
		return sendto((int)a[0], (void *)a[1], (size_t)a[2], (int)a[3],
			      (void *)a[4], (socklen_t)a[5]);
	case SYS_sendmsg: return sendmsg((int)a[0], (void *)a[1], (int)a[2]);
	case SYS_sendmmsg:
		return sendmmsg((int)a[0], (void *)a[1], (unsigned int)a[2],
				(int)a[3]);
	case SYS_recvmsg: return recvmsg((int)a[0], (void *)a[1], (int)a[2]);
	case SYS_shutdown: return shutdown((int)a[0], (int)a[1]);
	case SYS_setsockopt:
		return setsockopt((int)a[0], (int)a[1], (int)a[2], (void *)a[3],
				  (socklen_t)a[4]);
	case SYS_getsockopt:
		return getsockopt((int)a[0], (int)a[1], (int)a[2], (void *)a[3],
				  (void *)a[4]);
	case SYS_dup: return dup((int)a[0]);
	case SYS_fcntl: return fcntl((int)a[0], (int)a[1], a[2]);
	case CALL_DUP2: return dup2((int)a[0], (int)a[1]);
	case CALL_BINDRESVPORT: return bindresvport((int)a[0], (void *)a[1]);
	}
	errno = ENOSYS;
	return -1;
}

static void make(struct order *order)
{
	const long *a = order->arguments;

	if (order->form == FORM_RAW && order->number >= 0) {
		order->result = way_raw(order->number, a);
		return;
	}
	errno = ERRNO_KEPT;
	order->result = order->form == FORM_SYSCALL && order->number >= 0
				? syscall(order->number, a[0], a[1], a[2], a[3],
					  a[4], a[5])
				: by_libc(order->number, a);
	if (order->result < 0)
		order->result = -errno;
	/* That errno of bindresvport() tells whether it tried a used port. */
	else if (order->number != CALL_BINDRESVPORT)
		order->has_changed_errno = errno != ERRNO_KEPT;
}

static void make_in_child(struct order *order)
{
	*shared = *order;

	const pid_t pid = fork();

	if (pid == 0) {
		make(shared);
		_exit(0);
	}
	waitpid(pid, &shared->died_of, 0);
	*order = *shared;
}

__attribute__((noinline)) static void make_in_vfork_child(struct order *order)
{
	const pid_t pid = vfork();

	if (pid == 0) {
		make(order);
		_exit(0);
	}
	waitpid(pid, &order->died_of, 0);
}

static void *in_thread(void *order)
{
	make(order);
	return NULL;
}

/* On the smallest stack that there is. */
static void make_in_thread(struct order *order)
{
	pthread_t thread;
	pthread_attr_t attributes;

	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, PTHREAD_STACK_MIN);
	if (pthread_create(&thread, &attributes, in_thread, order) == 0)
		pthread_join(thread, NULL);
	pthread_attr_destroy(&attributes);
}

void way_make(struct order *order, enum place place)
{
	order->has_changed_errno = false;
	order->died_of = 0;
	switch (place) {
	case PLACE_FORK: make_in_child(order); break;
	case PLACE_VFORK: make_in_vfork_child(order); break;
	case PLACE_THREAD: make_in_thread(order); break;
	case PLACE_HANDLER:
		of_handler = order;
		raise(SIGUSR1);
		break;
	default: make(order);
	}
}

const char *way_text(const struct step *step)
{
	static const char *const places[N_PLACES] = {
		"", "fork: ", "vfork: ", "thread: ", "handler: ",
	};
	static const char *const forms[] = { "", "syscall: ", "raw: " };
	static char text[32];

	snprintf(text, sizeof(text), "%s%s", places[step->place],
		 forms[step->form]);
	return text;
}
