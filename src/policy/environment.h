/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What the environment says about the ports of this process:
 *
 *   BERTH_RANGE      ports to assign, see ports_text.h; default "iana"
 *   BERTH_RESERVE    ports to take out of the range; default none.
 *                    Those of ip_local_reserved_ports are always taken out.
 *   BERTH_ALGORITHM, BERTH_ON_ERROR, BERTH_PIN, BERTH_LOG
 *                    the settings of these names, see setting.h
 *   BERTH_PROFILE    the profile that rules look at, see policy/layout.h
 *   BERTH_DIR        the folder of the map, an absolute path
 *
 * It is read once, and not changed afterwards.
 */

#include <stdbool.h>

#include "base/port_set.h"
#include "kernel/ports_text.h"
#include "policy/setting.h"

struct kernel;

#define RANGE_DEFAULT "iana"

struct environment {
	struct port_set range;	  /* reservations are already taken out */
	struct port_set reserved; /* all ports that are never assigned */
	uint8_t settings[N_SETTINGS];
	bool is_named[N_SETTINGS]; /* whether a variable sets it */
	bool names_ports;	   /* BERTH_RANGE, _RESERVE or _ALGORITHM */
	bool is_refused;	   /* a variable is wrong, see below */
	const char *profile;	   /* NULL = none; in the environment */
};

/* Which variable was refused, and why; value points into the environment. */
struct environment_error {
	const char *variable;
	const char *value;
	struct range_error detail;
};

/* Longest message of environment_error_text(), the NUL included. */
#define ENVIRONMENT_ERROR_TEXT_SIZE 256

/*
 * Reads the variables through lookup (getenv() or a test's own).
 * Returns 0; or -EINVAL with *errorp filled for the first variable refused.
 * *environmentp then has is_refused set, and contains the default instead of
 * that variable's value, to be used unless on-error is refuse. A range with
 * ports below 1024 (for services, RFC 6335) is refused, and so is a range whose
 * ports are all reserved. The range is empty (n_ports 0: the kernel is to
 * choose) only if ip_local_reserved_ports contains all of "iana".
 * BERTH_RESERVE, BERTH_PROFILE and BERTH_DIR may be empty, the other variables
 * may not.
 */
int environment_read(char *(*lookup)(const char *name),
		     const struct kernel *kernel,
		     struct environment *environmentp,
		     struct environment_error *errorp);

/*
 * BERTH_DIR. NULL where it is not set or is no absolute path: with a relative
 * one this process and its children may use different folders.
 */
const char *environment_directory(char *(*lookup)(const char *name));

/* `BERTH_RANGE="70000": "70000" is beyond 65535`; always terminated. */
void environment_error_text(const struct environment_error *error,
			    char text[ENVIRONMENT_ERROR_TEXT_SIZE]);
