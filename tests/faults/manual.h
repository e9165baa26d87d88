/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What the manual pages say of system calls: the errors that each may fail
 * with. Source: section 2 of the Linux man-pages, the ERRORS of the page named;
 * for netlink sockets netlink(7), for options of IP ip(7).
 *
 * Added to each: ENOSYS and EPERM, which a seccomp filter answers for a call
 * that it forbids (seccomp(2), SECCOMP_RET_ERRNO; systemd's and podman's
 * defaults).
 */

#include <stdbool.h>

struct manual_page {
	long number;		/* SYS_ */
	const char *name;	/* of the call, and of its page but for "at" */
	const int *errors;	/* up to a 0 */
	/* The result may be less than what was asked for: which argument, 0 to
	 * 5, is the size; -1 = never. */
	int size_argument;
};

/* NULL for a call that the table does not know. */
const struct manual_page *manual_find(long number);

/* The table's rows, for reports; NULL behind the last. */
const struct manual_page *manual_at(unsigned int index);

/* Whether a call cannot fail (getpid(2)), or never returns. */
bool manual_never_fails(long number);
