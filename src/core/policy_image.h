/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Reading a compiled policy. It lies in a file that root alone should be able
 * to write, and is checked all the same: every offset before it is followed,
 * the tables by a checksum when it is opened, each set when a rule that has it
 * is taken. No heap, no system call; async-signal-safe; bounded by its size.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/policy_layout.h"

/* What a program is, as rules look at it; NULL = not known, matches nothing. */
struct subject {
	const char *values[N_CONDITIONS];
};

/* The tables of an image, found and checked. */
struct policy_tables {
	const struct policy_image *image;
	const struct policy_rule *rules;
	const struct policy_reserve *reserves;
	const char *strings;
	const struct policy_set *sets;
};

/*
 * Detects any change of a single 64-bit word for certain, others with a chance
 * of 2^-64 to miss. n_bytes is a multiple of 8.
 */
uint64_t policy_checksum(const void *data, size_t n_bytes);

/* The checksum that an image of these tables has to have. */
uint64_t policy_image_checksum(const struct policy_image *image);

/*
 * Finds the tables of an image in memory of size bytes.
 * Returns 0, or -EINVAL for what is no whole, unchanged image of this format.
 */
int policy_image_open(const void *memory, size_t size,
		      struct policy_tables *tablesp);

/* A string, "" for an offset that leads nowhere. */
const char *policy_string(const struct policy_tables *tables, uint32_t offset);

/* The string behind text in its list; NULL after the last. */
const char *policy_next_string(const char *text);

/* A set whose checksum is right, or NULL. */
const struct port_set *policy_set(const struct policy_tables *tables,
				  uint32_t index);

/*
 * Whether a rule applies. If not, *failedp (may be NULL) is the first condition
 * that does not.
 */
bool policy_rule_applies(const struct policy_tables *tables,
			 const struct policy_rule *rule,
			 const struct subject *subject,
			 enum condition *failedp);

/* The first rule that applies; the last one does in any case. */
const struct policy_rule *policy_rule_of(const struct policy_tables *tables,
					 const struct subject *subject);

/* "exe", "name", "uid", "profile". */
const char *condition_name(enum condition condition);
