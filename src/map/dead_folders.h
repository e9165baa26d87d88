/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Folders of network namespaces that are gone: who makes a folder for a new one
 * clears them away. No heap; async-signal-safe; bounded.
 *
 * Nobody can say of a namespace for certain that it is gone: a descriptor in
 * flight may hold it. So a folder goes only if it is this user's own, no policy in
 * it is in force, and no process that can be seen here is in the namespace, nor
 * a mount of it. A mistake then costs those who still have the map what they
 * know of programs to come, and no more: what is left of their policy file says
 * that it has moved (see policy/layout.h), and they look for another.
 */

#include <stdbool.h>

/*
 * Clears folders beside the one of this name, up to 16 of them. retire takes the
 * policy out of one: it returns 0, or -errno where the folder is to stay. shared: the
 * folder may be mounted into containers of which this process sees nothing;
 * then only the initial PID namespace's processes do it.
 */
void dead_folders_clear(int root_fd, const char *name,
			int (*retire)(int folder_fd), bool shared);
