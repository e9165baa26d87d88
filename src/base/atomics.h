/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Atomic operations, each pair of operation and memory order by its name:
 * load_relaxed_u16(), swap_if_acq_rel_u64(), and so on. The table at the end has
 * all that exist.
 *
 * All of them work on plain words in shared or private memory, are lock-free
 * (checked below) and therefore safe in signal handlers and against SIGKILL:
 * a word is either written whole or not at all.
 */

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

_Static_assert(ATOMIC_SHORT_LOCK_FREE == 2, "16-bit atomics must be lock-free");
_Static_assert(ATOMIC_INT_LOCK_FREE == 2, "32-bit atomics must be lock-free");
_Static_assert(ATOMIC_LLONG_LOCK_FREE == 2, "64-bit atomics must be lock-free");
_Static_assert(ATOMIC_POINTER_LOCK_FREE == 2, "as must those of pointers");

typedef _Atomic uint16_t atomic_u16;
typedef _Atomic uint32_t atomic_u32;
typedef _Atomic uint64_t atomic_u64;
typedef _Atomic(const void *) atomic_pointer;

#define ATOMIC_LOAD(order, suffix, type) \
	static inline type load_##order##_##suffix( \
		const atomic_##suffix *wordp) \
	{ \
		return atomic_load_explicit(wordp, memory_order_##order); \
	}

#define ATOMIC_STORE(order, suffix, type) \
	static inline void store_##order##_##suffix(atomic_##suffix *wordp, \
						    type value) \
	{ \
		atomic_store_explicit(wordp, value, memory_order_##order); \
	}

/* Returns what was there before: add, or, and. */
#define ATOMIC_FETCH(operation, order, suffix, type) \
	static inline type operation##_##order##_##suffix( \
		atomic_##suffix *wordp, type value) \
	{ \
		return atomic_fetch_##operation##_explicit( \
			wordp, value, memory_order_##order); \
	}

/* On failure *expectedp holds what was found. */
#define ATOMIC_SWAP_IF(suffix, type) \
	static inline bool swap_if_acq_rel_##suffix( \
		atomic_##suffix *wordp, type *expectedp, type desired) \
	{ \
		return atomic_compare_exchange_strong_explicit( \
			wordp, expectedp, desired, memory_order_acq_rel, \
			memory_order_acquire); \
	}

ATOMIC_LOAD(relaxed, u16, uint16_t)
ATOMIC_LOAD(acquire, u16, uint16_t)
ATOMIC_STORE(relaxed, u16, uint16_t)
ATOMIC_SWAP_IF(u16, uint16_t)

ATOMIC_LOAD(relaxed, u32, uint32_t)
ATOMIC_LOAD(acquire, u32, uint32_t)
ATOMIC_STORE(relaxed, u32, uint32_t)
ATOMIC_STORE(release, u32, uint32_t)
ATOMIC_FETCH(add, relaxed, u32, uint32_t)
ATOMIC_FETCH(add, release, u32, uint32_t)
ATOMIC_FETCH(or, relaxed, u32, uint32_t)
ATOMIC_SWAP_IF(u32, uint32_t)

ATOMIC_LOAD(relaxed, u64, uint64_t)
ATOMIC_LOAD(acquire, u64, uint64_t)
ATOMIC_STORE(relaxed, u64, uint64_t)
ATOMIC_STORE(release, u64, uint64_t)
ATOMIC_FETCH(add, relaxed, u64, uint64_t)
ATOMIC_FETCH(or, acq_rel, u64, uint64_t)
ATOMIC_FETCH(and, acq_rel, u64, uint64_t)
ATOMIC_SWAP_IF(u64, uint64_t)

ATOMIC_LOAD(relaxed, pointer, const void *)
ATOMIC_LOAD(acquire, pointer, const void *)
ATOMIC_SWAP_IF(pointer, const void *)

static inline uint64_t swap_acq_rel_u64(atomic_u64 *wordp, uint64_t value)
{
	return atomic_exchange_explicit(wordp, value, memory_order_acq_rel);
}
