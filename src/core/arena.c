/* SPDX-License-Identifier: MIT */
#include "core/arena.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/raw.h"
#include "core/arena_layout.h"
#include "core/shared_file.h"

/* All of the choice but its table. */
#define CHOICE_RANDOM_SIZE offsetof(struct choice_memory, table)

#define REST_MS_MAX (24u * 60 * 60 * 1000)

static bool fill_random(void *bytes, size_t n_bytes)
{
	return raw_syscall(SYS_getrandom, (long)bytes, (long)n_bytes,
			   GRND_NONBLOCK, 0, 0, 0) == (long)n_bytes;
}

static void fill_key(struct siphash_key *key)
{
	/* getauxval(3): 16 random bytes of this process. */
	const uintptr_t seed = getauxval(AT_RANDOM);

	if (!fill_random(key, sizeof(*key)) && seed != 0)
		memcpy(key, (const void *)seed, sizeof(*key));
}

static void fill_header(struct arena_header *header,
			const struct arena_place *place)
{
	header->magic = ARENA_MAGIC;
	header->version = ARENA_VERSION;
	header->size = sizeof(struct arena_memory);
	header->netns_cookie = place->netns_cookie;
	header->netns_inode = place->netns_inode;
	header->rest_ms = REST_MS_DEFAULT;
	fill_key(&header->key);
}

static bool is_rest(uint32_t rest_ms)
{
	return rest_ms != 0 && rest_ms <= REST_MS_MAX;
}

static bool accepts_header(const void *bytes, const struct arena_place *place)
{
	const struct arena_header *header = bytes;

	return header->magic == ARENA_MAGIC &&
	       header->version == ARENA_VERSION &&
	       header->size == sizeof(struct arena_memory) &&
	       arena_place_is(place, header->netns_inode,
			      header->netns_cookie) &&
	       is_rest(header->rest_ms);
}

static int fill_file(int fd, const struct arena_place *place)
{
	const int result = shared_file_allocate(fd,
						sizeof(struct arena_memory));
	struct {
		struct arena_header header;
		uint8_t choice[CHOICE_RANDOM_SIZE];
	} first = { 0 };

	_Static_assert(offsetof(struct arena_memory, choice) ==
		       sizeof(first.header), "the choice follows the header");
	if (result < 0)
		return result;
	fill_header(&first.header, place);
	/* RFC 6056: next_ephemeral is random at first. */
	fill_random(first.choice, sizeof(first.choice));
	if (raw_pwrite(fd, &first, sizeof(first), 0) != (ssize_t)sizeof(first))
		return -EIO;
	return 0;
}

void arena_set_rest(struct arena *arena, uint32_t rest_ms)
{
	if (rest_ms == 0)
		/* A file of another user's may have changed since the check. */
		rest_ms = arena->memory->header.rest_ms;
	/* Relaxed: a number by itself; who still has the old one lets a port
	 * rest for that. */
	store_relaxed_u32(&arena->rest_ms,
			  is_rest(rest_ms) ? rest_ms : REST_MS_DEFAULT);
}

static const struct shared_file_kind arena_file = {
	.name = "arena",
	.size = sizeof(struct arena_memory),
	.writable = true,
	.mode_of_root = ARENA_MODE_DEFAULT,
	.fill = fill_file,
	.accepts = accepts_header,
};

int arena_open(const struct arena_place *place, enum arena_open mode,
	       struct arena *arenap, char path[PATH_MAX])
{
	struct shared_file file = { .memory = NULL };
	const int result = shared_file_open(&arena_file, place,
					    mode == ARENA_CREATE, &file, path);

	*arenap = (struct arena){ .memory = file.memory,
				  .passed_over = file.passed_over,
				  .netns_inode = place->netns_inode,
				  .netns_cookie = place->netns_cookie };
	if (result == 0)
		arena_set_rest(arenap, 0);
	return result;
}

int arena_open_private(int shared_error, struct arena *arenap)
{
	const struct arena_place nowhere = { 0 };
	int error;
	void *memory = raw_map(sizeof(struct arena_memory),
			       PROT_READ | PROT_WRITE,
			       MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1,
			       0, &error);

	*arenap = (struct arena){ .rest_ms = REST_MS_DEFAULT,
				  .shared_error = shared_error };
	if (memory == NULL)
		return error;
	arenap->memory = memory;
	fill_header(&arenap->memory->header, &nowhere);
	fill_random(&arenap->memory->choice, CHOICE_RANDOM_SIZE);
	return 0;
}

void arena_close(struct arena *arena)
{
	if (arena->memory != NULL)
		raw_unmap(arena->memory, sizeof(*arena->memory));
	arena->memory = NULL;
}
