/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Atomic operations, each pair of operation and memory order by its name.
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

static inline uint16_t load_relaxed_u16(const atomic_u16 *wordp)
{
	return atomic_load_explicit(wordp, memory_order_relaxed);
}

static inline uint16_t load_acquire_u16(const atomic_u16 *wordp)
{
	return atomic_load_explicit(wordp, memory_order_acquire);
}

static inline void store_relaxed_u16(atomic_u16 *wordp, uint16_t value)
{
	atomic_store_explicit(wordp, value, memory_order_relaxed);
}

/* On failure *expectedp holds what was found. */
static inline bool swap_if_acq_rel_u16(atomic_u16 *wordp, uint16_t *expectedp,
				       uint16_t desired)
{
	return atomic_compare_exchange_strong_explicit(
		wordp, expectedp, desired, memory_order_acq_rel,
		memory_order_acquire);
}

static inline uint32_t load_relaxed_u32(const atomic_u32 *wordp)
{
	return atomic_load_explicit(wordp, memory_order_relaxed);
}

static inline uint32_t load_acquire_u32(const atomic_u32 *wordp)
{
	return atomic_load_explicit(wordp, memory_order_acquire);
}

static inline void store_relaxed_u32(atomic_u32 *wordp, uint32_t value)
{
	atomic_store_explicit(wordp, value, memory_order_relaxed);
}

static inline void store_release_u32(atomic_u32 *wordp, uint32_t value)
{
	atomic_store_explicit(wordp, value, memory_order_release);
}

static inline uint32_t add_relaxed_u32(atomic_u32 *wordp, uint32_t value)
{
	return atomic_fetch_add_explicit(wordp, value, memory_order_relaxed);
}

static inline uint32_t add_release_u32(atomic_u32 *wordp, uint32_t value)
{
	return atomic_fetch_add_explicit(wordp, value, memory_order_release);
}

static inline uint32_t or_relaxed_u32(atomic_u32 *wordp, uint32_t bits)
{
	return atomic_fetch_or_explicit(wordp, bits, memory_order_relaxed);
}

/* On failure *expectedp holds what was found. */
static inline bool swap_if_acq_rel_u32(atomic_u32 *wordp, uint32_t *expectedp,
				       uint32_t desired)
{
	return atomic_compare_exchange_strong_explicit(
		wordp, expectedp, desired, memory_order_acq_rel,
		memory_order_acquire);
}

static inline uint64_t load_relaxed_u64(const atomic_u64 *wordp)
{
	return atomic_load_explicit(wordp, memory_order_relaxed);
}

static inline uint64_t load_acquire_u64(const atomic_u64 *wordp)
{
	return atomic_load_explicit(wordp, memory_order_acquire);
}

static inline void store_release_u64(atomic_u64 *wordp, uint64_t value)
{
	atomic_store_explicit(wordp, value, memory_order_release);
}

static inline void store_relaxed_u64(atomic_u64 *wordp, uint64_t value)
{
	atomic_store_explicit(wordp, value, memory_order_relaxed);
}

static inline uint64_t add_relaxed_u64(atomic_u64 *wordp, uint64_t value)
{
	return atomic_fetch_add_explicit(wordp, value, memory_order_relaxed);
}

static inline uint64_t or_acq_rel_u64(atomic_u64 *wordp, uint64_t bits)
{
	return atomic_fetch_or_explicit(wordp, bits, memory_order_acq_rel);
}

static inline uint64_t and_acq_rel_u64(atomic_u64 *wordp, uint64_t bits)
{
	return atomic_fetch_and_explicit(wordp, bits, memory_order_acq_rel);
}

static inline uint64_t swap_acq_rel_u64(atomic_u64 *wordp, uint64_t value)
{
	return atomic_exchange_explicit(wordp, value, memory_order_acq_rel);
}

/* On failure *expectedp holds what was found. */
static inline bool swap_if_acq_rel_u64(atomic_u64 *wordp, uint64_t *expectedp,
				       uint64_t desired)
{
	return atomic_compare_exchange_strong_explicit(
		wordp, expectedp, desired, memory_order_acq_rel,
		memory_order_acquire);
}

static inline const void *load_relaxed_pointer(const atomic_pointer *pointerp)
{
	return atomic_load_explicit(pointerp, memory_order_relaxed);
}

static inline const void *load_acquire_pointer(const atomic_pointer *pointerp)
{
	return atomic_load_explicit(pointerp, memory_order_acquire);
}

/* On failure *expectedp holds what was found. */
static inline bool swap_if_acq_rel_pointer(atomic_pointer *pointerp,
					   const void **expectedp,
					   const void *desired)
{
	return atomic_compare_exchange_strong_explicit(
		pointerp, expectedp, desired, memory_order_acq_rel,
		memory_order_acquire);
}
