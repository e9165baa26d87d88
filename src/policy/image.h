/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Reading a compiled policy. It lies in a file that root alone should be able
 * to write, and is checked all the same: every offset before it is followed,
 * what finds a rule by a checksum when it is opened, a rule and its sets when
 * they are taken. No heap, no system call; async-signal-safe; bounded by its size.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "policy/layout.h"

/* What a program is, as rules look at it; NULL = not known, matches nothing. */
struct subject {
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
 * Detects any change of a single 64-bit word for certain, others with a chance
 * of 2^-64 to miss. n_bytes is a multiple of 8.
 */
uint64_t policy_checksum(const void *data, size_t n_bytes);

/* The checksums that an image, and a rule, of these bytes have to have. */
uint64_t policy_image_checksum(const struct policy_image *image);
uint64_t policy_image_rest_checksum(const struct policy_image *image);
uint64_t policy_rule_checksum(const struct policy_rule *rule);

/*
 * Finds the tables of an image in memory of size bytes.
 * Returns 0, or -EINVAL for what is no whole image of this format with an
 * unchanged head. What is behind it is bounded, but for who reads all of it to
 * look at: see policy_image_verify().
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
