/* SPDX-License-Identifier: MIT */
#include "cli/report/maps.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/raw.h"
#include "cli/message.h"
#include "kernel/folder.h"
#include "kernel/users.h"
#include "map/layout.h"
#include "map/map.h"
#include "map/place.h"
#include "map/shared_file.h"

#define SHM_PATH "/dev/shm"
#define FILE_NAME "map"
#define FOLDER_PREFIX "berth-"

/* "berth-", 10 digits, "-", 20 digits. */
#define FOLDER_NAME_SIZE 40

struct visiting {
	const struct place *place;
	int access;
	found_map_visit visit;
	void *context;
	/* The maps of the parents, not to be visited again: BERTH_DIR may also be
	 * the folder of a user. */
	struct file_status seen[N_PLACE_PARENTS];
	size_t n_seen;
};

static bool was_seen(const struct visiting *visiting,
		     const struct file_status *status)
{
	for (size_t i = 0; i < visiting->n_seen; i++)
		if (file_status_is_same(&visiting->seen[i], status))
			return true;
	return false;
}

/* Fills in what is known of a file, whether or not it could be opened. */
static void describe(struct found_map *found, const struct place_folder *folder,
		     const struct shared_file *file)
{
	found->fd = file->fd;
	if (found->error == 0)
		found->status = file->status;
	else if (raw_file_status_at(folder->fd, FILE_NAME, &found->status) < 0)
		return;
	found->uid = found->status.uid;
	found->is_shared = (found->status.mode & (S_IWGRP | S_IWOTH)) != 0;
}

/* Inode numbers of namespaces, which name the folders, are used again: a map
 * may be that of a namespace that is gone. */
static bool is_of_another_namespace(const struct place *place,
				    const struct place_folder *folder)
{
	const int fd = raw_open(folder->fd, FILE_NAME,
				O_RDONLY | O_NOFOLLOW | O_NONBLOCK, 0);
	struct map_header header;
	bool is_read;

	if (fd < 0)
		return false;
	is_read = raw_file_read(fd, (char *)&header, sizeof(header), 0) == 0;
	raw_close(fd);
	return is_read && header.magic == MAP_MAGIC &&
	       header.version == MAP_VERSION &&
	       !place_is(place, header.netns_inode, header.netns_cookie);
}

/* Visits the map in a folder, if there is one; closes the folder. */
static void visit_folder(struct visiting *visiting, struct place_folder *folder,
			 bool is_root)
{
	char path[PATH_MAX];
	struct shared_file file = { .fd = -1 };
	struct found_map found = { .path = path, .uid = folder->uid };

	found.error = folder->is_trusted
			      ? map_file_open(folder, visiting->access, &file)
			      : -ENOENT;
	/* A user may put a link there. That is no failure of this command. */
	if (found.error == -ELOOP && !is_root)
		found.error = -ESTALE;
	describe(&found, folder, &file);
	if (found.error == -ESTALE &&
	    is_of_another_namespace(visiting->place, folder))
		found.error = -ENOENT;
	place_folder_path(folder, FILE_NAME, path);
	if (path[0] == '\0')
		memcpy(path, FILE_NAME, sizeof(FILE_NAME));
	raw_close(folder->fd);
	/* A user's folder may have a link to another user's file. */
	if (found.error != -ENOENT && !was_seen(visiting, &found.status) &&
	    (is_root || found.uid == folder->uid))
		visiting->visit(&found, visiting->context);
	if (found.error != -ENOENT && is_root)
		visiting->seen[visiting->n_seen++] = found.status;
	if (found.fd >= 0)
		raw_close(found.fd);
}

static void visit_missed(struct visiting *visiting, const char *path,
			 uint32_t uid, int error)
{
	const struct found_map found = {
		.path = path, .uid = uid, .error = error, .fd = -1
	};

	if (error != -ENOENT)
		visiting->visit(&found, visiting->context);
}

/* --- the folders of users ---------------------------------------------------
 *
 * In /dev/shm users have made folders for their maps: berth-UID, or
 * berth-UID-NUMBER where another user had made that name (see own_folder.h).
 */

/* Whether a name is that of a user's folder, and of which user. */
static bool read_name(const char *name, unsigned long *uidp)
{
	const size_t length = strlen(FOLDER_PREFIX);
	char *end;

	if (strncmp(name, FOLDER_PREFIX, length) != 0 || name[length] < '0' ||
	    name[length] > '9' || strlen(name) >= FOLDER_NAME_SIZE)
		return false;
	*uidp = strtoul(name + length, &end, 10);
	return *end == '\0' || *end == '-';
}

static int is_user_folder(const struct dirent *entry)
{
	unsigned long uid;

	return read_name(entry->d_name, &uid);
}

/* "berth-1000" is before "berth-1000-1". */
static int compare_folders(const struct dirent **left,
			   const struct dirent **right)
{
	const char *a = (*left)->d_name, *b = (*right)->d_name;
	unsigned long uid_a = 0, uid_b = 0;

	(void)read_name(a, &uid_a);
	(void)read_name(b, &uid_b);
	return uid_a != uid_b ? (uid_a < uid_b ? -1 : 1) : strcmp(a, b);
}

/*
 * Visits a folder if it is the first of its user by name, which the user's
 * programs would take. The owner has to be the user of the name, except in a
 * user namespace, where users have other numbers.
 */
static void visit_user(struct visiting *visiting, const char *name,
		       unsigned long *lastp)
{
	char path[sizeof(SHM_PATH "/") + NAME_MAX];
	struct place_folder folder;
	struct stat status;
	unsigned long uid;
	int result, fd;

	snprintf(path, sizeof(path), SHM_PATH "/%s", name);
	if (!read_name(name, &uid) || uid == *lastp ||
	    lstat(path, &status) < 0 || !S_ISDIR(status.st_mode) ||
	    (users_are_known(&visiting->place->users) && status.st_uid != uid))
		return;
	*lastp = uid;
	/* The folders of these two are parents, visited before. */
	if (status.st_uid == 0 || status.st_uid == geteuid())
		return;
	fd = folder_open(AT_FDCWD, path, O_RDONLY);
	if (fd < 0) {
		visit_missed(visiting, path, status.st_uid, fd);
		return;
	}
	result = place_open_below(visiting->place, fd, status.st_uid, &folder);
	raw_close(fd);
	if (result < 0)
		visit_missed(visiting, path, status.st_uid, result);
	else
		visit_folder(visiting, &folder, false);
}

/* Returns 0, also without a /dev/shm; or why that cannot be read. */
static int visit_users(struct visiting *visiting)
{
	unsigned long last = ULONG_MAX;
	struct dirent **entries;
	const int n = scandir(SHM_PATH, &entries, is_user_folder,
			      compare_folders);

	if (n < 0)
		return errno == ENOENT ? 0 : -errno;
	for (int i = 0; i < n; i++) {
		visit_user(visiting, entries[i]->d_name, &last);
		free(entries[i]);
	}
	free(entries);
	return 0;
}

int found_maps_visit(const struct place *place, int access,
		     found_map_visit visit, void *context)
{
	struct visiting visiting = { .place = place,
				     .access = access,
				     .visit = visit,
				     .context = context };
	struct place_folder folder;

	for (unsigned int parent = 0; parent < N_PLACE_PARENTS; parent++) {
		const int result = place_open(place, parent, MAKE_NOTHING,
					      &folder);
		if (result == 0)
			visit_folder(&visiting, &folder, true);
		else
			visit_missed(
				&visiting, place_parent_name(place, parent),
				place_parent_is_roots(parent) ? 0 : geteuid(),
				result);
	}
	return visit_users(&visiting);
}

/* --- what is in one ------------------------------------------------------- */

int found_map_copy(const struct found_map *found, const struct place *place,
		   size_t offset, size_t size, struct map *mapp)
{
	int result;

	*mapp = (struct map){
		.memory = raw_map_private(sizeof(struct map_memory)),
		.netns_inode = place->netns_inode,
		.netns_cookie = place->netns_cookie,
	};
	if (mapp->memory == NULL)
		return -ENOMEM;
	result = raw_file_read(found->fd, (char *)mapp->memory + offset, size,
			       offset);
	if (result == 0)
		map_set_rest(mapp, 0);
	else
		map_close(mapp);
	return result == -ENODATA ? -ESTALE : result;
}

int map_copy_own(const struct place *place, struct map *mapp)
{
	struct found_map found;
	int result = map_find(place, MAP_EXISTING, &found.fd, NULL);

	mapp->memory = NULL;
	if (result < 0)
		return result;
	result = found_map_copy(&found, place, 0, sizeof(struct map_memory),
				mapp);
	raw_close(found.fd);
	return result;
}

int found_map_open(const struct found_map *found, const struct place *place,
		   struct map *mapp)
{
	int result;

	*mapp = (struct map){ .netns_inode = place->netns_inode,
			      .netns_cookie = place->netns_cookie };
	mapp->memory = raw_map_file(found->fd, sizeof(struct map_memory),
				    PROT_READ | PROT_WRITE, &result);
	return result;
}

/* --- what is left out ----------------------------------------------------- */

bool found_map_is_denied(int error)
{
	return error == -EACCES || error == -EPERM || error == -ESTALE;
}

void maps_missed_add(struct maps_missed *missed, const struct found_map *found,
		     int error)
{
	if (found_map_is_denied(error)) {
		missed->n_denied++;
		return;
	}
	missed->is_broken = true;
	if (!missed->is_quiet)
		message("cannot use the map %s: %s", found->path,
			error == -EIO ? "it was shortened meanwhile"
				      : strerror(-error));
}

void maps_missed_tell(const struct maps_missed *missed)
{
	if (missed->n_denied > 0 && !missed->is_quiet)
		message("left out: %zu files that may be maps of this "
			"namespace, of other users or another version",
			missed->n_denied);
}
