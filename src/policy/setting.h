/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The settings of a policy that are one word of a few: their names in
 * berth.conf, their words, and their defaults, each written here alone.
 */

#include <stdint.h>

enum setting {
	SETTING_ALGORITHM, /* enum algorithm, see map/choice.h */
	SETTING_MODE,
	SETTING_SELF_CONNECT,
	SETTING_SERVER_IN_RANGE,
	SETTING_OUTSIDE,
	SETTING_REST,
	SETTING_PIN,
	SETTING_ON_ERROR,
	SETTING_LOG,
	N_SETTINGS,
};

/*
 * enforce: assign and refuse. observe: only count what enforce would have done.
 */
enum mode { MODE_ENFORCE, MODE_OBSERVE };

/* A TCP connect of a socket to its own address and port. */
enum self_connect { SELF_CONNECT_REFUSE, SELF_CONNECT_ALLOW };

/* An explicit bind to a port that some rule assigns. */
enum server_in_range { SERVER_ALLOW, SERVER_WARN, SERVER_REFUSE };

/* An explicit bind to a port that is neither in the process's ranges nor in a
 * reservation of its own. */
enum outside { OUTSIDE_ALLOW, OUTSIDE_REFUSE };

/* Which ports rest after their release. */
enum rest { REST_OF_NONE, REST_OF_LISTEN, REST_OF_ALL };

/* Whether IP_LOCAL_PORT_RANGE is used. */
enum pin { PIN_NO, PIN_YES };

/* Without shared memory. */
enum on_error { ON_ERROR_PRIVATE, ON_ERROR_REFUSE };

/* Where events are written beside the map's ring; LOG_START: nowhere, but
 * mistakes in the environment on standard error. */
enum log_target { LOG_NONE, LOG_START, LOG_STDERR, LOG_SYSLOG_TARGET };

/* "self-connect"; a static string. */
const char *setting_name(enum setting setting);

uint8_t setting_default(enum setting setting);

/* The word for a value, from 0 on; NULL beyond the last. */
const char *setting_word(enum setting setting, unsigned int value);

/* Returns the value of a word, or -1. */
int setting_by_word(enum setting setting, const char *word);

/* "is not enforce or observe": the reason of a refusal, a static string. */
const char *setting_reason(enum setting setting);
