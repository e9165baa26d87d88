/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The ring of events in the map: what was refused, or would have been, and
 * what an operator would want to know. Any process of the namespace writes it;
 * nothing in it is trusted. Lock-free, async-signal-safe; a writer that dies
 * leaves at worst one entry that is never complete, which readers pass over.
 */

#include <stdbool.h>
#include <stdint.h>

#include "kernel/endpoint.h"
#include "kernel/protocol.h"

struct map;

enum event_kind {
	EVENT_RESERVED,		/* explicit bind to a port reserved for others */
	EVENT_SERVER_IN_RANGE,	/* explicit bind to a port that a rule assigns */
	EVENT_OUTSIDE,		/* explicit bind outside the process's range */
	EVENT_SELF_CONNECT,	/* TCP connect of a socket to itself */
	EVENT_EXHAUSTED,	/* no port of the range was left */
	EVENT_NO_MAP,		/* bind or connect without shared memory */
	EVENT_PIN_IGNORED,	/* the kernel chose outside the range */
	EVENT_UNCOVERED,	/* the same, where Berth assigned none */
	EVENT_BAD_POLICY,	/* the policy published cannot be read */
	N_EVENT_KINDS,
};

/* What became of the program's call. */
enum event_verdict {
	EVENT_REFUSED,		/* it failed */
	EVENT_ALLOWED,		/* it went on: a warning */
	EVENT_OBSERVED,		/* it went on, for mode = observe alone */
	N_EVENT_VERDICTS,
};

/* Which of the program's calls. */
enum event_call {
	CALL_BIND,
	CALL_CONNECT,
	CALL_LISTEN,
	CALL_SEND,
	CALL_NONE,		/* no call in particular */
	N_EVENT_CALLS,
};

#define EVENT_NAME_SIZE 16u
#define EVENT_RULE_SIZE 32u

struct event {
	uint64_t time_ns;	/* since 1970 */
	uint32_t pid;		/* as the process itself sees it */
	uint8_t kind;		/* enum event_kind, and so on */
	uint8_t verdict;
	uint8_t call;
	uint8_t protocol;
	struct endpoint address;	/* what the call was given */
	char program[EVENT_NAME_SIZE];	/* terminated */
	char rule[EVENT_RULE_SIZE];	/* terminated, perhaps cut */
};

_Static_assert(sizeof(struct event) == 88, "");
_Static_assert(sizeof(struct event) % sizeof(uint64_t) == 0, "whole words");

const char *event_kind_name(enum event_kind kind);	/* "reserved" */
const char *event_verdict_name(enum event_verdict verdict);	/* "refused" */
const char *event_call_name(enum event_call call);	/* "bind"; "-" for none */

/* Enters an event. Nothing without a map. */
void event_put(const struct map *map, const struct event *event);

/* The number of events that were ever entered. */
uint64_t event_end(const struct map *map);

/* The number of the oldest that is still to be had. */
uint64_t event_begin(const struct map *map);

/*
 * Copies event number index, checked: enums in range, texts terminated and
 * printable. Returns false when it is not complete, or overwritten.
 */
bool event_get(const struct map *map, uint64_t index, struct event *eventp);
