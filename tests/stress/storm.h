/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The page that stress_storm.py and its workers share: struct counts of
 * stress_storm.py says the same.
 */

#include <stdatomic.h>

#define STORM_SLOTS 32
#define STORM_ERRNOS 160

/* The calls whose errno is looked at. */
enum storm_call {
	STORM_BIND,
	STORM_LISTEN,
	STORM_CONNECT,
	STORM_CONNECT_AGAIN, /* of a socket that was refused elsewhere */
	STORM_UDP_CONNECT,
	STORM_SENDTO,
	STORM_OTHER, /* never fails */
	STORM_N_CALLS,
};

struct storm_page {
	atomic_uint n_steps[STORM_SLOTS]; /* by worker */
	atomic_uint errors[STORM_N_CALLS][STORM_ERRNOS];
	atomic_uint n_ports;	 /* that were looked at */
	atomic_uint n_outside;	 /* of them, outside the range */
	atomic_uint outside;	 /* the last such */
	atomic_uint n_survivors; /* children that live on */
};

/* Descriptors that a worker finds open, and keeps. */
#define STORM_FD_PAGE 3
#define STORM_FD_LIFE 4	  /* its end is the survivors' end */
#define STORM_FD_KEEPER 5 /* takes descriptors, SCM_RIGHTS */
#define STORM_FD_FIRST 10 /* all from here on are the worker's own */
