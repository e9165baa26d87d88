/* SPDX-License-Identifier: MIT */

/*
 * burn SERVICE_PORT N_HELD WATCHED_PORT: a client that burns through its range.
 *
 * Connects to a listener of its own on SERVICE_PORT and binds to port 0, by
 * turns and without a pause, and keeps the last N_HELD sockets of either kind.
 * Prints "ready" once it holds them, ends with its input, and then prints
 *
 *     CONNECTS BINDS FAILURES WATCHED NEIGHBOURS
 *
 * how often it was given the watched port, and the port before or after it.
 */

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define MAX_HELD 256

struct kind {
	int (*make)(const struct sockaddr_in *service);
	int fds[MAX_HELD];
	long n_made;
};

struct count {
	long failures, watched, neighbours;
};

static void must(int result, const char *what)
{
	if (result < 0) {
		perror(what);
		exit(1);
	}
}

static int made_if(int result, int fd)
{
	if (result == 0)
		return fd;
	close(fd);
	return -1;
}

static int make_connected(const struct sockaddr_in *service)
{
	const int fd = socket(AF_INET, SOCK_STREAM, 0);

	return made_if(connect(fd, (const void *)service, sizeof(*service)),
		       fd);
}

static int make_bound(const struct sockaddr_in *service)
{
	const struct sockaddr_in any = { .sin_family = service->sin_family };
	const int fd = socket(AF_INET, SOCK_STREAM, 0);

	return made_if(bind(fd, (const void *)&any, sizeof(any)), fd);
}

static int port_of(int fd)
{
	struct sockaddr_in local = { 0 };
	socklen_t length = sizeof(local);

	getsockname(fd, (void *)&local, &length);
	return ntohs(local.sin_port);
}

/* With a reset, so that no TIME_WAIT keeps the port. */
static void drop(int fd)
{
	const struct linger linger = { .l_onoff = 1 };

	setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
	close(fd);
}

/* Makes the next socket of a kind; the oldest one gives way to it. */
static void make_next(struct kind *kind, const struct sockaddr_in *service,
		      int n_held, int watched, struct count *count)
{
	int *fdp = &kind->fds[kind->n_made++ % n_held];

	if (*fdp > 0)
		drop(*fdp);
	*fdp = kind->make(service);
	if (*fdp < 0) {
		count->failures++;
		return;
	}
	count->watched += port_of(*fdp) == watched;
	count->neighbours += abs(port_of(*fdp) - watched) == 1;
}

static bool input_has_ended(void)
{
	struct pollfd input = { .fd = STDIN_FILENO, .events = POLLIN };

	return poll(&input, 1, 0) > 0;
}

/* In a child, which ends with its parent. */
static void start_service(const struct sockaddr_in *service)
{
	const int on = 1, fd = socket(AF_INET, SOCK_STREAM, 0);

	must(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)),
	     "SO_REUSEADDR");
	must(bind(fd, (const void *)service, sizeof(*service)), "bind");
	must(listen(fd, 1024), "listen");

	const pid_t parent = getpid();
	const pid_t child = fork();

	must(child, "fork");
	if (child != 0) {
		close(fd);
		return;
	}
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	while (getppid() == parent)
		close(accept(fd, NULL, NULL));
	_exit(0);
}

static void say_ready(void)
{
	printf("ready\n");
	fflush(stdout);
}

int main(int argc, char *argv[])
{
	static struct kind connected = { .make = make_connected };
	static struct kind bound = { .make = make_bound };
	struct sockaddr_in service = {
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	struct count count = { 0 };

	if (argc != 4 || atoi(argv[2]) < 1 || atoi(argv[2]) > MAX_HELD) {
		fprintf(stderr, "burn SERVICE_PORT N_HELD WATCHED_PORT\n");
		return 2;
	}

	const int n_held = atoi(argv[2]), watched = atoi(argv[3]);

	service.sin_port = htons((uint16_t)atoi(argv[1]));
	start_service(&service);
	while (!input_has_ended()) {
		make_next(&connected, &service, n_held, watched, &count);
		make_next(&bound, &service, n_held, watched, &count);
		if (bound.n_made == n_held)
			say_ready();
	}
	printf("%ld %ld %ld %ld %ld\n", connected.n_made, bound.n_made,
	       count.failures, count.watched, count.neighbours);
	return 0;
}
