/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Which processes hold which sockets, from /proc/PID/fd, as `ss -p` finds out.
 *
 * Processes of other users are seen by root only; whatever cannot be read is
 * left out. A socket that several processes share has a holder for each.
 */

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct holder {
	uint64_t inode;		/* of the socket, as sock_diag tells it */
	pid_t pid;
};

struct holders {
	struct holder *items;	/* by inode, then by pid; each pair once */
	size_t n_items, capacity;
};

/* TASK_COMM_LEN of the kernel, proc(5). */
#define PROGRAM_NAME_SIZE 16

/* Returns 0, -ENOMEM, or why /proc cannot be read. To be closed in any case. */
int holders_open(struct holders *holders);
void holders_close(struct holders *holders);

/* The first of those who hold a socket, the rest follow. NULL = nobody seen. */
const struct holder *holders_find(const struct holders *holders,
				  uint64_t inode);

/* The name of a process, "?" when it has ended meanwhile. */
void holders_program(pid_t pid, char name[PROGRAM_NAME_SIZE]);
