/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A sequence of calls, made from a seed alone.
 *
 * The same seed gives the same plan on every machine. A step says which call
 * is made, on which socket, and in which way; the draws choose all else:
 * whoever makes the call takes them by their number.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MIN_STEPS 5
#define MAX_STEPS 30
#define N_SLOTS 4
#define N_DRAWS 8

/* Which draw chooses what of an address, in the calls that have one. */
enum {
	DRAW_IP,
	DRAW_PORT,
	DRAW_FAMILY,
	DRAW_LENGTH,
	DRAW_WHERE,
	DRAW_DETAIL,
};

enum kind {
	KIND_SOCKET,
	KIND_CLOSE,
	KIND_BIND,
	KIND_BINDRESVPORT,
	KIND_CONNECT,
	KIND_LISTEN,
	KIND_ACCEPT,
	KIND_SENDTO,
	KIND_SENDMSG,
	KIND_SENDMMSG,
	KIND_RECEIVE,
	KIND_SHUTDOWN,
	KIND_OPTION,
	KIND_ERROR,
	KIND_POLL,
	KIND_DUP,
	KIND_DUP2,
	KIND_DUPFD,
	KIND_PASS,
	KIND_PAGE,
	N_KINDS,
};

/* Who makes the system call: libc's function, libc's syscall(), or an
 * instruction of the program's own, which no preloaded library sees. */
enum form { FORM_LIBC, FORM_SYSCALL, FORM_RAW };

/* Where it is made. */
enum place {
	PLACE_HERE,
	PLACE_FORK,
	PLACE_VFORK,
	PLACE_THREAD,
	PLACE_HANDLER,
	N_PLACES,
};

struct step {
	enum kind kind;
	enum form form;
	enum place place;
	unsigned int socket, other; /* slots; may be the same */
	uint32_t draws[N_DRAWS];
};

struct plan {
	uint64_t seed;
	size_t n_steps;
	struct step steps[MAX_STEPS];
};

void plan_make(struct plan *plan, uint64_t seed);

/* Makes the calls of libc, in the thread that runs. */
void plan_simplify(struct step *step);

/* Whether a call of this kind may give a socket a port. */
bool plan_takes_port(enum kind kind);

/* Whether it makes a descriptor of a socket. */
bool plan_makes_descriptor(enum kind kind);

/* An index below n, with the given weights. */
unsigned int plan_pick(uint32_t draw, const uint8_t *weights, unsigned int n);
