/* SPDX-License-Identifier: MIT */
#pragma once

/* What rules look at, of programs other than this one. */

#include <limits.h>
#include <stdbool.h>
#include <sys/types.h>

#include "policy/identity.h"

/* What a subject points into. */
struct subject_texts {
	struct identity identity;
	char profile[256];
};

/*
 * A program that this process is to start: its file, and the interpreter of a
 * script (or the file again); this process's user and BERTH_PROFILE.
 */
struct subject subject_of_command(const char *exe, const char *interpreter,
				  struct subject_texts *texts);

/*
 * A running process, as it was when it started: from /proc/PID/exe, comm, auxv
 * and environ; what cannot be read is left out, and matches nothing.
 * Returns 0, or -ESRCH.
 */
int subject_of_process(pid_t pid, struct subject_texts *texts,
		       struct subject *subjectp);

/* Whether libberth.so is mapped into a process. */
bool subject_is_covered(pid_t pid);

/* Opens a process's first environment for subject_lookup(). One at a time. */
void subject_open_environment(pid_t pid);
void subject_close_environment(void);
char *subject_lookup(const char *name);
