/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What this process may be given: the range, the reservations, the algorithm.
 *
 * A policy is built once, from the environment, and only read afterwards:
 *
 *   BERTH_RANGE      ports to assign, see range_text.h; default "iana"
 *   BERTH_RESERVE    ports to keep off, taken out of the range; default none.
 *                    Those of ip_local_reserved_ports are always taken out.
 *   BERTH_ALGORITHM  see algorithm_by_name(); default "double-hash"
 *   BERTH_ON_ERROR   "private" (default) or "refuse": without shared memory
 *   BERTH_PIN        "yes" (default) or "no": whether IP_LOCAL_PORT_RANGE is used
 *   BERTH_LOG        "start" (default: mistakes in these variables only),
 *                    "none" or "stderr" (all)
 */

#include <stdbool.h>

#include "core/choice.h"
#include "core/port_set.h"
#include "core/range_text.h"

struct kernel;

#define RANGE_DEFAULT "iana"

enum on_error { ON_ERROR_PRIVATE, ON_ERROR_REFUSE };
enum log_level { LOG_NONE, LOG_START, LOG_ALL };

struct policy {
	struct port_set range;		/* reservations are already taken out */
	struct port_set reserved;	/* all that nobody is assigned */
	enum algorithm algorithm;
	enum on_error on_error;
	enum log_level log_level;
	bool may_pin;
};

/* Which variable was refused, and why; value points into the environment. */
struct policy_error {
	const char *variable;
	const char *value;
	struct range_error detail;
};

/* Longest message that policy_error_text() writes, the NUL included. */
#define POLICY_ERROR_TEXT_SIZE 256

/*
 * Reads the variables through lookup (getenv() or a test's own).
 * Returns 0; or -EINVAL with *errorp filled for the first variable refused, and
 * *policyp then holds the default in that variable's place, usable as it is.
 * Ports below 1024 in a range are refused (RFC 6335: for services), and a range
 * of which the reservations leave nothing. The range is empty (n_ports 0, the
 * kernel is to choose) only where ip_local_reserved_ports takes all of "iana".
 * BERTH_RESERVE may be set to nothing; the other variables may not.
 */
int policy_from_environment(char *(*lookup)(const char *name),
			    const struct kernel *kernel,
			    struct policy *policyp,
			    struct policy_error *errorp);

/* `BERTH_RANGE="70000": "70000" is beyond 65535`; always terminated. */
void policy_error_text(const struct policy_error *error,
		       char text[POLICY_ERROR_TEXT_SIZE]);
