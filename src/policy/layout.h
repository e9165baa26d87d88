/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The layout of the policy file of a namespace, and of a compiled policy.
 *
 * The file begins with a preamble whose form never changes: so a program of any
 * version can tell that a policy is in force which it cannot follow, and what
 * it has to do then. A header follows, then images at the offsets in the
 * header's two slots.
 *
 * A load writes its image where the one in force does not lie, and then puts it
 * in force by storing one word. So every process that has the file mapped
 * follows without a system call, even if it has changed its root folder, has no
 * privileges or is under a seccomp filter, and a loader that dies leaves the
 * old policy in force. A file never gets shorter. Nobody reads an image that
 * has not been in force.
 *
 * A reader may be stopped during two loads, and then reads what the second one
 * is writing: it uses what it has read only if the word is still the one with
 * which it began. Whatever is read is range-checked; integers are in host byte
 * order.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/atomics.h"
#include "base/port_set.h"
#include "kernel/protocol.h"
#include "policy/setting.h"

#define POLICY_FILE_MAGIC UINT64_C(0x79636c6f70687462) /* "bthpolcy" */
#define POLICY_FILE_VERSION 2u

/* Of one image. */
#define POLICY_SIZE_MAX (16u << 20)
#define N_POLICY_SLOTS 2u

/*
 * What each process maps of the file, at least: the header and both images of
 * an ordinary policy, about 15 sets of ports each, so that following a load
 * takes no system call. For larger policies it maps 2, 4, 8 ... times as much.
 */
#define POLICY_VIEW_SIZE (384u << 10)
#define N_POLICY_VIEWS 9u

/* The form never changes, whatever the version of the rest is. */
struct policy_preamble {
	uint64_t magic;
	uint32_t version;
	uint32_t header_size;
	uint64_t netns_cookie; /* SO_NETNS_COOKIE; 0 = kernel has none */
	uint64_t netns_inode;  /* of /proc/self/ns/net; 0 = no /proc */
	/* Edition of the policy in force: the number of loads and unloads,
	 * times two, plus 1 if there is a policy; its slot is (edition / 2) %
	 * 2. */
	atomic_u64 edition;
	/* For a program that cannot follow the policy in this slot: enum
	 * on_error, refuse if any rule of the policy says so. */
	atomic_u32 on_error[2];
	/* 1: this file no longer holds the namespace's policy. Set before
	 * edition. */
	atomic_u32 has_moved;
	uint32_t zeros[3];
};

/* Where an image lies. Both are multiples of 8; written before edition. */
struct policy_slot {
	atomic_u64 offset;
	atomic_u64 size;
};

struct policy_file_header {
	struct policy_preamble preamble;
	struct policy_slot slots[N_POLICY_SLOTS];
	uint8_t pad[4000];
};

#define POLICY_MAGIC UINT64_C(0x656c757268747262) /* "brthrule" */
#define POLICY_FORMAT 1u

/* What a process uses a port for, see ranges below. */
enum role {
	ROLE_OF_CONNECT, /* source port of a connect, or of a first send */
	ROLE_OF_LISTEN,	 /* bind to port 0, listen */
	N_ROLES,
};

/* A rule's conditions. Each is a list of patterns of which one must match, see
 * policy/glob.h; a rule applies when all its lists match. */
enum condition {
	CONDITION_EXE, /* the program's file, an absolute path */
	/* The name that the kernel shows, its first 15 bytes */
	CONDITION_NAME,
	CONDITION_UID,	   /* effective at the start, in decimal */
	CONDITION_PROFILE, /* BERTH_PROFILE */
	N_CONDITIONS,
};

/*
 * A compiled policy: this header, n_rules matches, strings_size bytes of
 * strings, n_rules rules, n_reserves reservations, and n_sets sets of ports.
 * What a program reads to find its rule comes first and has a checksum of its
 * own: header, matches, and the patterns among the strings.
 *
 * A string is named by its offset into the strings, which end with a NUL; a
 * list of strings is one after the other, an empty one at its end; offset 0 is
 * the empty string, and no list (any matches). A set is named by its index.
 */
struct policy_image {
	uint64_t magic;
	uint32_t format;
	uint32_t rest_ms; /* how long a port rests, at least */
	uint64_t size;	  /* bytes of all of it */
	/* Of all up to the patterns' end, with this word 0 */
	uint64_t checksum;
	uint64_t rest_checksum; /* of all from there to the sets */
	uint32_t n_rules;	/* at least 1: the last has no condition */
	uint32_t n_reserves;
	uint32_t patterns_size; /* of the strings; a multiple of 8 */
	uint32_t strings_size;	/* a multiple of 8, patterns included */
	uint32_t n_sets;
	uint32_t source;    /* string: the file it was compiled from */
	uint64_t loaded_at; /* seconds since 1970 */
	/* sets: all ports that any rule assigns */
	uint32_t dynamic[N_PROTOCOLS];
};

/* When the rule of the same index applies. */
struct policy_match {
	uint32_t conditions[N_CONDITIONS]; /* lists of patterns */
};

struct policy_rule {
	uint64_t checksum; /* policy_checksum() of what follows */
	uint32_t name;	   /* string */
	uint32_t place;	   /* string, "file:line" */
	/* sets; reservations taken out */
	uint32_t ranges[N_PROTOCOLS][N_ROLES];
	uint32_t avoided[N_PROTOCOLS]; /* sets: never assigned */
	/* sets: reserved, and not by this rule */
	uint32_t refused[N_PROTOCOLS];
	uint32_t owned[N_PROTOCOLS]; /* sets: reserved by this rule */
	uint32_t arguments;	     /* list of strings, for berth run */
	uint8_t settings[N_SETTINGS];
	uint8_t pad[3];
};

struct policy_reserve {
	uint32_t name;		     /* string */
	uint32_t place;		     /* string, "file:line" */
	uint32_t owners;	     /* list of strings: names of rules */
	uint32_t ports[N_PROTOCOLS]; /* sets */
	uint32_t pad;
};

struct policy_set {
	uint64_t checksum;     /* policy_checksum() of ports */
	struct port_set ports; /* finished */
};

_Static_assert(sizeof(struct policy_preamble) == 64, "for ever");
_Static_assert(sizeof(struct policy_file_header) == 4096, "");
_Static_assert((POLICY_VIEW_SIZE << (N_POLICY_VIEWS - 1)) >=
		       4096 + 3 * (POLICY_SIZE_MAX + 4096),
	       "each image can be mapped");
_Static_assert(sizeof(struct policy_image) == 88, "");
_Static_assert(sizeof(struct policy_match) == 16, "");
_Static_assert(sizeof(struct policy_rule) == 112, "");
_Static_assert(sizeof(struct policy_reserve) == 32, "");
_Static_assert(sizeof(struct policy_set) == 10256, "");
