/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The folders in /dev/shm that users have made for their maps: berth-UID, or
 * berth-UID-NUMBER where another user had made that name (see own_folder.h).
 */

#include <stddef.h>
#include <stdint.h>

#include "cli/memory.h"
#include "kernel/users.h"

/* "berth-", 10 digits, "-", 16 hexadecimal digits. */
#define USER_FOLDER_NAME_SIZE 40

struct user_folder {
	uint32_t uid;
	char name[USER_FOLDER_NAME_SIZE];
};

struct user_folders {
	struct user_folder *items;	/* by uid */
	size_t n_items;
	struct memory memory;		/* of items */
};

/*
 * Lists the folder of each user: the first by name, which the user's programs
 * would take. The owner has to be the user of the name, except in a user
 * namespace, where users have other numbers. uid is the owner as this process
 * sees it. Returns 0, also without a /dev/shm; -ENOMEM; or why that cannot be
 * read. To be closed always.
 */
int user_folders_open(const struct users *users, struct user_folders *folders);
void user_folders_close(struct user_folders *folders);
