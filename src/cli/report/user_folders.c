/* SPDX-License-Identifier: MIT */
#include "cli/report/user_folders.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define PREFIX "berth-"

static int add(struct user_folders *folders, uint32_t uid, const char *name)
{
	struct user_folder *folder = memory_add(
		&folders->memory, &folders->items, &folders->n_items);

	if (folder == NULL)
		return -ENOMEM;
	folder->uid = uid;
	snprintf(folder->name, sizeof(folder->name), "%s", name);
	return 0;
}

/* Whether a name is that of a user's folder, and of which user. */
static bool read_name(const char *name, unsigned long *uidp)
{
	const size_t length = strlen(PREFIX);
	char *end;

	if (strncmp(name, PREFIX, length) != 0 || name[length] < '0' ||
	    name[length] > '9' || strlen(name) >= USER_FOLDER_NAME_SIZE)
		return false;
	*uidp = strtoul(name + length, &end, 10);
	return *end == '\0' || *end == '-';
}

static int add_entry(struct user_folders *folders, const struct users *users,
		     int shm_fd, const char *name)
{
	unsigned long uid;
	struct stat status;

	if (!read_name(name, &uid) ||
	    fstatat(shm_fd, name, &status, AT_SYMLINK_NOFOLLOW) < 0 ||
	    !S_ISDIR(status.st_mode) ||
	    (users_are_known(users) && status.st_uid != uid))
		return 0;
	return add(folders, status.st_uid, name);
}

static int compare(const void *left, const void *right)
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
	      compare);
	for (size_t i = 1; i < folders->n_items; i++)
		if (folders->items[i].uid != folders->items[n_kept].uid)
			folders->items[++n_kept] = folders->items[i];
	folders->n_items = n_kept + 1;
}

int user_folders_open(const struct users *users, struct user_folders *folders)
{
	DIR *shm = opendir("/dev/shm");
	const struct dirent *entry;
	int result = 0;

	*folders = (struct user_folders){ 0 };
	if (shm == NULL)
		return errno == ENOENT ? 0 : -errno;
	while (result == 0 && (entry = readdir(shm)) != NULL)
		result = add_entry(folders, users, dirfd(shm), entry->d_name);
	closedir(shm);
	sort_first_of_each(folders);
	return result;
}

void user_folders_close(struct user_folders *folders)
{
	memory_free(&folders->memory);
	*folders = (struct user_folders){ 0 };
}
