/* SPDX-License-Identifier: MIT */
/*
 * assert_leases RANGE N SEED: N random sequences of calls that copy, pass on
 * and close descriptors. While one that the lease is known by is open, the map
 * shows a lease of the socket's port; once all are closed it shows none.
 */
#include "probe.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>

#include "lease_map.h"

#define N_FDS 12
#define FIRST_FD 20 /* of those that a sequence uses */
#define N_STEPS 24
#define SERVER_PORT 7300

/* What a descriptor is, by the calls that were made. */
struct held {
	int socket;	   /* of that number; 0 = closed */
	bool is_passed_on; /* it came by SCM_RIGHTS: no lease is known by it */
};

static struct lease_map map;
static struct held held[N_FDS];
static int n_sockets;
static bool has_lost; /* a descriptor was closed unseen */
static char story[N_STEPS * 40];
static unsigned int random_state;

static int pick(int n)
{
	return rand_r(&random_state) % n;
}

__attribute__((format(printf, 1, 2))) static void tell(const char *format, ...)
{
	const size_t length = strlen(story);
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(story + length, sizeof(story) - length, format, arguments);
	va_end(arguments);
}

static bool is_udp(int fd)
{
	int type = 0;
	socklen_t length = sizeof(type);

	getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &length);
	return type == SOCK_DGRAM;
}

static int find(bool is_open)
{
	const int first = pick(N_FDS);

	for (int i = 0; i < N_FDS; i++)
		if ((held[(first + i) % N_FDS].socket != 0) == is_open)
			return (first + i) % N_FDS;
	return -1;
}

/* A new descriptor goes to a free number of the sequence's. */
static void adopt(int fd, struct held what)
{
	const int at = find(false);

	if (fd < 0)
		return;
	if (at < 0) {
		close(fd);
		return;
	}
	must(dup2(fd, FIRST_FD + at), "dup2");
	close(fd);
	held[at] = what;
}

static void open_socket(void)
{
	const struct kind *kind = &kinds[pick(2) ? TCP4 : UDP4];
	const struct held what = { .socket = ++n_sockets };

	tell(" socket");
	adopt(open_kind(kind), what);
}

static void use_socket(int at)
{
	const int fd = FIRST_FD + at;
	const struct sockaddr none = { .sa_family = AF_UNSPEC };
	const int what = pick(6);

	tell(" %d:use%d", at, what);
	switch (what) {
	case 0: bind_to(fd, loopback_of(&kinds[TCP4], 0)); break;
	case 1: bind_to(fd, any_of(&kinds[TCP4], 0)); break;
	case 2:
		connect_to(fd, loopback_of(&kinds[TCP4],
					   SERVER_PORT + (uint16_t)pick(2)));
		break;
	case 3:
		if (is_udp(fd))
			send_to(fd, loopback_of(&kinds[UDP4], 9), 0);
		break;
	case 4: listen(fd, 1); break;
	default:
		if (is_udp(fd))
			connect(fd, &none, sizeof(none));
	}
}

static void copy(int at)
{
	const int fd = FIRST_FD + at, to = pick(N_FDS), what = pick(5);

	tell(" %d:copy%d>%d", at, what, to);
	if (what == 0) {
		adopt(dup(fd), held[at]);
	} else if (what == 1) {
		adopt(fcntl(fd, F_DUPFD_CLOEXEC, 3), held[at]);
	} else if (to != at) {
		if (what == 2)
			dup3(fd, FIRST_FD + to, O_CLOEXEC);
		else
			dup2(fd, FIRST_FD + to);
		held[to] = held[at];
	}
}

static void close_some(int at)
{
	const int what = pick(8), last = at + pick(3);
	const int fd = FIRST_FD + at;

	tell(" %d:close%d", at, what);
	if (what == 0 && last < N_FDS) {
		close_range((unsigned int)fd, FIRST_FD + (unsigned int)last, 0);
		memset(&held[at], 0, (size_t)(last - at + 1) * sizeof(*held));
		return;
	}
	if (what == 1) {
		fclose(fdopen(fd, "r"));
		has_lost = true;
	} else if (what == 2) {
		call_unseen(SYS_close, fd, 0, 0, 0, 0);
		has_lost = true;
	} else {
		close(fd);
	}
	held[at].socket = 0;
}

/* What a child does with its descriptors the parent's do not feel. */
static void be_a_child(bool is_vfork)
{
	const int fd = is_vfork ? -1 : open_kind(&kinds[UDP4]);

	if (fd >= 0)
		bind_to(fd, any_of(&kinds[UDP4], 0));
	/* Unlike close(), this asks who owns what is known of numbers that are
	 * not open too. */
	if (pick(2))
		close_range(FIRST_FD, FIRST_FD + N_FDS - 1, 0);
	for (int i = 0; i < N_FDS; i++)
		close(FIRST_FD + i);
	if (fd >= 0)
		close(fd);
	_exit(0);
}

static void have_child(void)
{
	const bool is_vfork = pick(2);
	int status;

	tell(is_vfork ? " vfork" : " fork");

	const pid_t child = is_vfork ? vfork() : fork();

	if (child == 0)
		be_a_child(is_vfork);
	waitpid(must(child, "fork"), &status, 0);
}

static void *close_copies(void *unused)
{
	(void)unused;
	close_range(FIRST_FD, FIRST_FD + N_FDS - 1,
		    2 /* CLOSE_RANGE_UNSHARE */);
	for (int i = 0; i < N_FDS; i++)
		close(FIRST_FD + i);
	return NULL;
}

static void have_thread(void)
{
	pthread_t thread;

	tell(" thread");
	must(-pthread_create(&thread, NULL, close_copies, NULL), "thread");
	pthread_join(thread, NULL);
}

static void pass_on(int at)
{
	tell(" %d:pass", at);
	adopt(pass_to_self(FIRST_FD + at),
	      (struct held){ held[at].socket, true });
	/* A lease that it takes is not known by the others. */
	for (int i = 0; i < N_FDS; i++)
		held[i].is_passed_on |= held[i].socket == held[at].socket;
}

static void step(void)
{
	const int at = find(true), what = pick(20);

	if (what < 4 || (at < 0 && what != 17))
		open_socket();
	else if (what < 10)
		use_socket(at);
	else if (what < 14)
		copy(at);
	else if (what < 17)
		close_some(at);
	else if (what == 17)
		have_child();
	else if (what == 18)
		pass_on(at);
	else if (pick(20) == 0)
		have_thread();
}

/* Returns what is wrong, or NULL. */
static const char *run_sequence(void)
{
	const char *wrong = NULL;

	story[0] = '\0';
	has_lost = false;
	memset(held, 0, sizeof(held));
	for (int i = 0; i < N_STEPS && wrong == NULL; i++) {
		step();
		for (int at = 0; at < N_FDS; at++)
			if (held[at].socket != 0 && !held[at].is_passed_on &&
			    !lease_map_has(&map, FIRST_FD + at))
				wrong = "an open socket has no lease";
	}
	for (int i = 0; i < N_FDS; i++)
		if (held[i].socket != 0)
			close(FIRST_FD + i);
	if (wrong == NULL && !has_lost && lease_map_count(&map) > 0)
		wrong = "a lease is left behind";
	return wrong;
}

/* In a child, which knows nothing of the descriptors of the last one. */
static bool holds(int seed)
{
	const pid_t child = must(fork(), "fork");
	int status;

	if (child == 0) {
		random_state = (unsigned int)seed;

		const char *wrong = run_sequence();

		if (wrong != NULL)
			check(false, "sequence %d: %s:%s", seed, wrong, story);
		_exit(wrong != NULL);
	}
	waitpid(child, &status, 0);
	return status == 0;
}

int main(int argc, char **argv)
{
	const int n = argc == 4 ? atoi(argv[2]) : 0;
	int n_wrong = 0;

	if (n == 0)
		return 2;
	lease_map_open(&map, argv[1]);
	start_server(&kinds[TCP4], loopback_of(&kinds[TCP4], SERVER_PORT));
	start_server(&kinds[TCP4], loopback_of(&kinds[TCP4], SERVER_PORT + 1));
	for (int i = 0; i < n && n_wrong < 5; i++) {
		n_wrong += !holds(atoi(argv[3]) + i);
		/* What was closed unseen has left leases; a sweep would mark
		 * what is in TIME_WAIT. */
		lease_map_clear(&map);
	}
	check(n_wrong == 0, "%d sequences from %s on", n, argv[3]);
	return 0;
}
