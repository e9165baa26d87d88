/* SPDX-License-Identifier: MIT */
#pragma once

struct arena_place;
struct environment;
struct kernel;
struct policy;
struct published;

/* Where this network namespace's files lie, as BERTH_DIR may say. */
void netns_place(const struct kernel *kernel, struct arena_place *placep);

/*
 * The policy that a program of this environment would get; what is in force is
 * copied to *publishedp, for the caller to deinit. Mistakes are said on standard
 * error, and what libberth.so would do instead is done.
 */
void netns_policy(const struct kernel *kernel, const struct arena_place *place,
		  struct environment *environmentp,
		  struct published *publishedp, struct policy *policyp);
