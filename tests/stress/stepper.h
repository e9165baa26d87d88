/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Processes that run one machine instruction at a time: ptrace(2).
 *
 * A stepped process is a fork of the test that does some work and marks where
 * its interesting part begins and ends. The test moves it on as many
 * instructions as it likes, lets others work meanwhile, and then kills it, lets
 * it go on, or has a signal handler run in the middle.
 */

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define MAX_STEPS 20000u /* a part that takes more is not about to end */

/* Where the instructions of a part lie, for stepped_go(); found by one run. */
struct stepped_trace {
	unsigned int n;
	unsigned long at[MAX_STEPS]; /* 0 = this processor's are not known */
};

struct stepped {
	pid_t pid;
	unsigned int slot;    /* of its phase */
	unsigned int n_steps; /* of the interesting part, so far */
	bool gone;	      /* ended, as status says: see wait(2) */
	int status;
};

/* At most at a time. */
#define N_STEPPED 4u

/*
 * Whether processes can be stepped here: returns NULL, or why not. To be called
 * once, before all else.
 */
const char *stepper_open(void);

/* Keeps this process, and what it starts, on one processor and before others. */
void stepper_stay_here(void);

/* Memory that all processes share, zeroed; never NULL. */
void *stepper_share(size_t size);

/* Starts a process that does work(context) and ends; it is stopped at the start
 * of its interesting part. Slots are below N_STEPPED, one each at a time. */
void stepped_start(struct stepped *stepped, unsigned int slot,
		   void (*work)(void *context), void *context);

/* --- within the stepped process ------------------------------------------- */

/* The interesting part; in other processes these do nothing. */
void stepped_begin(void);
void stepped_end(void);

/* --- by the test ---------------------------------------------------------- */

/* Moves on n instructions, or fewer: returns false when the part has been
 * left. */
bool stepped_steps(struct stepped *stepped, unsigned int n);

/* Moves on to the end of the part and traces it. */
void stepped_trace(struct stepped *stepped, struct stepped_trace *trace);

/*
 * The same as stepped_steps(), from the beginning of a part that was traced and
 * takes the same way, and faster. Returns false when it took another way, and
 * the process is gone then.
 */
bool stepped_go(struct stepped *stepped, const struct stepped_trace *trace,
		unsigned int n);

/* Runs it to its end. Returns whether it ended well. With signal not 0, that is
 * delivered first, where it stands. */
bool stepped_finish(struct stepped *stepped, int signal);

void stepped_kill(struct stepped *stepped);

/*
 * Moves it on to its next stop as a request of ptrace(2) says: with what signal
 * it is to have, 0 for none. Returns whether it has stopped, and not ended.
 */
bool stepped_move(struct stepped *stepped, int request, int signal);

/* The signal that it stopped with, if that is its own; else 0. */
int stepped_signal(const struct stepped *stepped);
