/* SPDX-License-Identifier: MIT */
/*
 * handlers RANGE: signal handlers that call hooked functions, while the thread
 * that they interrupt is inside the same ones. Every call has to do what it
 * does without a handler, none may wait for another, and none may allocate.
 * Edge cases 22 and 23.
 *
 * Two threads are interrupted by a timer of the process and by pthread_kill()
 * from a third. The program's own allocator is a hooked call's nightmare: it
 * opens, binds and closes a socket each time, and counts who allocates within a
 * hooked call.
 */
#include "probe.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>

#define OPEN_PORT 7000
#define N_ROUNDS 500
#define N_THREADS 2
#define TICK_US 60

static const char *range;
static _Thread_local volatile sig_atomic_t is_hooked, depth;
static _Atomic unsigned long n_allocated, n_handled, n_interrupted, n_failed;
static _Atomic int is_over;

/* --- the allocator -------------------------------------------------------- */

void *__libc_malloc(size_t size);

static void call_from_malloc(void)
{
	static _Thread_local int is_inside;
	const int saved_errno = errno;

	if (is_inside++ == 0) {
		struct address any = address_of("0.0.0.0", 0);
		const int fd = socket(AF_INET, SOCK_STREAM, 0);

		if (fd >= 0) {
			bind(fd, &any.sa, any.length);
			close(fd);
		}
	}
	is_inside--;
	errno = saved_errno;
}

void *malloc(size_t size)
{
	if (is_hooked)
		n_allocated++;
	call_from_malloc();
	return __libc_malloc(size);
}

/* --- what threads and handlers do ----------------------------------------- */

#define HOOKED(call) \
	__extension__({ \
		is_hooked++; \
		long hooked_result = (long)(call); \
		is_hooked--; \
		hooked_result; \
	})

static void expect(bool holds, const char *what)
{
	if (!holds && n_failed++ == 0)
		check(false, "%s: %s", what, strerrorname_np(errno));
}

/* SA_RESTART does not help a connect: it goes on by itself. */
static long connect_through(int fd, struct address to)
{
	long result = HOOKED(connect(fd, &to.sa, to.length));

	while (result < 0 && (errno == EINTR || errno == EALREADY)) {
		result = HOOKED(connect(fd, &to.sa, to.length));
		if (result < 0 && errno == EISCONN)
			return 0;
	}
	return result;
}

static void stream_round(const struct kind *kind)
{
	const struct address any = any_of(kind, 0);
	const int fd = (int)HOOKED(open_kind(kind));
	const int bound = (int)HOOKED(open_kind(kind));
	/* No TIME_WAIT: the ports would not last. */
	const struct linger reset = { .l_onoff = 1 };

	expect(HOOKED(setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset,
				 sizeof(reset))) == 0,
	       "setsockopt");
	expect(connect_through(fd, loopback_of(kind, OPEN_PORT)) == 0,
	       "connect");
	expect(range_has(range, local_port(fd)), "connect in the range");
	expect(HOOKED(bind(bound, &any.sa, any.length)) == 0, "bind");
	expect(HOOKED(listen(bound, 1)) == 0, "listen");
	expect(range_has(range, local_port(bound)), "bind in the range");
	expect(HOOKED(close(fd)) == 0, "close");
	expect(HOOKED(close(bound)) == 0, "close");
}

static void datagram_round(const struct kind *kind)
{
	const struct address to = loopback_of(kind, OPEN_PORT);
	const int fd = (int)HOOKED(open_kind(kind));
	const int copy = (int)HOOKED(dup(fd));
	int again = 1;

	do
		again = HOOKED(sendto(fd, "x", 1, 0, &to.sa, to.length)) < 0 &&
			errno == EINTR;
	while (again);
	expect(range_has(range, local_port(copy)), "send in the range");
	expect(HOOKED(close(fd)) == 0, "close");
	expect(HOOKED(close(copy)) == 0, "close of a copy");
}

static void handler(int number)
{
	static const int used[] = { TCP6, UDP4, UDP6, TCP4 };
	const int saved_errno = errno;
	const unsigned long n = n_handled++;
	const struct kind *kind = &kinds[used[n % 4]];

	(void)number;
	if (is_hooked)
		n_interrupted++;
	/* A handler that is interrupted itself ends soon. */
	if (++depth <= 2) {
		const int hooked = is_hooked;

		if (kind->type == SOCK_STREAM)
			stream_round(kind);
		else
			datagram_round(kind);
		is_hooked = hooked;
	}
	depth--;
	errno = saved_errno;
}

static void *be_interrupted(void *argument)
{
	for (int round = 0; round < N_ROUNDS; round++) {
		stream_round(&kinds[round & 1 ? TCP4 : TCP6]);
		datagram_round(&kinds[round & 1 ? UDP4 : UDP6]);
		free(malloc(100));
		/* A success leaves errno alone, whatever the handler met. */
		errno = ERRNO_KEPT;
		int fd = (int)HOOKED(socket(AF_INET, SOCK_STREAM, 0));

		expect(errno == ERRNO_KEPT, "errno");
		close(fd);
	}
	is_over++;
	return argument;
}

static void install(int number)
{
	struct sigaction action = { .sa_handler = handler,
				    .sa_flags = SA_RESTART | SA_NODEFER };

	must(sigaction(number, &action, NULL), "sigaction");
}

static void interrupt(const pthread_t *ids)
{
	const struct itimerval tick = { .it_interval.tv_usec = TICK_US,
					.it_value.tv_usec = TICK_US };
	const struct timespec pause = { .tv_nsec = TICK_US * 1000 };
	const struct itimerval never = { .it_value.tv_usec = 0 };

	must(setitimer(ITIMER_REAL, &tick, NULL), "setitimer");
	for (int i = 0; is_over < N_THREADS; i++) {
		pthread_kill(ids[i % N_THREADS], SIGUSR1);
		nanosleep(&pause, NULL);
	}
	must(setitimer(ITIMER_REAL, &never, NULL), "setitimer");
}

static void *take_all(void *server)
{
	int fd;

	while ((fd = accept(*(int *)server, NULL, NULL)) >= 0 || errno == EINTR)
		if (fd >= 0)
			close(fd);
	return NULL;
}

int main(int argc, char **argv)
{
	static const int used[] = { TCP4, TCP6, UDP4, UDP6 };
	pthread_t ids[N_THREADS], acceptors[2];
	sigset_t both, none;
	int servers[4];

	if (argc != 2)
		return 2;
	range = argv[1];
	sigemptyset(&none);
	sigemptyset(&both);
	sigaddset(&both, SIGALRM);
	sigaddset(&both, SIGUSR1);
	pthread_sigmask(SIG_BLOCK, &both, NULL);
	for (int i = 0; i < 4; i++)
		servers[i] =
			start_server(&kinds[used[i]],
				     loopback_of(&kinds[used[i]], OPEN_PORT));
	for (int i = 0; i < 2; i++)
		pthread_create(&acceptors[i], NULL, take_all, &servers[i]);
	install(SIGALRM);
	install(SIGUSR1);
	pthread_sigmask(SIG_UNBLOCK, &both, NULL);
	for (int i = 0; i < N_THREADS; i++)
		must(-pthread_create(&ids[i], NULL, be_interrupted, NULL),
		     "thread");
	/* The rest of the signals are those of the process: for the two. */
	pthread_sigmask(SIG_BLOCK, &both, NULL);
	interrupt(ids);
	for (int i = 0; i < N_THREADS; i++)
		pthread_join(ids[i], NULL);
	for (int i = 0; i < 2; i++) {
		shutdown(servers[i], SHUT_RDWR);
		pthread_join(acceptors[i], NULL);
	}
	check(n_failed == 0, "%d rounds of each thread, %s handled", N_ROUNDS,
	      n_handled > N_ROUNDS ? "signals" : "few signals");
	check(n_interrupted > 0, "handlers ran inside hooked calls");
	check(n_allocated == 0, "nothing is allocated in a hooked call");
	return 0;
}
