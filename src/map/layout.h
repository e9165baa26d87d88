/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The layout of the shared memory; all of it is declared here.
 *
 * A map file holds one struct map_memory. Any process of the namespace may
 * write all of it but the header at any time, a hostile process any value:
 * readers range-check what they load and use each value only as a hint. The
 * header is written before the file has a name, and read once, when the file is
 * opened. Integers are in host byte order; ports too.
 */

#include <stdint.h>

#include "base/atomics.h"
#include "base/port_set.h"
#include "kernel/endpoint.h"
#include "kernel/protocol.h"
#include "map/siphash.h"

#define MAP_MAGIC UINT64_C(0x6e65726168747262) /* "brtharen" */
#define MAP_VERSION 7u

/*
 * Planes by protocol. TCP has the most, since there the kernel shares a port
 * between destinations; a UDP port is shared between local addresses only.
 */
#define N_PLANES_TCP 256u
#define N_PLANES_UDP 32u
#define N_PLANES_UDPLITE 8u
#define N_PLANES_SCTP 16u
#define N_PLANES \
	(N_PLANES_TCP + N_PLANES_UDP + N_PLANES_UDPLITE + N_PLANES_SCTP)

struct map_header {
	uint64_t magic;
	uint32_t version;
	uint32_t size;		/* bytes, sizeof(struct map_memory) */
	uint64_t netns_cookie;	/* SO_NETNS_COOKIE; 0 = kernel has none */
	uint64_t netns_inode;	/* of /proc/self/ns/net; 0 = no /proc */
	struct siphash_key key; /* from getrandom(), for this map alone */
	uint32_t rest_ms;
	uint8_t pad[4040];
};

/*
 * RFC 6056: next_ephemeral of 3.3.1, 3.3.3, 3.3.5 and the table of 3.3.4, which
 * has as many entries as in Linux (INET_TABLE_PERTURB_SIZE in
 * net/ipv4/inet_hashtables.c). The table begins with zeros: the hash F hides
 * where a destination starts.
 */
#define CHOICE_TABLE_LENGTH 65536u

struct choice_memory {
	atomic_u32 next_ephemeral[N_PROTOCOLS];
	uint8_t pad1[48];
	atomic_u64 random_counter; /* position in the stream of 3.3.2 */
	uint8_t pad2[4024];
	atomic_u32 table[CHOICE_TABLE_LENGTH];
};

/* Occurrences that an operator wants to know. */
enum counter {
	COUNTER_KERNEL_ASKED, /* the map had no port left */
	/* Ports that the kernel chose, or may have, outside the range */
	COUNTER_PIN_IGNORED,
	COUNTER_SELF_CONNECT, /* refused */
	/* Ports that the map showed as free and the kernel refused */
	COUNTER_FOREIGN,
	COUNTER_RESERVED, /* explicit binds to ports reserved for others */
	COUNTER_SERVER_IN_RANGE, /* explicit binds in a range, if looked for */
	COUNTER_OUTSIDE,	 /* explicit binds outside the range, refused */
	COUNTER_OBSERVED,	 /* what mode = observe has let pass */
	COUNTER_EXHAUSTED,  /* calls that no port of the range was left for */
	COUNTER_NO_MAP,	    /* refused without shared memory */
	COUNTER_SWEPT,	    /* leases without a socket that sweeps found */
	COUNTER_BAD_POLICY, /* policies that could not be followed, or read */
	/* Ports left to the kernel, or sockets not asked, since the
	 * program's seccomp filter refuses what Berth needs for it */
	COUNTER_FILTERED,
	N_COUNTERS,
};

struct counter_memory {
	atomic_u64 counters[N_COUNTERS];
	uint8_t pad[4096 - N_COUNTERS * sizeof(uint64_t)];
};

/* Whose turn it is to sweep: see sweep.h. */
struct turn_memory {
	atomic_u64 swept_ms[N_PROTOCOLS]; /* when the last sweep began */
	atomic_u64 took_ms[N_PROTOCOLS];  /* how long the last one took */
	/* Sockets that have lost a port which other processes may have too:
	 * see process_tell_others() */
	atomic_u32 n_lost;
	uint8_t pad[4028];
};

enum event_kind {
	EVENT_RESERVED,	       /* explicit bind to a port reserved for others */
	EVENT_SERVER_IN_RANGE, /* explicit bind to a port that a rule assigns */
	EVENT_OUTSIDE,	       /* explicit bind outside the process's range */
	EVENT_SELF_CONNECT,    /* TCP connect of a socket to itself */
	EVENT_EXHAUSTED,       /* no port of the range was left */
	EVENT_NO_MAP,	       /* bind or connect without shared memory */
	EVENT_PIN_IGNORED,     /* the kernel chose outside the range */
	EVENT_UNCOVERED,       /* the same, where Berth assigned none */
	EVENT_BAD_POLICY,      /* the policy in force cannot be read */
	N_EVENT_KINDS,
};

/* The result of the program's call. */
enum event_verdict {
	EVENT_REFUSED, /* it failed */
	EVENT_ALLOWED, /* it went on: a warning */
	/* It went on, but only because of mode = observe */
	EVENT_OBSERVED,
	N_EVENT_VERDICTS,
};

/* The program's call. */
enum event_call {
	CALL_BIND,
	CALL_CONNECT,
	CALL_LISTEN,
	CALL_SEND,
	CALL_NONE, /* no call in particular */
	N_EVENT_CALLS,
};

#define EVENT_NAME_SIZE 16u
#define EVENT_RULE_SIZE 32u

struct event {
	uint64_t time_ns; /* since 1970 */
	uint32_t pid;	  /* as the process itself sees it */
	uint8_t kind;	  /* enum event_kind, and so on */
	uint8_t verdict;
	uint8_t call;
	uint8_t protocol;
	/* The address that the call was given */
	struct endpoint address;
	char program[EVENT_NAME_SIZE]; /* terminated */
	char rule[EVENT_RULE_SIZE];    /* terminated, perhaps cut */
};

_Static_assert(sizeof(struct event) == 88, "");
_Static_assert(sizeof(struct event) % sizeof(uint64_t) == 0, "whole words");

/* The last so many events; a power of two. */
#define N_EVENTS 4096u

struct event_slot {
	atomic_u64 sequence; /* of its event, see event.c; 0 = being written */
	atomic_u64 words[sizeof(struct event) / sizeof(uint64_t)];
};

struct event_memory {
	atomic_u64 end; /* events that were ever entered */
	uint8_t pad[4088];
	struct event_slot slots[N_EVENTS];
};

/* What a port is used for; the two low bits of a port's use word. */
enum use {
	USE_FREE,
	USE_WHOLE,   /* bound to the wildcard address, or listening */
	USE_BOUND,   /* bound to specific local addresses, a plane each */
	USE_CONNECT, /* used by connects, a plane each destination */
	N_USES,
};

/* A rest word: 32 ports in the low half, their epoch in the high half. */
#define REST_WORD_BITS 32u
#define N_REST_WORDS (N_PORTS / REST_WORD_BITS)

struct protocol_memory {
	/* Ports by use; [USE_FREE] idle */
	atomic_u64 hints[N_USES][N_PORT_WORDS];
	atomic_u64 rest[2][N_REST_WORDS]; /* by parity of the epoch */
	atomic_u16 uses[N_PORTS];	  /* leases * 4 + enum use */
	/* When it went to rest, in the units of ledger_rest() */
	atomic_u16 rested_at[N_PORTS];
};

struct plane_memory {
	atomic_u64 words[N_PORT_WORDS];
};

struct map_memory {
	struct map_header header;
	struct choice_memory choice;
	struct counter_memory counter;
	struct turn_memory turn;
	struct event_memory event;
	struct protocol_memory protocols[N_PROTOCOLS];
	struct plane_memory planes[N_PLANES];
};

_Static_assert(sizeof(struct map_header) == 4096, "a page");
_Static_assert(sizeof(struct choice_memory) == 4096 + 262144, "whole pages");
_Static_assert(sizeof(struct counter_memory) == 4096, "a page");
_Static_assert(sizeof(struct turn_memory) == 4096, "a page");
_Static_assert(sizeof(struct event_slot) == 96, "");
_Static_assert(sizeof(struct event_memory) == 4096 + 4096 * 96, "");
_Static_assert(sizeof(struct protocol_memory) == 32768 + 32768 + 2 * 131072,
	       "");
_Static_assert(N_PLANES_TCP < 1u << 14, "as many leases fit a use word");
_Static_assert(sizeof(struct plane_memory) == 8192, "");
_Static_assert(sizeof(struct map_memory) ==
		       16384 + 262144 + 397312 + 4 * 327680 + 312 * 8192,
	       "the layout of version 7");
/* What a process maps for Berth is 5 MiB at most: this, its policy, its cache. */
_Static_assert(sizeof(struct map_memory) < 4480u << 10, "and libberth.so");
