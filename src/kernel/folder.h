/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Folders, by their name in an open one, and never through a symbolic link.
 * No heap; async-signal-safe.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* access is O_RDONLY or O_PATH. -EACCES for a symbolic link, or no folder. */
int folder_open(int parent_fd, const char *name, int access);

/*
 * Opens a folder, and makes it where it is missing (*is_newp then true; may be
 * NULL), with this mode whatever the program's umask: that of a folder which
 * was there before is left alone. Returns as folder_open(); -ESTALE where
 * somebody has taken it away again.
 */
int folder_make(int parent_fd, const char *name, uint32_t mode, bool *is_newp);

/*
 * Puts a new folder of this user's in place of whatever has the name, in a
 * sticky folder, where only root can: what had the name is put aside, and removed
 * if it is empty. Returns a descriptor or -errno.
 */
int folder_take(int parent_fd, const char *name, uint32_t mode);

/* Whether a folder has no entry, as far as can be told. */
bool folder_is_empty(int fd);

/* A number that nobody else can guess, or at least nobody else uses. */
uint64_t folder_random(void);
