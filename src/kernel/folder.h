/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Folders, opened by their name in an open folder, and never through a symbolic
 * link. No heap; async-signal-safe.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * access is O_RDONLY or O_PATH. Returns -EACCES for a symbolic link, or for
 * what is no folder.
 */
int folder_open(int parent_fd, const char *name, int access);

/*
 * Opens a folder, and makes it where it is missing (*is_newp then true; may be
 * NULL), with this mode whatever the program's umask is. The mode of an
 * existing folder is not changed. Returns as folder_open(); -ESTALE where
 * another process has removed the folder meanwhile.
 */
int folder_make(int parent_fd, const char *name, uint32_t mode, bool *is_newp);

/*
 * Opens a folder of any path and calls visit with the name of each of its
 * entries, "." and ".." too; of at most max and what one read gives. Returns how
 * many, or -errno.
 */
int folder_each(int parent_fd, const char *path, int max,
		void (*visit)(int fd, const char *name, void *context),
		void *context);

/*
 * Puts a new folder of this user in place of what has the name, in a sticky
 * folder, which only root can do: what had the name is renamed, and removed if
 * it is empty. Returns a descriptor or -errno.
 */
int folder_take(int parent_fd, const char *name, uint32_t mode);

/*
 * A random number; or, where there are no random bytes, one that is not used
 * twice.
 */
uint64_t folder_random(void);
