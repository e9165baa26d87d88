/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Ports as symbols, so that transcripts can be compared that have not chosen
 * the same ones: 0; e0 to e3 and f, which the program names itself (f lies in
 * the range of the policy); r0, r1 and so on, which were chosen for it, in the
 * order in which they were seen first.
 *
 * A stray is one of these that lies outside the range of the policy, although
 * the library had the choice. All ports are in host byte order.
 */

#include <stdbool.h>
#include <stdint.h>

#define N_NAMED 4

/* The range that the program sets itself, IP_LOCAL_PORT_RANGE. */
#define OWN_RANGE_LOW 36000u
#define OWN_RANGE_HIGH 36063u

/* The range whose ports are no strays. 0 to 0: all. */
void ports_set_range(uint16_t low, uint16_t high);

/* Begins a sequence. */
void ports_begin(uint64_t seed);

/* One of the ports that the program names; i below N_NAMED. */
uint16_t ports_named(unsigned int i);
uint16_t ports_named_in_range(void);

/* Valid until the eighth call from now. */
const char *ports_symbol(uint16_t port);

/* From now on the kernel may choose in low to high too, 0 being no limit. */
void ports_allow(uint16_t low, uint16_t high);
