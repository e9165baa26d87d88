/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * How a system call is made: by whom, and where (see plan.h).
 */

#include <stdbool.h>

#include "plan.h"

/* Functions of libc that are no system call everywhere. */
enum { CALL_DUP2 = -1, CALL_BINDRESVPORT = -2 };

struct order {
	enum form form;
	long number; /* SYS_bind, say, or one of the above */
	long arguments[6];
	long result;		/* or -errno */
	bool has_changed_errno; /* although it has succeeded */
	int died_of;		/* of a child: its status */
};

/* Once a process. */
void way_init(void);

/* Makes the call at a place, and fills in the last three fields. */
void way_make(struct order *order, enum place place);

/* "fork: syscall: ", say, or "". */
const char *way_text(const struct step *step);

/* A system call that no preloaded library sees. */
long way_raw(long number, const long arguments[6]);
