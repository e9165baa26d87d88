/* SPDX-License-Identifier: MIT */

/*
 * The hand-over of free ports, as test suites do it: run by handover.py, bare
 * and under Berth.
 *
 *     handover hand-over N DELAY_MS SEED
 *         N times: takes a free port with bind(0), closes the socket, and
 *         DELAY_MS later starts a server on it, by turns a program and a forked
 *         child. Prints how many servers of either kind found their port in
 *         use, and how many failed otherwise.
 *     handover serve ADDRESS PORT
 *         the server: binds with SO_REUSEADDR, listens, and ends: status 0, 1
 *         for EADDRINUSE, 2 for anything else
 *     handover connect ADDRESS PORT N_HELD
 *         connects without a pause; keeps the last N_HELD and resets the others
 *     handover bind N_HELD N PAUSE_US SEED
 *         bind(0), N times at most, with pauses; keeps the last N_HELD and
 *         closes the others
 *     handover listen ADDRESS PORT
 *         takes connections and closes them
 *
 * The last three print a line when they are ready, end with their input, and
 * then print how many calls succeeded and how many failed.
 */

#include "probe.h"

#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#define MAX_HELD 4096
#define CALLS_A_LOOK 32 /* calls between two looks at the input */

enum { STATUS_LISTENS, STATUS_IN_USE, STATUS_FAILED, N_STATUSES };

/* Half of all programs bind to the wildcard address, and half to loopback. */
static const char *any_address(unsigned int *seedp)
{
	return rand_r(seedp) % 2 != 0 ? "0.0.0.0" : "127.0.0.1";
}

/* Returns the socket, or -1. */
static int made(int (*use)(int fd, struct address address),
		struct address address)
{
	const int fd = open_kind(&kinds[TCP4]);

	if (use(fd, address) == 0)
		return fd;
	close(fd);
	return -1;
}

static uint16_t free_port(const char *text)
{
	const int fd = must(made(bind_to, address_of(text, 0)), "bind(0)");
	const uint16_t port = local_port(fd);

	close(fd);
	return port;
}

static int serve(struct address address)
{
	const int fd = open_kind(&kinds[TCP4]);
	int status = STATUS_LISTENS;

	set_int(fd, SOL_SOCKET, SO_REUSEADDR, 1);
	if (bind_to(fd, address) != 0 || listen(fd, 16) != 0)
		status = errno == EADDRINUSE ? STATUS_IN_USE : STATUS_FAILED;
	close(fd);
	return status;
}

static int server_status(const char *text, uint16_t port, bool is_program)
{
	char digits[8];
	int status;
	const pid_t child = must(fork(), "fork");

	if (child == 0 && !is_program)
		_exit(serve(address_of(text, port)));
	if (child == 0) {
		snprintf(digits, sizeof(digits), "%u", port);
		execl("/proc/self/exe", "handover", "serve", text, digits,
		      (char *)NULL);
		_exit(STATUS_FAILED);
	}
	if (waitpid(child, &status, 0) != child || !WIFEXITED(status) ||
	    WEXITSTATUS(status) >= N_STATUSES)
		return STATUS_FAILED;
	return WEXITSTATUS(status);
}

static int hand_over(int n, int delay_ms, unsigned int seed)
{
	int counts[2][N_STATUSES] = { { 0 } };

	for (int i = 0; i < n; i++) {
		const uint16_t port = free_port(any_address(&seed));

		poll(NULL, 0, delay_ms);
		counts[i % 2]
		      [server_status(any_address(&seed), port, i % 2 == 0)]++;
	}
	printf("%d %d %d\n", counts[0][STATUS_IN_USE], counts[1][STATUS_IN_USE],
	       counts[0][STATUS_FAILED] + counts[1][STATUS_FAILED]);
	return 0;
}

static bool input_has_ended(void)
{
	struct pollfd input = { .fd = STDIN_FILENO, .events = POLLIN };

	return poll(&input, 1, 0) > 0;
}

/* The last sockets that were made; the oldest gives way to the next. */
struct held {
	int fds[MAX_HELD];
	int n, next;
	long n_made, n_failed;
};

static void hold(struct held *held, int fd)
{
	held->n_made += fd >= 0;
	held->n_failed += fd < 0;
	if (held->n == 0) {
		close_with_reset(fd);
		return;
	}
	if (held->fds[held->next] > 0)
		close_with_reset(held->fds[held->next]);
	held->fds[held->next] = fd;
	held->next = (held->next + 1) % held->n;
}

/* What to make over and over again: connections; bound sockets, where NULL. */
struct task {
	const struct address *address;
	long n;
	int n_held, pause_us;
	unsigned int seed;
};

static void make_one(struct task *task, struct held *held)
{
	hold(held,
	     task->address != NULL
		     ? made(connect_to, *task->address)
		     : made(bind_to, address_of(any_address(&task->seed), 0)));
	if (task->pause_us != 0)
		usleep((useconds_t)task->pause_us);
}

static int burn(struct task *task)
{
	static struct held held;

	held.n = task->n_held < MAX_HELD ? task->n_held : MAX_HELD;
	report_text("ready");
	for (long i = 0; i < task->n; i++) {
		if (i % CALLS_A_LOOK == 0 && input_has_ended())
			break;
		make_one(task, &held);
	}
	while (getchar() != EOF)
		;
	printf("%ld %ld\n", held.n_made, held.n_failed);
	return 0;
}

static int listen_at(struct address address)
{
	const int fd = start_server(&kinds[TCP4], address);
	struct pollfd polled[2] = { { .fd = STDIN_FILENO, .events = POLLIN },
				    { .fd = fd, .events = POLLIN } };
	long n_taken = 0;

	report_text("ready");
	while (poll(polled, 2, -1) > 0 && polled[0].revents == 0) {
		close(accept(fd, NULL, NULL));
		n_taken++;
	}
	printf("%ld 0\n", n_taken);
	return 0;
}

static int burn_connects(struct address address, int n_held)
{
	return burn(&(struct task){
		.address = &address, .n = LONG_MAX, .n_held = n_held });
}

static int burn_binds(char *argv[])
{
	return burn(&(struct task){ .n_held = atoi(argv[0]),
				    .n = atol(argv[1]),
				    .pause_us = atoi(argv[2]),
				    .seed = (unsigned int)atoi(argv[3]) });
}

static struct address address_in(char *argv[])
{
	return address_of(argv[2], (uint16_t)atoi(argv[3]));
}

int main(int argc, char *argv[])
{
	const char *what = argc > 1 ? argv[1] : "";

	if (strcmp(what, "hand-over") == 0 && argc == 5)
		return hand_over(atoi(argv[2]), atoi(argv[3]),
				 (unsigned int)atoi(argv[4]));
	if (strcmp(what, "serve") == 0 && argc == 4)
		return serve(address_in(argv));
	if (strcmp(what, "connect") == 0 && argc == 5)
		return burn_connects(address_in(argv), atoi(argv[4]));
	if (strcmp(what, "bind") == 0 && argc == 6)
		return burn_binds(argv + 2);
	if (strcmp(what, "listen") == 0 && argc == 4)
		return listen_at(address_in(argv));
	fprintf(stderr, "%s: unknown task \"%s\"\n", argv[0], what);
	return 2;
}
