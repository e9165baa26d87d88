/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Reads a compiled policy. It lies in a file that only root should be able to
 * write, and is checked all the same: every offset before it is followed, the
 * part that finds a rule by a checksum when it is opened, a rule and its sets
 * when they are used. No heap, no system call; async-signal-safe; bounded by
 * the image's size.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "policy/layout.h"

/* What rules know about a program; NULL = not known, matches nothing. */
struct program {
	const char *values[N_CONDITIONS];
};

/* The tables of an image, found and checked. */
struct policy_tables {
	const struct policy_image *image;
	const struct policy_match *matches;
	const char *strings;
	const struct policy_rule *rules;
	const struct policy_reserve *reserves;
	const struct policy_set *sets;
};

/*
 * Always detects a change of a single 64-bit word; misses other changes with a
 * probability of 2^-64. n_bytes is a multiple of 8.
 */
uint64_t policy_checksum(const void *data, size_t n_bytes);

/* The checksums of an image, and of a rule, with these bytes. */
uint64_t policy_image_checksum(const struct policy_image *image);
uint64_t policy_image_rest_checksum(const struct policy_image *image);
uint64_t policy_rule_checksum(const struct policy_rule *rule);

/*
 * Finds the tables of an image in memory of size bytes. Returns 0, or -EINVAL
 * for what is no complete image of this format with an unchanged head. The
 * offsets of the rest are within bounds; whoever reads all of it calls
 * policy_image_verify() first.
 */
int policy_image_open(const void *memory, size_t size,
		      struct policy_tables *tablesp);

/* Whether rules, reservations and strings are unchanged too; not the sets. */
bool policy_image_verify(const struct policy_tables *tables);

/* The conditions of a rule of these tables. */
const uint32_t *policy_conditions(const struct policy_tables *tables,
				  const struct policy_rule *rule);

/* A string, "" for an offset that leads nowhere. */
const char *policy_string(const struct policy_tables *tables, uint32_t offset);

/* The string behind text in its list; NULL after the last. */
const char *policy_next_string(const char *text);

/* A set whose checksum is right, or NULL. */
const struct port_set *policy_set(const struct policy_tables *tables,
				  uint32_t index);

/*
 * Whether a rule applies. If not, *failedp (may be NULL) is the first condition
 * that does not match.
 */
bool policy_rule_applies(const struct policy_tables *tables,
			 const struct policy_rule *rule,
			 const struct program *program,
			 enum condition *failedp);

/* The first rule that applies; the last one always does. */
const struct policy_rule *policy_rule_of(const struct policy_tables *tables,
					 const struct program *program);

/* "exe", "name", "uid", "profile". */
const char *condition_name(enum condition condition);

/* "connect", "listen". */
const char *role_name(enum role role);
