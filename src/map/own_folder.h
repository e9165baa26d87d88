/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A user's own folder in /dev/shm: berth-UID. Anybody can make that name first.
 * Then the user's is berth-UID-NUMBER, a number that cannot be foretold: of
 * several that are the user's, the first in the order of their names.
 * No heap; async-signal-safe.
 */

#include <stdbool.h>
#include <stdint.h>

/* uid is the number in the name. Returns a descriptor or -errno. */
int own_folder_open(int shm_fd, uint32_t uid, bool make);
