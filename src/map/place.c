/* SPDX-License-Identifier: MIT */
#include "map/place.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <linux/limits.h>
#include <stddef.h>
#include <string.h>
#include <sys/stat.h>

#include "base/raw.h"
#include "base/raw_file.h"
#include "base/text.h"
#include "kernel/folder.h"
#include "map/dead_folders.h"
#include "map/own_folder.h"

/* A name that is longer than the longest: "cookie-" and 20 digits. */
#define NAME_SIZE 32

#define OTHERS_MAY_WRITE (S_IWGRP | S_IWOTH)

#define MODE_FOR_ALL 0755u
#define MODE_OF_OWN 0700u

/*
 * The number of root as the process sees it, where only root can have made the
 * file.
 */
static bool is_roots(const struct place *place, uint32_t uid)
{
	const struct users *users = &place->users;

	return uid == 0 || (users->is_mapped && uid == users->overflow_uid) ||
	       (users->has_root && uid == users->root_uid);
}

bool place_trusts(const struct place *place, enum place_parent parent,
		  uint32_t uid)
{
	switch (parent) {
	case PARENT_NAMED: return true;
	case PARENT_RUN: return is_roots(place, uid);
	/* Any user can have made a folder there: the overflow user proves
	 * nothing. */
	case PARENT_SHM: return uid == 0;
	default: return uid == raw_geteuid();
	}
}

/* Finds the owner of a folder, before it may be taken for another user's.
 * Returns 0 or -errno. */
static int check_trust(int fd, struct place_folder *folderp)
{
	struct file_status status;
	const int result = raw_file_status(fd, &status);

	if (result < 0)
		return result;
	folderp->uid = status.uid;
	folderp->is_trusted = place_trusts(folderp->place, folderp->parent,
					   status.uid) &&
			      (!place_parent_is_roots(folderp->parent) ||
			       (status.mode & OTHERS_MAY_WRITE) == 0);
	return 0;
}

/* For a parent that is used only where it is trusted. Returns its
 * descriptor, or closes it. */
static int keep_trusted(const struct place *place, enum place_parent parent,
			int fd)
{
	struct place_folder folder = { .place = place, .parent = parent };
	int result;

	if (fd < 0)
		return fd;
	result = check_trust(fd, &folder);
	if (result == 0 && folder.is_trusted)
		return fd;
	raw_close(fd);
	return result < 0 ? result : -ENOENT;
}

/* --- BERTH_DIR ------------------------------------------------------------ */

/* Whether only root and this user can have put a name into a folder. */
static bool is_closed_to_others(const struct place *place, int fd)
{
	struct file_status status;

	return raw_file_status(fd, &status) == 0 &&
	       (is_roots(place, status.uid) || status.uid == raw_geteuid()) &&
	       (status.mode & OTHERS_MAY_WRITE) == 0;
}

static int open_component(const struct place *place, int parent_fd,
			  const char *name, int access)
{
	const int fd = folder_open(parent_fd, name, access);

	return fd == -EACCES && is_closed_to_others(place, parent_fd)
		       ? raw_open(parent_fd, name, access | O_DIRECTORY, 0)
		       : fd;
}

/*
 * Copies the next component of a path. Returns false for one that is too long.
 */
static bool take_component(const char **pathp, char name[NAME_MAX + 1])
{
	const char *path = *pathp + strspn(*pathp, "/");
	const size_t length = strcspn(path, "/");

	if (length > NAME_MAX)
		return false;
	memcpy(name, path, length);
	name[length] = '\0';
	path += length;
	*pathp = path + strspn(path, "/");
	return true;
}

/* Not inlined: only this parent needs its name on the stack. */
__attribute__((noinline)) static int open_named(const struct place *place,
						bool make)
{
	const char *path = place->directory;
	char name[NAME_MAX + 1];
	int fd = raw_open(AT_FDCWD, "/", *path == '\0' ? O_RDONLY : O_PATH, 0);

	if (*path != '/') {
		raw_close(fd);
		return -EINVAL;
	}
	while (fd >= 0 && *path != '\0') {
		const int parent_fd = fd;

		if (!take_component(&path, name)) {
			raw_close(parent_fd);
			return -ENAMETOOLONG;
		}

		const bool is_last = *path == '\0';

		fd = open_component(place, parent_fd,
				    name[0] != '\0' ? name : ".",
				    is_last ? O_RDONLY : O_PATH);
		if (fd == -ENOENT && is_last && make)
			fd = folder_make(parent_fd, name, MODE_FOR_ALL, NULL);
		raw_close(parent_fd);
	}
	return fd;
}

/* --- the others ----------------------------------------------------------- */

/* Opens a folder, or makes it, and closes its parent. */
static int open_in(int parent_fd, const char *name, bool make)
{
	int fd;

	if (parent_fd < 0)
		return parent_fd;
	fd = make ? folder_make(parent_fd, name, MODE_FOR_ALL, NULL)
		  : folder_open(parent_fd, name, O_RDONLY);
	raw_close(parent_fd);
	return fd;
}

/* /run is opened where root owns it, from the top. */
static int open_run_berth(const struct place *place, bool make)
{
	const int top_fd = raw_open(AT_FDCWD, "/", O_PATH | O_DIRECTORY, 0);
	const int run_fd = open_in(keep_trusted(place, PARENT_RUN, top_fd),
				   "run", false);

	return open_in(keep_trusted(place, PARENT_RUN, run_fd), "berth", make);
}

static bool is_real_root(const struct place *place)
{
	return raw_geteuid() == 0 && !place->users.is_mapped;
}

/*
 * In a user namespace, root inside is another user outside, with a name there.
 */
static bool makes_shm_parent(const struct place *place, enum place_make make)
{
	return is_real_root(place) ||
	       (make == MAKE_AS_COMMAND && raw_geteuid() == 0);
}

/* Root does not own it: the folder counts as missing, whoever has the name. */
static bool is_squatted(int shm_fd)
{
	struct file_status status;

	return raw_file_status_at(shm_fd, "berth-0", &status) == 0 &&
	       status.uid != 0;
}

static int open_shm_parent(const struct place *place, bool make)
{
	const int shm_fd = raw_open(AT_FDCWD, "/dev/shm",
				    O_RDONLY | O_DIRECTORY, 0);
	int fd;

	if (shm_fd < 0)
		return shm_fd;
	fd = folder_open(shm_fd, "berth-0", O_RDONLY);
	if (fd == -EACCES && is_squatted(shm_fd))
		fd = -ENOENT;
	if (make)
		fd = keep_trusted(place, PARENT_SHM, fd);
	if (make && (fd == -ENOENT || fd == -EACCES))
		fd = folder_take(shm_fd, "berth-0", MODE_FOR_ALL);
	raw_close(shm_fd);
	return fd;
}

static int open_own(const struct place *place, bool make)
{
	const struct users *users = &place->users;
	int shm_fd, fd;

	/* Root's own folder is root's; a user without a number outside has no
	 * name there. */
	if (is_real_root(place) || (users->is_mapped && !users->has_outer))
		return -ENOENT;
	shm_fd = raw_open(AT_FDCWD, "/dev/shm", O_RDONLY | O_DIRECTORY, 0);
	if (shm_fd < 0)
		return shm_fd;
	fd = own_folder_open(
		shm_fd, users->is_mapped ? users->outer_uid : raw_geteuid(),
		make);
	raw_close(shm_fd);
	return fd;
}

static int open_parent(const struct place *place, enum place_parent parent,
		       enum place_make make)
{
	switch (parent) {
	case PARENT_NAMED:
		return place->directory == NULL
			       ? -ENOENT
			       : open_named(place, make != MAKE_NOTHING);
	case PARENT_RUN:
		return open_run_berth(place, make == MAKE_AS_COMMAND &&
						     raw_geteuid() == 0);
	case PARENT_SHM:
		return open_shm_parent(place,
				       make != MAKE_NOTHING &&
					       makes_shm_parent(place, make));
	default: return open_own(place, make != MAKE_NOTHING);
	}
}

/* The inode names the folder; without /proc, the cookie. */
static int put_name(const struct place *place, char name[NAME_SIZE])
{
	if (place->netns_inode == 0 && place->netns_cookie == 0)
		return -ENOENT;
	if (place->netns_inode != 0)
		number_text(place->netns_inode, name);
	else
		text_number(name, NAME_SIZE, "cookie-", place->netns_cookie,
			    "");
	return 0;
}

/* Whether this user makes folders below a parent. */
static bool makes_in(const struct place *place, enum place_parent parent,
		     enum place_make make)
{
	if (make == MAKE_NOTHING || place->makes_nothing)
		return false;
	return parent == PARENT_RUN
		       ? raw_geteuid() == 0
		       : parent != PARENT_SHM || makes_shm_parent(place, make);
}

static int open_namespace(const struct place *place, enum place_parent parent,
			  int parent_fd, bool make, const char *name)
{
	bool is_new = false;
	const int fd = make ? folder_make(parent_fd, name,
					  parent == PARENT_OWN ? MODE_OF_OWN
							       : MODE_FOR_ALL,
					  &is_new)
			    : folder_open(parent_fd, name, O_RDONLY);

	if (is_new && place->retire != NULL)
		dead_folders_clear(parent_fd, name, place->retire,
				   parent == PARENT_NAMED ||
					   parent == PARENT_RUN);
	return fd;
}

int place_open(const struct place *place, enum place_parent parent,
	       enum place_make make, struct place_folder *folderp)
{
	const bool makes = makes_in(place, parent, make);
	char name[NAME_SIZE];
	int parent_fd, result = put_name(place, name);

	if (result < 0)
		return result;
	*folderp = (struct place_folder){ .place = place, .parent = parent };
	parent_fd = open_parent(place, parent, makes ? make : MAKE_NOTHING);
	if (parent_fd < 0)
		return place_failure(parent_fd);
	result = check_trust(parent_fd, folderp);
	if (result == 0)
		result = open_namespace(place, parent, parent_fd,
					makes && folderp->is_trusted, name);
	raw_close(parent_fd);
	if (result < 0)
		return place_failure(result);
	folderp->fd = result;
	result = folderp->is_trusted ? check_trust(folderp->fd, folderp) : 0;
	if (result < 0)
		raw_close(folderp->fd);
	return place_failure(result);
}

int place_open_below(const struct place *place, int parent_fd, uint32_t uid,
		     struct place_folder *folderp)
{
	struct file_status status;
	char name[NAME_SIZE];
	int result = put_name(place, name);

	if (result < 0)
		return result;
	*folderp = (struct place_folder){
		.fd = folder_open(parent_fd, name, O_RDONLY),
		.place = place,
		.parent = PARENT_NAMED,
		.uid = uid,
	};
	if (folderp->fd < 0)
		return folderp->fd;
	folderp->is_trusted = raw_file_status(folderp->fd, &status) == 0 &&
			      status.uid == uid;
	return 0;
}

const char *place_parent_name(const struct place *place,
			      enum place_parent parent)
{
	switch (parent) {
	case PARENT_NAMED: return place->directory;
	case PARENT_RUN: return "/run/berth";
	case PARENT_SHM: return "/dev/shm/berth-0";
	default: return "/dev/shm/berth-UID";
	}
}

void place_folder_path(const struct place_folder *folder, const char *name,
		       char path[PATH_MAX])
{
	char link[FD_PATH_SIZE];
	ssize_t length;

	if (path == NULL)
		return;
	fd_path(folder->fd, link);
	length = raw_read_link(AT_FDCWD, link, path, PATH_MAX);
	if (length < 0)
		return;

	struct text whole = { path, PATH_MAX, (size_t)length };

	text_put_char(&whole, '/');
	text_put(&whole, name);
	text_end(&whole);
	if (whole.length >= PATH_MAX)
		path[0] = '\0';
}
