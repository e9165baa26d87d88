/* SPDX-License-Identifier: MIT */
#include "cli/maps.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/raw.h"
#include "cli/message.h"
#include "cli/user_folders.h"
#include "core/arena.h"
#include "core/arena_layout.h"
#include "core/arena_place.h"
#include "core/folder.h"
#include "core/shared_file.h"

#define SHM_PATH "/dev/shm"
#define FILE_NAME "arena"

struct visiting {
	const struct arena_place *place;
	int access;
	map_visit visit;
	void *context;
	/* Those of the roots: BERTH_DIR may be one of the others. */
	struct file_status seen[N_ARENA_ROOTS];
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

/* Fills in what is known of a file that could be opened or not. */
static void describe(struct map *map, const struct arena_folder *folder,
		     const struct shared_file *file)
{
	map->fd = file->fd;
	if (map->error == 0)
		map->status = file->status;
	else if (raw_file_status_at(folder->fd, FILE_NAME, &map->status) < 0)
		return;
	map->uid = map->status.uid;
	map->is_shared = (map->status.mode & (S_IWGRP | S_IWOTH)) != 0;
}

/* The inode that names the folder is used again: a map may be one of a namespace
 * that is gone. */
static bool is_of_another_namespace(const struct arena_place *place,
				    const struct arena_folder *folder)
{
	const int fd = raw_open(folder->fd, FILE_NAME,
				O_RDONLY | O_NOFOLLOW | O_NONBLOCK, 0);
	struct arena_header header;
	bool is_read;

	if (fd < 0)
		return false;
	is_read = raw_file_read(fd, (char *)&header, sizeof(header), 0) == 0;
	raw_close(fd);
	return is_read && header.magic == ARENA_MAGIC &&
	       header.version == ARENA_VERSION &&
	       !arena_place_is(place, header.netns_inode, header.netns_cookie);
}

/* Visits the map in a folder, if there is one; closes the folder. */
static void visit_folder(struct visiting *visiting, struct arena_folder *folder,
			 bool is_root)
{
	char path[PATH_MAX];
	struct shared_file file = { .fd = -1 };
	struct map map = { .path = path, .uid = folder->uid };

	map.error = folder->is_trusted
		? arena_file_open(visiting->place, folder, visiting->access,
				  &file) : -ENOENT;
	/* A user may put a link there; that is no failure of this command's. */
	if (map.error == -ELOOP && !is_root)
		map.error = -ESTALE;
	describe(&map, folder, &file);
	if (map.error == -ESTALE &&
	    is_of_another_namespace(visiting->place, folder))
		map.error = -ENOENT;
	if (arena_folder_path(folder, FILE_NAME, path, sizeof(path)) < 0)
		memcpy(path, FILE_NAME, sizeof(FILE_NAME));
	raw_close(folder->fd);
	/* A user's folder may have a link to another user's file. */
	if (map.error != -ENOENT && !was_seen(visiting, &map.status) &&
	    (is_root || map.uid == folder->uid))
		visiting->visit(&map, visiting->context);
	if (map.error != -ENOENT && is_root)
		visiting->seen[visiting->n_seen++] = map.status;
	if (map.fd >= 0)
		raw_close(map.fd);
}

static void visit_missed(struct visiting *visiting, const char *path,
			 uint32_t uid, int error)
{
	const struct map map = { .path = path, .uid = uid, .error = error,
				 .fd = -1 };

	if (error != -ENOENT)
		visiting->visit(&map, visiting->context);
}

static void visit_user(struct visiting *visiting,
		       const struct user_folder *user)
{
	char path[sizeof(SHM_PATH) + USER_FOLDER_NAME_SIZE];
	struct arena_folder folder;
	int result;

	snprintf(path, sizeof(path), SHM_PATH "/%s", user->name);

	const int fd = folder_open(AT_FDCWD, path, O_RDONLY);

	if (fd < 0) {
		visit_missed(visiting, path, user->uid, fd);
		return;
	}
	result = arena_place_open_below(visiting->place, fd, user->uid,
					&folder);
	raw_close(fd);
	if (result < 0)
		visit_missed(visiting, path, user->uid, result);
	else
		visit_folder(visiting, &folder, false);
}

int maps_visit(const struct arena_place *place, int access, map_visit visit,
	       void *context)
{
	struct visiting visiting = { .place = place, .access = access,
				     .visit = visit, .context = context };
	struct user_folders users;
	struct arena_folder folder;
	int result;

	for (unsigned int root = 0; root < N_ARENA_ROOTS; root++) {
		result = arena_place_open(place, (enum arena_root)root,
					  MAKE_NOTHING, &folder);
		if (result == 0)
			visit_folder(&visiting, &folder, true);
		else
			visit_missed(&visiting,
				     arena_root_name(place,
						     (enum arena_root)root),
				     arena_root_is_roots((enum arena_root)root)
					? 0 : geteuid(), result);
	}
	result = user_folders_open(&place->users, &users);
	for (size_t i = 0; i < users.n_items; i++)
		/* These two are roots, and visited. */
		if (users.items[i].uid != 0 && users.items[i].uid != geteuid())
			visit_user(&visiting, &users.items[i]);
	user_folders_close(&users);
	return result;
}

/* --- what is in one ------------------------------------------------------- */

int map_copy(const struct map *map, const struct arena_place *place,
	     size_t offset, size_t size, struct arena *arenap)
{
	int result;

	*arenap = (struct arena){
		.memory = raw_map_private(sizeof(struct arena_memory)),
		.netns_inode = place->netns_inode,
		.netns_cookie = place->netns_cookie,
	};
	if (arenap->memory == NULL)
		return -ENOMEM;
	result = raw_file_read(map->fd, (char *)arenap->memory + offset, size,
			       offset);
	if (result == 0)
		arena_set_rest(arenap, 0);
	else
		arena_close(arenap);
	return result == -ENODATA ? -ESTALE : result;
}

int map_copy_own(const struct arena_place *place, struct arena *arenap)
{
	struct map map;
	int result = arena_find(place, ARENA_EXISTING, &map.fd, NULL);

	arenap->memory = NULL;
	if (result < 0)
		return result;
	result = map_copy(&map, place, 0, sizeof(struct arena_memory), arenap);
	raw_close(map.fd);
	return result;
}

int map_open(const struct map *map, const struct arena_place *place,
	     struct arena *arenap)
{
	int result;

	*arenap = (struct arena){ .netns_inode = place->netns_inode,
				  .netns_cookie = place->netns_cookie };
	arenap->memory = raw_map_file(map->fd, sizeof(struct arena_memory),
				      PROT_READ | PROT_WRITE, &result);
	return result;
}

/* --- what is left out ----------------------------------------------------- */

bool map_is_denied(int error)
{
	return error == -EACCES || error == -EPERM || error == -ESTALE;
}

void maps_missed_add(struct maps_missed *missed, const struct map *map,
		     int error)
{
	if (map_is_denied(error)) {
		missed->n_denied++;
		return;
	}
	missed->is_broken = true;
	if (!missed->is_quiet)
		message("berth: cannot use the map %s: %s\n", map->path,
			error == -EIO ? "it was shortened meanwhile"
				      : strerror(-error));
}

void maps_missed_tell(const struct maps_missed *missed)
{
	if (missed->n_denied > 0 && !missed->is_quiet)
		message("berth: left out, of other users or another version: "
			"%zu that may be maps of this namespace\n",
			missed->n_denied);
}
