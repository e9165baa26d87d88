/* SPDX-License-Identifier: MIT */
/*
 * talk RANGE: threads and a child that talk to each other over TCP and UDP, and
 * allocate as they go: an ordinary program, for allocators, sanitizers and
 * other preloads to be put around it. Edge cases 22 and 36.
 */
#include "probe.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define N_THREADS 4
#define N_ROUNDS 50
#define SIZE_MAX_SENT 2000

static const char *range;

/* Who is asked what, and whether each has the port that it should. */
struct side {
	const struct kind *kind;
	int failures;
};

static bool arrives(int from, int to, size_t size)
{
	char *sent = malloc(size), *got = calloc(1, size);
	size_t n_bytes = 0;
	bool same;

	memset(sent, (int)size, size);
	same = send(from, sent, size, 0) == (ssize_t)size;
	while (same && n_bytes < size) {
		const ssize_t more = recv(to, got + n_bytes, size - n_bytes, 0);

		same = more > 0;
		n_bytes += same ? (size_t)more : 0;
	}
	same = same && memcmp(sent, got, size) == 0;
	free(sent);
	free(got);
	return same;
}

static bool is_there(int fd)
{
	return range_has(range, local_port(fd));
}

static bool talk(const struct kind *kind, size_t size)
{
	const int server = open_kind(kind), client = open_kind(kind);
	const bool is_stream = kind->type == SOCK_STREAM;
	int taken = -1;
	bool good = bind_to(server, loopback_of(kind, 0)) == 0;

	if (is_stream)
		good = good && listen(server, 1) == 0;
	good = good &&
	       connect_to(client, loopback_of(kind, local_port(server))) == 0;
	if (good && is_stream)
		taken = accept(server, NULL, NULL);
	good = good && is_there(server) && is_there(client) &&
	       arrives(client, is_stream ? taken : server, size);
	if (taken >= 0)
		close(taken);
	close(client);
	close(server);
	return good;
}

static void *run(void *argument)
{
	struct side *side = argument;

	for (size_t round = 0; round < N_ROUNDS; round++)
		side->failures += !talk(side->kind,
					1 + round * SIZE_MAX_SENT / N_ROUNDS);
	return NULL;
}

static void run_threads(void)
{
	static const int used[N_THREADS] = { TCP4, TCP6, UDP4, UDP6 };
	struct side sides[N_THREADS];
	pthread_t ids[N_THREADS];

	for (int i = 0; i < N_THREADS; i++) {
		sides[i] = (struct side){ .kind = &kinds[used[i]] };
		must(-pthread_create(&ids[i], NULL, run, &sides[i]), "thread");
	}
	for (int i = 0; i < N_THREADS; i++) {
		pthread_join(ids[i], NULL);
		check(sides[i].failures == 0, "%s: %d of %d failed",
		      sides[i].kind->name, sides[i].failures, N_ROUNDS);
	}
}

static void run_child(void)
{
	const pid_t child = must(fork(), "fork");
	int status = -1;

	if (child == 0)
		_exit(talk(&kinds[TCP4], 100) && talk(&kinds[UDP6], 100) ? 0
									 : 1);
	must(waitpid(child, &status, 0), "waitpid");
	check(status == 0, "a child talks too: status %d", status);
}

int main(int argc, char **argv)
{
	if (argc != 2)
		return 2;
	range = argv[1];
	run_threads();
	run_child();
	return 0;
}
