/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Whether a program that ran with a fault may have done what it did, given what
 * it does without.
 */

#include "tracee.h"

struct expectation {
	const struct outcome *sound;	/* the same run without a fault */
	bool is_counted;	/* the map has counted an event more */
	bool refuses;		/* on-error = refuse: EACCES, if it is told */
	bool lasts;		/* what the fault did is there in the second
				   pass too */
};

/*
 * Returns NULL, or what the run of target did wrong; the line of its output that
 * shows it then is at *linep, or NULL.
 *
 * It has to end well and to leave no descriptor open. A line of the first pass
 * may differ where
 * - a call that Berth only passes on failed: the program gets that very errno,
 *   or Berth has got round it;
 * - Berth's own bind or connect failed, which stands for the program's call: the
 *   same;
 * - a call of Berth's failed: then a port may lie outside the range, if a line
 *   on standard error says so. EBADF, ENOTSOCK and EFAULT need no telling:
 *   those are about the program's own call, which then goes on as it is.
 * Where it is told, a call may also find no port left. A success leaves errno
 * alone. After EINTR of an allocation, or
 * of a socket of Berth's own, nothing at all may differ. What follows the line in its scene
 * follows from it. The second pass is as without the fault, unless that lasts.
 */
const char *judge(const struct expectation *expectation,
		  const struct fault *fault, const struct outcome *outcome,
		  const char **linep);
