/* SPDX-License-Identifier: MIT */
#include "core/arena.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/raw.h"
#include "core/arena_layout.h"
#include "core/arena_place.h"

#define FILE_NAME "arena"

/* A file in the way is replaced, another maker is met: each at most so often. */
#define MAX_ROUNDS 8

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

static int map(int fd, struct arena_memory **memoryp)
{
	void *memory = mmap(NULL, sizeof(struct arena_memory),
			    PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	if (memory == MAP_FAILED)
		return -errno;
	*memoryp = memory;
	return 0;
}

/* Returns 0, or -ESTALE for a file that is no arena of this namespace. */
static int check_header(const struct arena_header *header,
			const struct arena_place *place)
{
	const bool same_cookie = header->netns_cookie == 0 ||
				 place->netns_cookie == 0 ||
				 header->netns_cookie == place->netns_cookie;

	if (header->magic != ARENA_MAGIC ||
	    header->version != ARENA_VERSION ||
	    header->size != sizeof(struct arena_memory) ||
	    header->netns_inode != place->netns_inode || !same_cookie ||
	    header->rest_ms == 0 || header->rest_ms > REST_MS_MAX)
		return -ESTALE;
	return 0;
}

static int check_file(int fd, const struct arena_place *place,
		      struct stat *statusp)
{
	struct arena_header header;

	if (fstat(fd, statusp) != 0)
		return -errno;
	if (!S_ISREG(statusp->st_mode) ||
	    statusp->st_size != (off_t)sizeof(struct arena_memory))
		return -ESTALE;
	/* Another's file is used only where the operator named the folder. */
	if (statusp->st_uid != 0 && statusp->st_uid != geteuid() &&
	    place->directory == NULL)
		return -ESTALE;
	if (pread(fd, &header, sizeof(header), 0) != (ssize_t)sizeof(header))
		return -ESTALE;
	return check_header(&header, place);
}

/* An unnamed file, or where the file system has none, one with a name to drop. */
static int open_unnamed(const struct arena_folder *folder, char name[32])
{
	int fd = raw_open(folder->fd, ".", O_TMPFILE | O_RDWR, 0600);

	name[0] = '\0';
	if (fd != -EOPNOTSUPP && fd != -EISDIR && fd != -ENOENT)
		return fd;

	static const char prefix[] = FILE_NAME ".";
	pid_t pid = raw_getpid();
	size_t length = sizeof(prefix) - 1;

	memcpy(name, prefix, length);
	for (; pid != 0; pid /= 10)
		name[length++] = (char)('0' + pid % 10);
	name[length] = '\0';
	return raw_open(folder->fd, name, O_RDWR | O_CREAT | O_EXCL, 0600);
}

static int link_in_place(const struct arena_folder *folder, int fd,
			 const char *name)
{
	char path[32] = "/proc/self/fd/";
	size_t length = strlen(path);
	char digits[12];
	size_t n_digits = 0;

	if (name[0] != '\0')
		return linkat(folder->fd, name, folder->fd, FILE_NAME, 0) == 0
			? 0 : -errno;
	/* open(2), O_TMPFILE: without a capability, by way of /proc. */
	if (linkat(fd, "", folder->fd, FILE_NAME, AT_EMPTY_PATH) == 0)
		return 0;
	if (errno == EEXIST)
		return -EEXIST;
	do
		digits[n_digits++] = (char)('0' + fd % 10);
	while ((fd /= 10) != 0);
	while (n_digits > 0)
		path[length++] = digits[--n_digits];
	path[length] = '\0';
	return linkat(AT_FDCWD, path, folder->fd, FILE_NAME,
		      AT_SYMLINK_FOLLOW) == 0 ? 0 : -errno;
}

static int write_whole(int fd, const struct arena_place *place)
{
	const int result = posix_fallocate(fd, 0, sizeof(struct arena_memory));
	struct {
		struct arena_header header;
		struct choice_memory choice;
	} first = { 0 };

	_Static_assert(offsetof(struct arena_memory, choice) ==
		       sizeof(first.header), "the choice follows the header");
	if (result != 0)
		return -result;
	fill_header(&first.header, place);
	/* RFC 6056: next_ephemeral and the table are random at first. */
	fill_random(&first.choice, sizeof(first.choice));
	if (pwrite(fd, &first, sizeof(first), 0) != (ssize_t)sizeof(first))
		return -EIO;
	/* A service that drops root must still reach what root has made. */
	if (fchmod(fd, geteuid() == 0 ? 0666 : 0600) != 0)
		return -errno;
	return 0;
}

/* Returns 0; -EEXIST when somebody else was first; or why it cannot be made. */
static int make(const struct arena_folder *folder,
		const struct arena_place *place)
{
	char name[32];
	const int fd = open_unnamed(folder, name);

	if (fd < 0)
		return fd;

	int result = write_whole(fd, place);

	if (result == 0)
		result = link_in_place(folder, fd, name);
	if (name[0] != '\0')
		unlinkat(folder->fd, name, 0);
	raw_close(fd);
	return result;
}

/* Takes a stale file away, if it still is the one that was found stale. */
static int remove_stale(const struct arena_folder *folder,
			const struct stat *stale)
{
	struct stat status;

	if (fstatat(folder->fd, FILE_NAME, &status, AT_SYMLINK_NOFOLLOW) != 0)
		return errno == ENOENT ? 0 : -errno;
	if (stale != NULL && (status.st_ino != stale->st_ino ||
			      status.st_dev != stale->st_dev))
		return 0;
	return unlinkat(folder->fd, FILE_NAME, 0) == 0 || errno == ENOENT
		? 0 : -ESTALE;
}

/* Maps what the name leads to. Returns 0, -ENOENT, -ESTALE (removed or not). */
static int open_named(const struct arena_folder *folder,
		      const struct arena_place *place, enum arena_open mode,
		      struct arena_memory **memoryp)
{
	const int fd = raw_open(folder->fd, FILE_NAME,
				O_RDWR | O_NOFOLLOW | O_NONBLOCK, 0);
	struct stat status;

	if (fd == -ELOOP || fd == -EISDIR || fd == -ENXIO)
		return mode == ARENA_CREATE && remove_stale(folder, NULL) == 0
			? -ENOENT : -ELOOP;
	if (fd < 0)
		return fd;

	int result = check_file(fd, place, &status);

	if (result == 0)
		result = map(fd, memoryp);
	else if (result == -ESTALE && mode == ARENA_CREATE)
		result = remove_stale(folder, &status) == 0 ? -ENOENT : -ESTALE;
	raw_close(fd);
	return result;
}

static int open_in(const struct arena_folder *folder,
		   const struct arena_place *place, enum arena_open mode,
		   struct arena *arenap)
{
	int result = -ESTALE;

	for (int round = 0; round < MAX_ROUNDS; round++) {
		result = open_named(folder, place, mode, &arenap->memory);
		if (result != -ENOENT || mode == ARENA_EXISTING)
			return result;
		result = make(folder, place);
		if (result < 0 && result != -EEXIST)
			return result;
	}
	return result;
}

/* A file of another user may change between the check and now: check again. */
static int adopt_header(struct arena *arena)
{
	const uint32_t rest_ms = arena->memory->header.rest_ms;

	arena->shared_error = 0;
	arena->rest_ms = rest_ms;
	if (rest_ms != 0 && rest_ms <= REST_MS_MAX)
		return 0;
	arena_close(arena);
	return -ESTALE;
}

int arena_open(const struct arena_place *place, enum arena_open mode,
	       struct arena *arenap, char path[PATH_MAX])
{
	const int saved_errno = errno;
	int first_error = -ENOENT;

	*arenap = (struct arena){ 0 };
	if (place->netns_inode == 0 && place->netns_cookie == 0)
		return -ENOENT;
	for (unsigned int root = 0; root < N_ARENA_ROOTS; root++) {
		struct arena_folder folder;
		int result = arena_place_open(place, root,
					      mode == ARENA_CREATE, &folder);

		if (result == 0) {
			result = open_in(&folder, place, mode, arenap);
			raw_close(folder.fd);
		}
		if (result == 0)
			result = adopt_header(arenap);
		if (result == 0 && path != NULL)
			result = arena_place_file(&folder, FILE_NAME, path);
		errno = saved_errno;
		if (result == 0)
			return 0;
		if (first_error == -ENOENT)
			first_error = result;
	}
	return first_error;
}

int arena_open_private(int shared_error, struct arena *arenap)
{
	const struct arena_place nowhere = { 0 };
	const int saved_errno = errno;
	void *memory = mmap(NULL, sizeof(struct arena_memory),
			    PROT_READ | PROT_WRITE,
			    MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	*arenap = (struct arena){ .rest_ms = REST_MS_DEFAULT,
				  .shared_error = shared_error };
	errno = saved_errno;
	if (memory == MAP_FAILED)
		return -ENOMEM;
	arenap->memory = memory;
	fill_header(&arenap->memory->header, &nowhere);
	fill_random(&arenap->memory->choice, sizeof(arenap->memory->choice));
	return 0;
}

void arena_close(struct arena *arena)
{
	if (arena->memory != NULL)
		munmap(arena->memory, sizeof(*arena->memory));
	arena->memory = NULL;
}
