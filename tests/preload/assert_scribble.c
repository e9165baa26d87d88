/* SPDX-License-Identifier: MIT */
/*
 * Random bytes are written into the map while sockets are opened: every call
 * still succeeds, and every port is in the range. Edge case 25.
 */
#include "probe.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define OPEN_PORT 7900
#define N_ROUNDS 2000

struct scribbler {
	uint64_t *words;
	size_t n_words;
	uint64_t seed;
	atomic_bool stop;
};

static uint64_t next_random(uint64_t *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 7;
	*seed ^= *seed << 17;
	return *seed;
}

static void *scribble(void *argument)
{
	struct scribbler *scribbler = argument;

	while (!scribbler->stop) {
		uint64_t place = next_random(&scribbler->seed);
		uint64_t value = next_random(&scribbler->seed);

		if (value % 4 == 0)
			value = value & 4 ? 0 : UINT64_MAX;
		scribbler->words[place % scribbler->n_words] = value;
	}
	return NULL;
}

static struct scribbler map_memory_of_file(const char *path, const char *seed)
{
	struct scribbler scribbler = { .seed = strtoull(seed, NULL, 10) | 1 };
	struct stat status;
	int fd = must(open(path, O_RDWR), path);

	must(fstat(fd, &status), path);
	void *memory = mmap(NULL, (size_t)status.st_size,
			    PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	must(memory == MAP_FAILED ? -1 : 0, "mmap of the map");
	close(fd);
	scribbler.words = memory;
	scribbler.n_words = (size_t)status.st_size / sizeof(uint64_t);
	return scribbler;
}

static void use_sockets(const char *range)
{
	int bind_failures = 0, connect_failures = 0, outside = 0;

	for (int round = 0; round < N_ROUNDS; round++) {
		const struct kind *kind = &kinds[round & 1 ? UDP4 : TCP4];
		int one = open_kind(kind), two = open_kind(kind);

		if (bind_to(one, any_of(kind, 0)))
			bind_failures++;
		else
			outside += !range_has(range, local_port(one));
		if (connect_to(two, loopback_of(kind, OPEN_PORT)))
			connect_failures++;
		else
			outside += !range_has(range, local_port(two));
		close(one);
		close(two);
	}
	check(bind_failures == 0, "bind never fails, not %d times",
	      bind_failures);
	check(connect_failures == 0, "connect never fails, not %d times",
	      connect_failures);
	check(outside == 0, "no port is outside, not %d", outside);
}

/* assert_scribble RANGE MAP SEED */
int main(int argc, char **argv)
{
	pthread_t id;

	if (argc != 4)
		return 2;
	struct scribbler scribbler = map_memory_of_file(argv[2], argv[3]);
	int one = start_server(&kinds[TCP4], any_of(&kinds[TCP4], OPEN_PORT));
	int two = start_server(&kinds[UDP4], any_of(&kinds[UDP4], OPEN_PORT));

	must(-pthread_create(&id, NULL, scribble, &scribbler), "thread");
	use_sockets(argv[1]);
	scribbler.stop = true;
	pthread_join(id, NULL);
	close(one);
	close(two);
	return 0;
}
