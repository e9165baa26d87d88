/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A user's own folder in /dev/shm: berth-UID. Any user can make that name
 * first. Then the user's folder is berth-UID-NUMBER, with a number that cannot
 * be predicted: if several belong to the user, the first in the order of their
 * names. No heap; async-signal-safe.
 */

#include <stdbool.h>
#include <stdint.h>

/* uid is the number in the name. Returns a descriptor or -errno. */
int own_folder_open(int shm_fd, uint32_t uid, bool make);
