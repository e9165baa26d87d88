/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>

struct place;
struct environment;
struct kernel;
struct policy;
struct published;

/*
 * Where this network namespace's files lie, as BERTH_DIR may say. Returns 0; or
 * -errno without /proc, which is said: the place is then one that no program
 * with a /proc looks at.
 */
int netns_place(const struct kernel *kernel, struct place *placep);

/*
 * Whether a file does not lie where the other programs look for it, given why
 * it was passed over there (see map/shared_file.h). That root's folder is not
 * for others to write in is as it should be.
 */
bool netns_is_elsewhere(int passed_over);

/*
 * The policy that a program of this environment would get; what is in force is
 * copied to *publishedp, for the caller to deinit. Mistakes are said on standard
 * error, and what libberth.so would do instead is done.
 */
void netns_policy(const struct kernel *kernel, const struct place *place,
		  struct environment *environmentp,
		  struct published *publishedp, struct policy *policyp);
