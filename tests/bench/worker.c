/* SPDX-License-Identifier: MIT */

/*
 * Measures one thing and prints numbers: run by run.py, bare and under Berth.
 *
 *     worker connect ADDRESS PORT N kernel|pinned FIRST
 *         N connects that stay open: microseconds of each tenth, which begins when
 *         a line is read, so that two workers can take turns. Pinned by hand: to
 *         FIRST, FIRST + 1, ..., each known to be free.
 *     worker fill ADDRESS PORT N
 *         connects until the first failure, N at most: how many
 *     worker bind N         N TCP bind(0): microseconds of each tenth
 *     worker hold N         N TCP bind(0), which stay until the input ends: how
 *         long all of them took, in milliseconds
 *     worker calls          nanoseconds, of libc's own call and added to it: close
 *         of a file, close of no file, sendto on a bound socket that is refused,
 *         and one that is delivered
 *     worker storm ADDRESS PORT N server|client|reset
 *         N connects, closed at once by that end: how many have failed
 *     worker listen ADDRESS PORT BACKLOG
 *         listens, prints a line and waits for its input to end; with backlog 0
 *         it takes and closes connections instead
 *     worker memory         Private_Dirty of the process in KiB, after some use,
 *         without the map: a shared page counts as private while nobody else
 *         has touched it
 */

#include "probe.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define N_TENTHS 10
#define MAX_SOCKETS 19000

static int sockets[MAX_SOCKETS];

static double now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

static struct address address_in(char *argv[])
{
	return address_of(argv[0], (uint16_t)atoi(argv[1]));
}

static int new_socket(void)
{
	return open_kind(&kinds[TCP4]);
}

static void pin(int fd, uint32_t port)
{
	const uint32_t range = port << 16 | port;

	setsockopt(fd, IPPROTO_IP, IP_LOCAL_PORT_RANGE, &range, sizeof(range));
}

static int measure_connect(char *argv[])
{
	const struct address address = address_in(argv);
	const int n = atoi(argv[2]);
	const bool pinned = strcmp(argv[3], "pinned") == 0;
	const uint32_t first = (uint32_t)atoi(argv[4]);

	for (int tenth = 0; tenth < N_TENTHS; tenth++) {
		double sum = 0;

		getchar();
		for (int i = tenth * n / N_TENTHS;
		     i < (tenth + 1) * n / N_TENTHS; i++) {
			sockets[i] = new_socket();

			const double start = now_us();

			if (pinned)
				pin(sockets[i], first + (uint32_t)i);
			must(connect(sockets[i], &address.sa, address.length),
			     "connect");
			sum += now_us() - start;
		}
		report_text("%.3f", sum * N_TENTHS / n);
	}
	getchar();
	for (int i = 0; i < n; i++)
		close_with_reset(sockets[i]);
	return 0;
}

static int measure_fill(char *argv[])
{
	const struct address address = address_in(argv);
	const int n = atoi(argv[2]);
	int used = 0;

	for (; used < n; used++) {
		sockets[used] = new_socket();
		if (connect_to(sockets[used], address) != 0)
			break;
	}
	report_text("%d", used);
	/* The sockets stay until all the others have theirs. */
	getchar();
	for (int i = 0; i < used; i++)
		close_with_reset(sockets[i]);
	return 0;
}

static int measure_bind(char *argv[])
{
	const struct address any = address_of("0.0.0.0", 0);
	const int n = atoi(argv[0]);

	for (int tenth = 0; tenth < N_TENTHS; tenth++) {
		double sum = 0;

		for (int i = 0; i < n / N_TENTHS; i++) {
			const int fd = new_socket();
			const double start = now_us();

			must(bind(fd, &any.sa, any.length), "bind");
			sum += now_us() - start;
		}
		printf("%.3f ", sum * N_TENTHS / n);
	}
	printf("\n");
	return 0;
}

static int hold(char *argv[])
{
	const struct address any = address_of("0.0.0.0", 0);
	const int n = atoi(argv[0]);
	const double start = now_us();

	for (int i = 0; i < n; i++)
		must(bind_to(new_socket(), any), "bind");
	report_text("%.1f", (now_us() - start) / 1000);
	return getchar() == EOF ? 0 : 1;
}

typedef int (*close_call)(int fd);
typedef ssize_t (*sendto_call)(int fd, const void *buffer, size_t size,
			       int flags, const struct sockaddr *address,
			       socklen_t length);

#define N_CALLS 500

static double time_close(close_call call)
{
	int files[N_CALLS];

	for (int i = 0; i < N_CALLS; i++)
		files[i] = open("/dev/null", O_RDONLY);

	const double start = now_us();

	for (int i = 0; i < N_CALLS; i++)
		call(files[i]);
	return now_us() - start;
}

/* The same path through Berth, and next to none through the kernel. */
static double time_close_of_nothing(close_call call)
{
	const double start = now_us();

	for (int i = 0; i < N_CALLS; i++)
		call(MAX_SOCKETS);
	return now_us() - start;
}

static int udp_socket;
static struct address udp_address;

/* To the socket itself; with MSG_OOB the kernel refuses at once. */
static double time_sendto(sendto_call call, int flags)
{
	const double start = now_us();

	for (int i = 0; i < N_CALLS; i++)
		call(udp_socket, "", 1, flags, &udp_address.sa,
		     udp_address.length);
	return now_us() - start;
}

static void bind_udp(void)
{
	udp_socket = open_kind(&kinds[UDP4]);
	must(bind_to(udp_socket, address_of("127.0.0.1", 0)), "bind");
	udp_address = address_of("127.0.0.1", local_port(udp_socket));
}

static void note_least(double *leastp, double now)
{
	if (now < *leastp)
		*leastp = now;
}

/*
 * In one process and in turns, the call as the program makes it and libc's own,
 * past the library in front: the least of many rounds of each.
 */
static int measure_calls(void)
{
	void *libc = dlopen("libc.so.6", RTLD_LAZY | RTLD_NOLOAD);
	double least[4][2];
	close_call closes[2] = { close };
	sendto_call sends[2] = { sendto };

	*(void **)&closes[1] = dlsym(libc, "close");
	*(void **)&sends[1] = dlsym(libc, "sendto");
	bind_udp();
	for (int i = 0; i < 8; i++)
		least[i / 2][i % 2] = 1e9;
	for (int round = 0; round < 600; round++) {
		const int side = round % 2;

		note_least(&least[0][side], time_close(closes[side]));
		note_least(&least[1][side],
			   time_close_of_nothing(closes[side]));
		note_least(&least[2][side], time_sendto(sends[side], MSG_OOB));
		note_least(&least[3][side], time_sendto(sends[side], 0));
	}
	for (int i = 0; i < 4; i++)
		printf("%.2f %.2f ", least[i][1] * 1e3 / N_CALLS,
		       (least[i][0] - least[i][1]) * 1e3 / N_CALLS);
	printf("\n");
	return 0;
}

static int storm(char *argv[])
{
	const struct address address = address_in(argv);
	const int n = atoi(argv[2]);
	int failures = 0;
	char byte;

	for (int i = 0; i < n; i++) {
		const int fd = new_socket();

		if (connect_to(fd, address) != 0)
			failures++;
		else if (argv[3][0] == 's')
			(void)!read(fd, &byte, 1);
		if (argv[3][0] == 'r')
			close_with_reset(fd);
		else
			close(fd);
	}
	printf("%d\n", failures);
	return 0;
}

static int listen_at(char *argv[])
{
	const struct address address = address_in(argv);
	const int backlog = atoi(argv[2]);
	const int fd = new_socket();
	struct pollfd polled[2] = { { .fd = 0, .events = POLLIN },
				    { .fd = fd, .events = POLLIN } };

	set_int(fd, SOL_SOCKET, SO_REUSEADDR, 1);
	must(bind_to(fd, address), "bind");
	must(listen(fd, backlog != 0 ? backlog : 4096), "listen");
	report_text("listening");
	if (backlog != 0)
		return getchar() == EOF ? 0 : 1;
	while (poll(polled, 2, -1) > 0 && polled[0].revents == 0)
		close(accept(fd, NULL, NULL));
	return 0;
}

static int measure_memory(void)
{
	char line[256];
	long sum = 0, kib;
	bool shared = false;
	FILE *maps;

	for (int i = 0; i < 200; i++) {
		bind_to(open_kind(&kinds[i % 2 != 0 ? TCP4 : UDP4]),
			address_of("127.0.0.1", 0));
	}
	maps = fopen("/proc/self/smaps", "r");
	while (maps != NULL && fgets(line, sizeof(line), maps) != NULL)
		if (strchr(line, '-') != NULL)
			shared = strstr(line, "/map") != NULL ||
				 strstr(line, "/policy") != NULL;
		else if (!shared &&
			 sscanf(line, "Private_Dirty: %ld", &kib) == 1)
			sum += kib;
	printf("%ld\n", sum);
	return 0;
}

int main(int argc, char *argv[])
{
	const char *what = argc > 1 ? argv[1] : "";

	if (strcmp(what, "connect") == 0 && argc == 7)
		return measure_connect(argv + 2);
	if (strcmp(what, "fill") == 0 && argc == 5)
		return measure_fill(argv + 2);
	if (strcmp(what, "bind") == 0 && argc == 3)
		return measure_bind(argv + 2);
	if (strcmp(what, "hold") == 0 && argc == 3)
		return hold(argv + 2);
	if (strcmp(what, "calls") == 0)
		return measure_calls();
	if (strcmp(what, "storm") == 0 && argc == 6)
		return storm(argv + 2);
	if (strcmp(what, "listen") == 0 && argc == 5)
		return listen_at(argv + 2);
	if (strcmp(what, "memory") == 0)
		return measure_memory();
	fprintf(stderr, "%s: unknown measurement \"%s\"\n", argv[0], what);
	return 2;
}
