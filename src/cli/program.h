/* SPDX-License-Identifier: MIT */
#pragma once

/* Other programs: their names, and what the conditions of rules look at. */

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "policy/identity.h"

/*
 * A program that this process is to start, by its file (of a script that of its
 * interpreter) and its name; with this process's user and BERTH_PROFILE. It
 * points into *identity.
 */
struct program program_of_command(const char *exe, const char *name,
				  struct identity *identity);

/*
 * A running process, as it was when it started: from /proc/PID/exe, comm, auxv
 * and environ; what cannot be read is left out, and matches nothing. Its
 * environment is then open for program_lookup(), and it points into that, too.
 * Returns 0, or -ESRCH.
 */
int program_of_process(pid_t pid, struct identity *identity,
		       struct program *programp);

/* How a process is printed. */
struct program_label {
	char pid[12];		       /* "?" for 0 */
	char name[IDENTITY_NAME_SIZE]; /* "?" without a process */
};

struct program_label program_label(pid_t pid);

/* How a user is printed: by name, or without one by number. Valid until the
 * next call. */
const char *user_name(uint32_t uid);

/* Whether libberth.so is mapped into a process. */
bool program_is_covered(pid_t pid);

/* Opens a process's first environment for program_lookup(). One at a time. */
void program_open_environment(pid_t pid);
void program_close_environment(void);
char *program_lookup(const char *name);
