/* SPDX-License-Identifier: MIT */
#include "core/arena_place.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/raw.h"

#define DIRECTORY_FLAGS (O_RDONLY | O_DIRECTORY)

/* What is expected of a root, and what is done when it is missing. */
struct root {
	char path[PATH_MAX];
	bool any_owner;		/* the operator named it */
	bool may_create;
	int mode;
};

static int append_text(char path[PATH_MAX], const char *text)
{
	const size_t length = strlen(path);
	const size_t n = strlen(text);

	if (length + n >= PATH_MAX)
		return -ENAMETOOLONG;
	memcpy(path + length, text, n + 1);
	return 0;
}

static int append_number(char path[PATH_MAX], uint64_t number)
{
	char digits[21];
	char *at = digits + sizeof(digits) - 1;

	*at = '\0';
	do {
		*--at = (char)('0' + number % 10);
		number /= 10;
	} while (number != 0);
	return append_text(path, at);
}

/* Returns 0, -ENOENT for a root that does not apply, -ENAMETOOLONG. */
static int root_describe(const struct arena_place *place, unsigned int number,
			 struct root *rootp)
{
	const uid_t uid = raw_geteuid();

	*rootp = (struct root){ .may_create = true, .mode = 0755 };
	if (place->directory != NULL) {
		rootp->any_owner = true;
		return number == 0 ? append_text(rootp->path, place->directory)
				   : -ENOENT;
	}
	switch (number) {
	case 1:
		rootp->may_create = false;
		return append_text(rootp->path, "/run/berth");
	case 2:
		rootp->may_create = uid == 0;
		return append_text(rootp->path, "/dev/shm/berth");
	case 3:
		rootp->mode = 0700;
		append_text(rootp->path, "/dev/shm/berth-");
		return append_number(rootp->path, uid);
	default:
		return -ENOENT;
	}
}

/* Opens a folder that root or this user owns, no symlink; or the one named. */
static int open_owned(int parent_fd, const char *path, bool any_owner)
{
	const bool named = any_owner && parent_fd == AT_FDCWD;
	const int fd = raw_open(parent_fd, path,
				DIRECTORY_FLAGS | (named ? 0 : O_NOFOLLOW), 0);
	struct stat status;

	if (fd == -ELOOP || fd == -ENOTDIR)
		return -EACCES;
	if (fd < 0)
		return fd;

	int result = raw_fstat(fd, &status);

	if (result == 0 && !any_owner && status.st_uid != 0 &&
	    status.st_uid != raw_geteuid())
		result = -EACCES;
	if (result == 0)
		return fd;
	raw_close(fd);
	return result;
}

static int open_or_make(int parent_fd, const char *path, bool any_owner,
			bool create, int mode)
{
	int fd = open_owned(parent_fd, path, any_owner);

	if (fd != -ENOENT || !create)
		return fd;

	const int made = raw_mkdir_at(parent_fd, path, mode);

	if (made != 0 && made != -EEXIST)
		return made;
	fd = open_owned(parent_fd, path, any_owner);
	/* Somebody has removed it: not one that is not to be used here. */
	if (fd == -ENOENT)
		return -ESTALE;
	if (fd >= 0)
		/* The program's umask is not for Berth's folders; where the
		 * folder is another's, there is nothing to correct. */
		raw_fchmod(fd, mode);
	return fd;
}

int arena_place_open(const struct arena_place *place, unsigned int number,
		     bool create, struct arena_folder *folderp)
{
	struct root root;
	const int described = root_describe(place, number, &root);

	if (described < 0)
		return described;

	const int root_fd = open_or_make(AT_FDCWD, root.path, root.any_owner,
					 create && root.may_create, root.mode);

	if (root_fd < 0) {
		return root_fd;
	}

	/* The inode names the folder; without /proc, the cookie. */
	char name[PATH_MAX] = "";
	int result = place->netns_inode != 0
		? append_number(name, place->netns_inode)
		: append_text(name, "cookie-");

	if (result == 0 && place->netns_inode == 0)
		result = append_number(name, place->netns_cookie);
	folderp->path[0] = '\0';
	if (result == 0)
		result = append_text(folderp->path, root.path);
	if (result == 0)
		result = append_text(folderp->path, "/");
	if (result == 0)
		result = append_text(folderp->path, name);
	if (result == 0)
		result = open_or_make(root_fd, name, root.any_owner, create,
				      root.mode);
	raw_close(root_fd);
	if (result < 0)
		return result;
	folderp->fd = result;
	return 0;
}

int arena_place_file(const struct arena_folder *folder, const char *name,
		     char path[PATH_MAX])
{
	path[0] = '\0';

	int result = append_text(path, folder->path);

	if (result == 0)
		result = append_text(path, "/");
	return result == 0 ? append_text(path, name) : result;
}
