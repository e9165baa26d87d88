/* SPDX-License-Identifier: MIT */
#include "map/map.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <string.h>
#include <stdint.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>

#include "base/clock.h"
#include "base/raw.h"
#include "base/raw_file.h"
#include "map/layout.h"
#include "map/shared_file.h"
#include "map/siphash.h"

/* All of the choice's memory but its table. */
#define CHOICE_RANDOM_SIZE offsetof(struct choice_memory, table)

#define REST_MS_MAX (24u * 60 * 60 * 1000)

/* What makes one result differ from all others under the same AT_RANDOM. */
struct moment {
	struct timespec time;
	uint64_t address;
	uint64_t pid;
	uint64_t index; /* of the word that is computed from it */
};

static void fill_by_hash(char *bytes, size_t n_bytes)
{
	struct moment moment = {
		.address = (uintptr_t)bytes,
		.pid = (uint64_t)raw_getpid(),
	};
	/* getauxval(3): 16 random bytes of this process. */
	const uintptr_t seed = getauxval(AT_RANDOM);
	struct siphash_key key = { 0, 0 };

	clock_read(CLOCK_REALTIME, &moment.time);
	if (seed != 0)
		memcpy(&key, (const void *)seed, sizeof(key));
	for (; moment.index < n_bytes / sizeof(uint64_t); moment.index++) {
		/* The result of a keyed hash does not disclose its key. */
		const uint64_t word = siphash_2_4(&key, &moment,
						  sizeof(moment));

		memcpy(bytes + moment.index * sizeof(word), &word,
		       sizeof(word));
	}
}

/*
 * Fills whole words, of up to 256 bytes together, that cannot be predicted: from
 * getrandom(2), which always fills such a request completely; where that fails
 * (a seccomp filter, early at boot), from a hash of AT_RANDOM. AT_RANDOM cannot
 * be computed from it: glibc makes its stack canary and its pointer guard of
 * AT_RANDOM, and other processes read the map.
 */
static void fill_secretly(void *bytes, size_t n_bytes)
{
	if (raw_call(SYS_getrandom, bytes, n_bytes, GRND_NONBLOCK) !=
	    (long)n_bytes)
		fill_by_hash(bytes, n_bytes);
}

static void fill_memory(struct map_memory *memory, const struct place *place)
{
	struct map_header *header = &memory->header;

	header->magic = MAP_MAGIC;
	header->version = MAP_VERSION;
	header->size = sizeof(struct map_memory);
	header->netns_cookie = place->netns_cookie;
	header->netns_inode = place->netns_inode;
	header->rest_ms = REST_MS_DEFAULT;
	fill_secretly(&header->key, sizeof(header->key));
	/* RFC 6056: next_ephemeral is random at first. */
	fill_secretly(memory->choice.next_ephemeral,
		      sizeof(memory->choice.next_ephemeral));
	fill_secretly(&memory->choice.random_counter,
		      sizeof(memory->choice.random_counter));
}

static bool is_rest(uint32_t rest_ms)
{
	return rest_ms != 0 && rest_ms <= REST_MS_MAX;
}

static int check_header(const void *bytes, const struct file_status *status,
			const struct place *place)
{
	const struct map_header *header = bytes;

	_Static_assert(offsetof(struct map_header, rest_ms) +
				       sizeof(header->rest_ms) <=
			       SHARED_HEADER_SIZE,
		       "all that is looked at");
	return status->size == sizeof(struct map_memory) &&
			       header->magic == MAP_MAGIC &&
			       header->version == MAP_VERSION &&
			       header->size == sizeof(struct map_memory) &&
			       place_is(place, header->netns_inode,
					header->netns_cookie) &&
			       is_rest(header->rest_ms)
		       ? 0
		       : -ESTALE;
}

static int fill_file(int fd, const struct place *place)
{
	/* As many bytes as fill_memory() writes. */
	const size_t size = offsetof(struct map_memory, choice) +
			    CHOICE_RANDOM_SIZE;
	int result = raw_file_allocate(fd, 0, sizeof(struct map_memory));
	struct map_memory *memory;

	if (result < 0)
		return result;
	memory = raw_map_file(fd, size, PROT_READ | PROT_WRITE, &result);
	if (memory == NULL)
		return result;
	fill_memory(memory, place);
	raw_unmap(memory, size);
	return 0;
}

static const struct shared_file_kind map_file = {
	.name = "map",
	.access = O_RDWR,
	.size = sizeof(struct map_memory),
	.mode = MAP_MODE_DEFAULT,
	.fill = fill_file,
	.check = check_header,
	/* An owner who lets others write the map trusts them. */
	.needs_mode = S_IWGRP | S_IWOTH,
};

void map_set_rest(struct map *map, uint32_t rest_ms)
{
	if (rest_ms == 0)
		/* Another user may have changed the file since it was
		 * checked. */
		rest_ms = map->memory->header.rest_ms;
	/* Relaxed: one number that nothing else depends on; a reader that still
	 * has the old one lets ports rest for the old time. */
	store_relaxed_u32(&map->rest_ms,
			  is_rest(rest_ms) ? rest_ms : REST_MS_DEFAULT);
}

/* Returns 0 or -errno; closes the file. */
static int map_memory_of_file(const struct shared_file *file, struct map *mapp)
{
	uint32_t rest_ms;
	int result;

	mapp->memory = raw_map_file(file->fd, sizeof(struct map_memory),
				    PROT_READ | PROT_WRITE, &result);
	raw_close(file->fd);
	memcpy(&rest_ms,
	       (const char *)file->header +
		       offsetof(struct map_header, rest_ms),
	       sizeof(rest_ms));
	/* As it was checked: another user may have shortened the file since, so
	 * it is not read again. Relaxed: no other thread has this map yet. */
	store_relaxed_u32(&mapp->rest_ms, rest_ms);
	return place_failure(result);
}

static int open_at(const struct place *place, enum place_parent parent,
		   enum map_open mode, struct shared_file *filep,
		   char path[PATH_MAX])
{
	static const enum place_make makes[] = {
		[MAP_EXISTING] = MAKE_NOTHING,
		[MAP_CREATE] = MAKE_AS_PROGRAM,
		[MAP_LOAD] = MAKE_AS_COMMAND,
	};
	struct place_folder folder;
	int result = place_open(place, parent, makes[mode], &folder);

	if (result < 0)
		return result;
	result = shared_file_open(&map_file, &folder, mode != MAP_EXISTING,
				  filep);
	if (result == 0)
		place_folder_path(&folder, map_file.name, path);
	raw_close(folder.fd);
	return result;
}

/* As map_find(), with the whole file, and why an earlier parent gave none. */
static int open_first(const struct place *place, enum map_open mode,
		      struct shared_file *filep, int *passed_overp,
		      char path[PATH_MAX])
{
	int first_error = -ENOENT;

	for (unsigned int i = place->directory != NULL ? PARENT_NAMED
						       : PARENT_RUN;
	     i < N_PLACE_PARENTS; i++) {
		const enum place_parent parent = (enum place_parent)i;
		const int result = open_at(place, parent, mode, filep, path);
		const bool is_first = first_error == -ENOENT ||
				      first_error == -EPERM;

		*passed_overp = is_first ? 0 : first_error;
		if (result == 0)
			return 0;
		if (is_first)
			first_error = result;
		/* A user who names a folder wants that one; but another user
		 * may own the map in it. */
		if (parent == PARENT_NAMED && result != -EPERM)
			break;
	}
	return first_error;
}

int map_open(const struct place *place, enum map_open mode, struct map *mapp,
	     char path[PATH_MAX])
{
	struct shared_file file;
	int result;

	*mapp = (struct map){ .netns_inode = place->netns_inode,
			      .netns_cookie = place->netns_cookie };
	result = open_first(place, mode, &file, &mapp->passed_over, path);
	return result < 0 ? result : map_memory_of_file(&file, mapp);
}

int map_find(const struct place *place, enum map_open mode, int *fdp,
	     char path[PATH_MAX])
{
	struct shared_file file;
	int passed_over;
	const int result = open_first(place, mode, &file, &passed_over, path);

	if (result == 0)
		*fdp = file.fd;
	return result;
}

int map_file_open(const struct place_folder *folder, int access,
		  struct shared_file *filep)
{
	struct shared_file_kind kind = map_file;

	kind.access = access;
	kind.needs_mode = 0;
	return shared_file_open(&kind, folder, false, filep);
}

int map_open_private(int shared_error, struct map *mapp)
{
	const struct place nowhere = { 0 };
	int result;

	*mapp = (struct map){ .rest_ms = REST_MS_DEFAULT,
			      .shared_error = shared_error };
	mapp->memory = raw_map(
		sizeof(struct map_memory), PROT_READ | PROT_WRITE,
		MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0, &result);
	if (mapp->memory == NULL)
		return -ENOMEM;
	fill_memory(mapp->memory, &nowhere);
	return 0;
}

void map_close(struct map *map)
{
	raw_unmap(map->memory, sizeof(*map->memory));
	map->memory = NULL;
}
