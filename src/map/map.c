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

/* getrandom(2): a request of up to this size is always filled completely. */
#define CHUNK 256u

/* What makes one result differ from all others under the same AT_RANDOM. */
struct moment {
	struct timespec time;
	uint64_t address;
	uint64_t pid;
	uint64_t index; /* of the word that is computed from it */
};

static void fill_by_hash(unsigned char *bytes, size_t n_bytes)
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
	for (size_t done = 0; done < n_bytes; done += sizeof(uint64_t)) {
		const size_t left = n_bytes - done;
		/* The result of a keyed hash does not disclose its key. */
		const uint64_t word = siphash_2_4(&key, &moment,
						  sizeof(moment));

		memcpy(bytes + done, &word,
		       left < sizeof(word) ? left : sizeof(word));
		moment.index++;
	}
}

/*
 * Fills memory with bytes that cannot be predicted: from getrandom(2), or where
 * that fails (a seccomp filter, early at boot), from a hash of AT_RANDOM.
 * AT_RANDOM cannot be computed from it: glibc makes its stack canary and its
 * pointer guard of AT_RANDOM, and other processes read the map.
 */
static void fill_secretly(void *bytes, size_t n_bytes)
{
	unsigned char *at = bytes;

	while (n_bytes > 0) {
		const size_t chunk = n_bytes < CHUNK ? n_bytes : CHUNK;

		if (raw_call(SYS_getrandom, at, chunk, GRND_NONBLOCK) !=
		    (long)chunk) {
			fill_by_hash(at, n_bytes);
			return;
		}
		at += chunk;
		n_bytes -= chunk;
	}
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
	fill_secretly(&memory->choice, CHOICE_RANDOM_SIZE);
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

/* Where fdp is not NULL, the file is left open there, and is not mapped. */
static int open_file(const struct place *place, enum place_parent parent,
		     const struct place_folder *folder, bool create,
		     struct map *mapp, int *fdp)
{
	struct shared_file file;
	const int result = shared_file_open(&map_file, place, parent, folder,
					    create, &file);

	if (result < 0)
		return result;
	if (fdp == NULL)
		return map_memory_of_file(&file, mapp);
	*fdp = file.fd;
	return 0;
}

static int open_at(const struct place *place, enum place_parent parent,
		   enum map_open mode, struct map *mapp, int *fdp,
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
	result = open_file(place, parent, &folder, mode != MAP_EXISTING, mapp,
			   fdp);
	if (result == 0)
		place_folder_path(&folder, "map", path);
	raw_close(folder.fd);
	return result;
}

/* Whether the next parent is tried after this result. */
static bool goes_on(enum place_parent parent, int result)
{
	/* A user who names a folder wants that one; but another user may own
	 * the map in it. */
	return parent != PARENT_NAMED || result == -EPERM;
}

/* As map_open(); fdp as open_file() takes it. */
static int open_first(const struct place *place, enum map_open mode,
		      struct map *mapp, int *fdp, char path[PATH_MAX])
{
	const bool is_named = place->directory != NULL;
	int first_error = -ENOENT;

	*mapp = (struct map){ .netns_inode = place->netns_inode,
			      .netns_cookie = place->netns_cookie };
	for (unsigned int i = is_named ? PARENT_NAMED : PARENT_RUN;
	     i < N_PLACE_PARENTS; i++) {
		const enum place_parent parent = (enum place_parent)i;
		const int result = open_at(place, parent, mode, mapp, fdp,
					   path);

		if (result == 0) {
			mapp->passed_over =
				first_error == -ENOENT || first_error == -EPERM
					? 0
					: first_error;
			return 0;
		}
		if (first_error == -ENOENT || first_error == -EPERM)
			first_error = result;
		if (is_named && !goes_on(parent, result))
			break;
	}
	return first_error;
}

int map_open(const struct place *place, enum map_open mode, struct map *mapp,
	     char path[PATH_MAX])
{
	return open_first(place, mode, mapp, NULL, path);
}

int map_find(const struct place *place, enum map_open mode, int *fdp,
	     char path[PATH_MAX])
{
	struct map map;

	return open_first(place, mode, &map, fdp, path);
}

int map_file_open(const struct place *place, const struct place_folder *folder,
		  int access, struct shared_file *filep)
{
	struct shared_file_kind kind = map_file;

	kind.access = access;
	kind.needs_mode = 0;
	return shared_file_open(&kind, place, PARENT_NAMED, folder, false,
				filep);
}

int map_open_private(int shared_error, struct map *mapp)
{
	const struct place nowhere = { 0 };
	int result;

	*mapp = (struct map){ .rest_ms = REST_MS_DEFAULT,
			      .shared_error = shared_error };
	mapp->memory = raw_map_memory(sizeof(struct map_memory), &result);
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
