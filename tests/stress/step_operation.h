/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What a process does that is ended or stopped at each of its instructions,
 * what others do meanwhile, and what must hold afterwards: for stress_step.
 */

#include <stdbool.h>
#include <stdint.h>

#include "process/process.h"
#include "truth.h"

/* What others keep until the end of the trial; NONE first. */
#define N_HOLDS 6u

/* Where one trial stands; shared by all processes. */
struct trial {
	atomic_u32 n_failures;
	atomic_u32 strict; /* the map alone must keep processes apart */
	atomic_u32 swept;  /* somebody has swept since the trial began */
	atomic_u32 port;   /* that it is all about */
	atomic_u32 hold;   /* below N_HOLDS */
	atomic_u32 region; /* which call is stepped, of an operation's many */
	atomic_u32 n_turns;
	atomic_u32 n_taken;
	atomic_u64 now_ms;
	atomic_u64 edition;
};

struct operation {
	const char *name;
	struct claim claim;	  /* the process's own, if it has one */
	const struct claim *held; /* by another one, from before */
	bool rests;		  /* it gives the port back to rest */
	bool survived;		  /* its socket lives on in another process */
	bool in_regions;	  /* stepped call by call: see trial.region */
	bool in_process;	  /* only its own signal handler can meet it */
	bool no_map;		  /* it leaves the ledger alone */
	void (*prepare)(const struct operation *operation);
	void (*act)(const struct operation *operation);
	void (*others)(void);
	void (*check)(const struct operation *operation); /* at any time */
	void (*finally)(bool killed);
};

extern struct trial *trial;
extern const struct operation operations[];
extern const unsigned int n_operations;

void operation_set_up(void);

const struct map *operation_map(void);

/* Sweeps the map by the sockets that there really are. */
void operation_sweep(void);

__attribute__((format(printf, 1, 2))) void fail(const char *format, ...);

/* Lease and release of one claim, or if it is held, without the release. */
void others_try(const struct claim *claim, bool hold);
