/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Runs a program under ptrace(2), counts the system calls that Berth makes in
 * it, and lets one of them fail. x86-64 only.
 *
 * Berth's are those whose instruction lies in libberth.so (src/base/raw.c), and
 * those of libc with a return address in libberth.so among the words on top of
 * the stack. Of the latter, the calls that are hooked are the program's own,
 * passed on.
 *
 * target serves: it stops where it is ready, and each time that it goes on, it
 * forks a child that plays its scenes. All others are started for each run.
 */

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define TRACEE_MAX_CALLS 2048
#define TRACEE_OUTPUT_SIZE 16384
#define TRACEE_FDS_SIZE 256

#define HANG_SECONDS 900

/* Whose a system call is. */
enum origin {
	ORIGIN_OTHER,		/* the program's, libc's, the loader's */
	ORIGIN_BERTH,
	ORIGIN_PASSED_ON,	/* the program's own, by a hook of Berth's */
};

struct traced_call {
	long number;
	enum origin origin;
};

/* Which of the calls counted fails, and how. */
struct fault {
	struct traced_call call;
	int nth;	/* of its kind, from 1; 0 = no fault */
	bool always;	/* it, and each later one of its kind */
	int error;	/* 0 = done, but for less than was asked for */
	int size_argument;	/* 0 to 5: that of the size then */
};

/* From where on calls are counted, and up to where. */
enum tracee_span {
	SPAN_START,	/* target: from its start to where it is ready */
	SPAN_PASS,	/* target: from there to its first output */
	SPAN_COMMAND,	/* berth: all calls from main() to its end or exec */
};

struct memory_range {
	uint64_t lo, hi;
};

/* What is run, and how. */
struct tracee {
	const char *const *argv;
	const char *const *environment;
	enum tracee_span span;
	const char *text;	/* end of the path of the file whose calls count */

	/* Of a target that serves; server = 0 before and after. */
	pid_t server;
	int output_fd, error_fd;

	/* Where that file lies, and the loader, whose calls never count. */
	struct memory_range range, loader;
};

/* What came of a run. */
struct outcome {
	int status;		/* as of wait(2) */
	bool hung;		/* killed after HANG_SECONDS */
	bool injected;
	struct traced_call calls[TRACEE_MAX_CALLS];
	int n_calls;		/* counted, up to a fault that was there */
	char output[TRACEE_OUTPUT_SIZE], errors[TRACEE_OUTPUT_SIZE];
	char fds[TRACEE_FDS_SIZE];	/* "0 1 2": open when it ended */
};

/*
 * Starts the program, or lets the one that serves go on, and waits for its end.
 * Returns false where the kernel does not let it trace.
 */
bool tracee_run(struct tracee *tracee, const struct fault *fault,
		struct outcome *outcome);

/* Ends the program that serves. */
void tracee_end(struct tracee *tracee);
