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

/* "berth-", 10 digits, "-", 16 hexadecimal digits. */
#define NAME_SIZE 40

/*
 * The most names in /dev/shm that are read: other users may fill it with
 * theirs.
 */
#define MAX_ENTRIES 8192
#define ENTRIES_SIZE 4096u

static void put_name(char name[NAME_SIZE], uint32_t uid, const char *end)
{
	struct text text = { name, NAME_SIZE, 0 };

	text_put(&text, "berth-");
	text_put_number(&text, uid);
	text_put(&text, end);
	text_end(&text);
}

static bool is_own(int fd)
{
	struct file_status status;

	return raw_file_status(fd, &status) == 0 && status.uid == raw_geteuid();
}

/*
 * Whether an entry is a spare folder of this user, and its name comes before
 * the best so far.
 */
static bool is_better(int shm_fd, const char *name, const char *prefix,
		      const char *best)
{
	struct file_status status;

	return strncmp(name, prefix, strlen(prefix)) == 0 &&
	       strlen(name) < NAME_SIZE &&
	       (*best == '\0' || strcmp(name, best) < 0) &&
	       raw_file_status_at(shm_fd, name, &status) == 0 &&
	       S_ISDIR(status.mode) && status.uid == raw_geteuid();
}

/* Finds the first spare folder; "" = there is none. */
static void find_spare(int shm_fd, uint32_t uid, char best[NAME_SIZE])
{
	char *const entries = raw_map_private(ENTRIES_SIZE);
	char prefix[NAME_SIZE];
	const int fd = raw_open(shm_fd, ".", O_RDONLY | O_DIRECTORY, 0);
	ssize_t n;

	best[0] = '\0';
	put_name(prefix, uid, "-");
	for (int n_seen = 0;
	     fd >= 0 && entries != NULL && n_seen < MAX_ENTRIES;) {
		n = raw_read_folder(fd, entries, ENTRIES_SIZE);
		if (n <= 0)
			break;
		for (ssize_t at = 0; at < n; n_seen++) {
			const struct raw_entry *entry =
				(const struct raw_entry
					 *)(const void *)(entries + at);

			if (is_better(shm_fd, entry->name, prefix, best))
				memcpy(best, entry->name,
				       strlen(entry->name) + 1);
			at += entry->length;
		}
	}
	raw_unmap(entries, ENTRIES_SIZE);
	if (fd >= 0)
		raw_close(fd);
}

static int open_spare(int shm_fd, uint32_t uid, bool make)
{
	char best[NAME_SIZE], name[NAME_SIZE], end[20];
	struct text text = { end, sizeof(end), 0 };
	int fd;

	find_spare(shm_fd, uid, best);
	if (best[0] != '\0')
		return folder_open(shm_fd, best, O_RDONLY);
	if (!make)
		return -ENOENT;
	text_put(&text, "-");
	text_put_hex(&text, folder_random());
	text_end(&text);
	put_name(name, uid, end);
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
	char name[NAME_SIZE];
	int fd;

	put_name(name, uid, "");
	fd = make ? folder_make(shm_fd, name, MODE, NULL)
		  : folder_open(shm_fd, name, O_RDONLY);
	if (fd >= 0 && is_own(fd))
		return fd;
	if (fd >= 0)
		raw_close(fd);
	else if (fd != -EACCES && fd != -ESTALE && fd != -ENOENT)
		return fd;
	/* Another user has the name, or had it. */
	return fd == -ENOENT && !make ? fd : open_spare(shm_fd, uid, make);
}
