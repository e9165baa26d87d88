/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Folders of network namespaces that no longer exist: a process that makes a
 * folder for a new namespace removes them. No heap; async-signal-safe; bounded.
 *
 * It is not possible to know for certain that a namespace is gone: a descriptor
 * in flight may hold it. So a folder is removed only if it is this user's own,
 * no policy in it is in force, and no process that is visible here is in the
 * namespace, nor a mount of it. After a mistake, the processes that still have
 * the map mapped do not see the leases of processes started later. Their policy
 * file says that the policy has moved (see policy/layout.h), and they look for
 * the new one.
 */

#include <stdbool.h>

/*
 * Removes folders beside the one of this name, up to 16 of them. retire takes
 * the policy out of a folder: it returns 0, or -errno where the folder has to
 * stay. shared: the folder may be mounted into containers whose processes are
 * not visible here; then only processes of the initial PID namespace remove
 * folders.
 */
void dead_folders_clear(int parent_fd, const char *name,
			int (*retire)(int folder_fd), bool shared);
