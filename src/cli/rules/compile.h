/* SPDX-License-Identifier: MIT */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct rules;

/*
 * Makes the compiled form of sound rules, see policy/layout.h: equal sets of
 * ports lie in it once. loaded_at: seconds since 1970. Returns 0, and memory
 * for free(); -ENOMEM; or -EFBIG beyond POLICY_SIZE_MAX.
 */
int compile_rules(const struct rules *rules, uint64_t loaded_at, void **imagep,
		  size_t *sizep);
