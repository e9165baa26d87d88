/* SPDX-License-Identifier: MIT */
/*
 * cancel RANGE: threads that are cancelled at hooked calls. What POSIX has as a
 * cancellation point stays one, nothing else becomes one, and the port goes
 * with the socket that the thread's cleanup closes.
 *
 * A cancellation may be pending when the call is made, or come while it blocks.
 */
#include "probe.h"

#include <fcntl.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>

#define OPEN_PORT 7100
#define FULL_PORT 7101
#define N_ROUNDS 20

static const char *range;
static const struct kind *kind;

struct task {
	const char *name;
	int type;
	void (*prepare)(int fd); /* beforehand, or NULL */
	long (*call)(int fd);
	bool cancels;  /* POSIX: a cancellation point */
	long waits_in; /* the system call; 0 = it does not wait */
};

/* A thread that makes one call. */
struct victim {
	const struct task *task;
	int fd;
	_Atomic pid_t thread;
	_Atomic bool is_cancelled;
};

/* --- the calls ------------------------------------------------------------ */

static struct address to(uint16_t port)
{
	return loopback_of(kind, port);
}

static void connect_open(int fd)
{
	must(connect_to(fd, to(OPEN_PORT)), "connect");
}

static void bind_any(int fd)
{
	must(bind_to(fd, any_of(kind, 0)), "bind");
}

static void listen_any(int fd)
{
	must(listen(fd, 1), "listen");
}

/* A close that waits for data to go which nobody takes. */
static void fill_and_linger(int fd)
{
	const struct linger linger = { .l_onoff = 1, .l_linger = 1000 };
	static char data[65536];

	connect_open(fd);
	while (send(fd, data, sizeof(data), MSG_DONTWAIT) > 0)
		;
	must(setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger)),
	     "SO_LINGER");
}

static long send_header(int fd, bool several)
{
	struct address address = to(OPEN_PORT);
	struct iovec part = { .iov_base = (char[]){ "x" }, .iov_len = 1 };
	struct mmsghdr header = { .msg_hdr = {
					  .msg_name = &address.sa,
					  .msg_namelen = address.length,
					  .msg_iov = &part,
					  .msg_iovlen = 1,
				  } };

	return several ? sendmmsg(fd, &header, 1, 0)
		       : sendmsg(fd, &header.msg_hdr, 0);
}

static long get_option(int fd)
{
	int value;
	socklen_t length = sizeof(value);

	return getsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &value, &length);
}

static long open_and_close(void)
{
	return close_range((unsigned int)socket(AF_INET, SOCK_STREAM, 0), ~0u,
			   0);
}

static long make_copies(int fd)
{
	const int first = dup(fd), second = fcntl(fd, F_DUPFD_CLOEXEC, 100);

	dup2(fd, first);
	dup3(fd, second, O_CLOEXEC);
	return close_range((unsigned int)first, (unsigned int)first, 0) |
	       close_range((unsigned int)second, (unsigned int)second, 0);
}

#define OPEN to(OPEN_PORT)
#define FULL to(FULL_PORT)

/*
 * Name, what it is; the type of its socket; what is done beforehand; the call;
 * whether POSIX has it as a cancellation point; the system call that it waits in.
 */
#define TASKS(TASK) \
	TASK(connect, "connect", STREAM, NULL, connect_to(fd, OPEN), true, 0) \
	TASK(connect_bound, "connect of a bound socket", STREAM, bind_any, \
	     connect_to(fd, OPEN), true, 0) \
	TASK(connect_datagram, "connect of a datagram socket", DGRAM, NULL, \
	     connect_to(fd, OPEN), true, 0) \
	TASK(sendto, "sendto", DGRAM, NULL, send_to(fd, OPEN, 0), true, 0) \
	TASK(sendmsg, "sendmsg", DGRAM, NULL, send_header(fd, false), true, 0) \
	TASK(sendmmsg, "sendmmsg", DGRAM, NULL, send_header(fd, true), true, \
	     0) \
	TASK(close_connection, "close of a connection", STREAM, connect_open, \
	     close(fd), true, 0) \
	TASK(close_bound, "close of a bound socket", DGRAM, bind_any, \
	     close(fd), true, 0) \
	TASK(close_listener, "close of a listener", STREAM, listen_any, \
	     close(fd), true, 0) \
	TASK(accept, "accept", STREAM, listen_any, accept(fd, NULL, NULL), \
	     true, 0) \
	TASK(connect_waits, "connect, while it waits", STREAM, NULL, \
	     connect_to(fd, FULL), true, SYS_connect) \
	TASK(connect_bound_waits, "connect of a bound socket, while it waits", \
	     STREAM, bind_any, connect_to(fd, FULL), true, SYS_connect) \
	TASK(send_waits, "a send that connects, while it waits", STREAM, NULL, \
	     send_to(fd, FULL, MSG_FASTOPEN), true, SYS_sendto) \
	TASK(accept_waits, "accept, while it waits", STREAM, listen_any, \
	     accept(fd, NULL, NULL), true, SYS_accept) \
	TASK(close_lingers, "close, while it lingers", STREAM, \
	     fill_and_linger, close(fd), true, SYS_close) \
	TASK(bind, "bind", STREAM, NULL, bind_to(fd, any_of(kind, 0)), false, \
	     0) \
	TASK(listen, "listen", STREAM, NULL, listen(fd, 1), false, 0) \
	TASK(setsockopt, "setsockopt", STREAM, NULL, \
	     set_int(fd, SOL_SOCKET, SO_REUSEADDR, 1), false, 0) \
	TASK(getsockopt, "getsockopt", STREAM, NULL, get_option(fd), false, 0) \
	TASK(socket, "socket and close_range", STREAM, NULL, \
	     ((void)fd, open_and_close()), false, 0) \
	TASK(copies, "dup, dup2, dup3 and fcntl", STREAM, bind_any, \
	     make_copies(fd), false, 0)

#define DEFINE(id, name, type, prepare, call, cancels, waits_in) \
	static long call_##id(int fd) \
	{ \
		return (call); \
	}
#define LIST(id, name, type, prepare, call, cancels, waits_in) \
	{ name, SOCK_##type, prepare, call_##id, cancels, waits_in },

TASKS(DEFINE)

static const struct task tasks[] = { TASKS(LIST) };

/* --- one call ------------------------------------------------------------- */

static void close_after(void *argument)
{
	/* A close that lingered has closed it already. */
	close(((const struct victim *)argument)->fd);
}

static void *be_cancelled(void *argument)
{
	struct victim *victim = argument;
	int state;

	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &state);
	pthread_cleanup_push(close_after, victim);
	victim->thread = gettid();
	while (!victim->task->waits_in && !victim->is_cancelled)
		sched_yield();
	pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, &state);
	victim->task->call(victim->fd);
	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &state);
	pthread_cleanup_pop(fcntl(victim->fd, F_GETFD) >= 0);
	return NULL;
}

/* Waits until a thread does, in a system call: /proc/PID/syscall, proc(5). */
static void await(const struct victim *victim)
{
	char path[64], text[16];
	long number;

	do {
		sched_yield();
		snprintf(path, sizeof(path), "/proc/self/task/%d/syscall",
			 victim->thread);

		FILE *file = victim->thread ? fopen(path, "re") : NULL;

		number = file && fgets(text, sizeof(text), file) &&
					 text[0] != 'r'
				 ? atol(text)
				 : -1;
		if (file)
			fclose(file);
	} while (number != victim->task->waits_in);
}

static void check_range(const struct task *task, int fd)
{
	if (!range_has(range, local_port(fd)))
		check(false, "%s: port %u", task->name, local_port(fd));
}

/* Returns whether the thread was cancelled. */
static bool run(const struct task *task)
{
	struct victim victim = { .task = task,
				 .fd = must(socket(kind->family, task->type, 0),
					    "socket") };
	pthread_t id;
	void *result;

	if (task->prepare)
		task->prepare(victim.fd);
	must(-pthread_create(&id, NULL, be_cancelled, &victim), "thread");
	if (task->waits_in)
		await(&victim);
	if (task->waits_in == SYS_connect)
		check_range(task, victim.fd);
	pthread_cancel(id);
	victim.is_cancelled = true;
	pthread_join(id, &result);
	return result == PTHREAD_CANCELED;
}

static void repeat(const struct task *task)
{
	int n_cancelled = 0;

	for (int round = 0; round < N_ROUNDS; round++)
		n_cancelled += run(task);
	check(n_cancelled == (task->cancels ? N_ROUNDS : 0),
	      "%s, %s: %d of %d are cancelled", kind->name, task->name,
	      n_cancelled, N_ROUNDS);
}

/* A listener that takes no connection (any more). */
static void listen_at(uint16_t port, int backlog)
{
	const int fd = open_kind(kind);

	must(bind_to(fd, loopback_of(kind, port)), "bind");
	must(listen(fd, backlog), "listen");
	/* One more than the backlog are taken: sk_acceptq_is_full(). */
	if (backlog == 0)
		must(connect_to(open_kind(kind), loopback_of(kind, port)),
		     "connect");
}

int main(int argc, char **argv)
{
	static const int used[] = { TCP4, TCP6 };

	if (argc != 2)
		return 2;
	range = argv[1];
	for (size_t i = 0; i < 2; i++) {
		kind = &kinds[used[i]];
		listen_at(OPEN_PORT, 4096);
		listen_at(FULL_PORT, 0);
		for (size_t j = 0; j < sizeof(tasks) / sizeof(*tasks); j++)
			repeat(&tasks[j]);
	}
	return 0;
}
