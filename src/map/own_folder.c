/* SPDX-License-Identifier: MIT */
#include "map/own_folder.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <string.h>
#include <sys/stat.h>

#include "base/raw.h"
#include "base/raw_file.h"
#include "base/text.h"
#include "kernel/folder.h"

#define MODE 0700u

/* "berth-", 10 digits, "-", 20 digits. */
#define NAME_SIZE 40

/*
 * The most names in /dev/shm that are read: other users may fill it with
 * theirs.
 */
#define MAX_ENTRIES 8192

/* The search for the first spare folder of this user, by its name. */
struct search {
	char prefix[NAME_SIZE];
	char *best; /* so far; "" = none */
};

static void look_at(int shm_fd, const char *name, void *context)
{
	const struct search *search = context;
	struct file_status status;

	if (strncmp(name, search->prefix, strlen(search->prefix)) == 0 &&
	    strlen(name) < NAME_SIZE &&
	    (*search->best == '\0' || strcmp(name, search->best) < 0) &&
	    raw_file_status_at(shm_fd, name, &status) == 0 &&
	    S_ISDIR(status.mode) && status.uid == raw_geteuid())
		memcpy(search->best, name, strlen(name) + 1);
}

static void find_spare(int shm_fd, uint32_t uid, char best[NAME_SIZE])
{
	struct search search = { .best = best };

	*best = '\0';
	text_number(search.prefix, NAME_SIZE, "berth-", uid, "-");
	folder_each(shm_fd, ".", MAX_ENTRIES, look_at, &search);
}

static int open_spare(int shm_fd, uint32_t uid, bool make)
{
	char best[NAME_SIZE], name[NAME_SIZE], prefix[NAME_SIZE];
	int fd;

	find_spare(shm_fd, uid, best);
	if (best[0] != '\0')
		return folder_open(shm_fd, best, O_RDONLY);
	if (!make)
		return -ENOENT;
	text_number(prefix, NAME_SIZE, "berth-", uid, "-");
	text_number(name, NAME_SIZE, prefix, folder_random(), "");
	fd = folder_make(shm_fd, name, MODE, NULL);
	if (fd < 0)
		return fd;
	/* If two processes make one at the same time, both take the same. */
	find_spare(shm_fd, uid, best);
	if (best[0] == '\0' || strcmp(best, name) == 0)
		return fd;
	raw_close(fd);
	raw_file_remove(shm_fd, name, AT_REMOVEDIR);
	return folder_open(shm_fd, best, O_RDONLY);
}

int own_folder_open(int shm_fd, uint32_t uid, bool make)
{
	struct file_status status;
	char name[NAME_SIZE];
	int fd;

	text_number(name, NAME_SIZE, "berth-", uid, "");
	fd = make ? folder_make(shm_fd, name, MODE, NULL)
		  : folder_open(shm_fd, name, O_RDONLY);
	if (fd >= 0 && raw_file_status(fd, &status) == 0 &&
	    status.uid == raw_geteuid())
		return fd;
	if (fd >= 0)
		raw_close(fd);
	else if (fd != -EACCES && fd != -ESTALE && fd != -ENOENT)
		return fd;
	/* Another user has the name, or had it. */
	return fd == -ENOENT && !make ? fd : open_spare(shm_fd, uid, make);
}
