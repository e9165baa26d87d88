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
#include "cli/memory.h"
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

/* "berth-", 10 digits, "-", 16 hexadecimal digits. */
#define FOLDER_NAME_SIZE 40

/* --- the folders of users ---------------------------------------------------
 *
 * In /dev/shm users have made folders for their maps: berth-UID, or
 * berth-UID-NUMBER where another user had made that name (see own_folder.h).
 */

struct user_folder {
	uint32_t uid;
	char name[FOLDER_NAME_SIZE];
};

struct user_folders {
	struct user_folder *items; /* by uid */
	size_t n_items;
	struct memory memory; /* of items */
};

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

/* Another file is passed over. */
static void add_entry(struct user_folders *folders, const struct users *users,
		      int shm_fd, const char *name)
{
	struct user_folder *folder;
	unsigned long uid;
	struct stat status;

	if (!read_name(name, &uid) ||
	    fstatat(shm_fd, name, &status, AT_SYMLINK_NOFOLLOW) < 0 ||
	    !S_ISDIR(status.st_mode) ||
	    (users_are_known(users) && status.st_uid != uid))
		return;
	folder = memory_add(&folders->memory, &folders->items,
			    &folders->n_items);
	folder->uid = status.st_uid;
	snprintf(folder->name, sizeof(folder->name), "%s", name);
}

static int compare_folders(const void *left, const void *right)
{
	const struct user_folder *a = left, *b = right;

	if (a->uid != b->uid)
		return a->uid < b->uid ? -1 : 1;
	/* "berth-1000" is before "berth-1000-1". */
	return strcmp(a->name, b->name);
}

static void sort_first_of_each(struct user_folders *folders)
{
	size_t n_kept = 0;

	if (folders->n_items == 0)
		return;
	qsort(folders->items, folders->n_items, sizeof(*folders->items),
	      compare_folders);
	for (size_t i = 1; i < folders->n_items; i++)
		if (folders->items[i].uid != folders->items[n_kept].uid)
			folders->items[++n_kept] = folders->items[i];
	folders->n_items = n_kept + 1;
}

/*
 * Lists the folder of each user: the first by name, which the user's programs
 * would take. The owner has to be the user of the name, except in a user
 * namespace, where users have other numbers. uid is the owner as this process
 * sees it. Returns 0, also without a /dev/shm; or why that cannot be read.
 * memory_free() is due always.
 */
static int list_folders(const struct users *users, struct user_folders *folders)
{
	DIR *shm = opendir(SHM_PATH);
	const struct dirent *entry;

	if (shm == NULL)
		return errno == ENOENT ? 0 : -errno;
	while ((entry = readdir(shm)) != NULL)
		add_entry(folders, users, dirfd(shm), entry->d_name);
	closedir(shm);
	sort_first_of_each(folders);
	return 0;
}

/* --- visits --------------------------------------------------------------- */

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
			      ? map_file_open(visiting->place, folder,
					      visiting->access, &file)
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

static void visit_user(struct visiting *visiting,
		       const struct user_folder *user)
{
	char path[sizeof(SHM_PATH) + FOLDER_NAME_SIZE];
	struct place_folder folder;
	int result;

	snprintf(path, sizeof(path), SHM_PATH "/%s", user->name);

	const int fd = folder_open(AT_FDCWD, path, O_RDONLY);

	if (fd < 0) {
		visit_missed(visiting, path, user->uid, fd);
		return;
	}
	result = place_open_below(visiting->place, fd, user->uid, &folder);
	raw_close(fd);
	if (result < 0)
		visit_missed(visiting, path, user->uid, result);
	else
		visit_folder(visiting, &folder, false);
}

int found_maps_visit(const struct place *place, int access,
		     found_map_visit visit, void *context)
{
	struct visiting visiting = { .place = place,
				     .access = access,
				     .visit = visit,
				     .context = context };
	struct user_folders users = { .n_items = 0 };
	struct place_folder folder;
	int result;

	for (unsigned int parent = 0; parent < N_PLACE_PARENTS; parent++) {
		result = place_open(place, parent, MAKE_NOTHING, &folder);
		if (result == 0)
			visit_folder(&visiting, &folder, true);
		else
			visit_missed(
				&visiting, place_parent_name(place, parent),
				place_parent_is_roots(parent) ? 0 : geteuid(),
				result);
	}
	result = list_folders(&place->users, &users);
	for (size_t i = 0; i < users.n_items; i++)
		/* The folders of these two are parents, visited above. */
		if (users.items[i].uid != 0 && users.items[i].uid != geteuid())
			visit_user(&visiting, &users.items[i]);
	memory_free(&users.memory);
	return result;
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
		message("berth: cannot use the map %s: %s\n", found->path,
			error == -EIO ? "it was shortened meanwhile"
				      : strerror(-error));
}

void maps_missed_tell(const struct maps_missed *missed)
{
	if (missed->n_denied > 0 && !missed->is_quiet)
		message("berth: left out: %zu files that may be maps of this "
			"namespace, of other users or another version\n",
			missed->n_denied);
}
