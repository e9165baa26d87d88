/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The sockets of a sequence: descriptors in numbered slots, -1 for none.
 */

#include <stdint.h>

#include "plan.h"

extern int slots[N_SLOTS];

void slots_begin(void);

/* Puts a descriptor into a slot, and closes the one that was there. A call on
 * it blocks for milliseconds at most. */
void slots_put(unsigned int slot, int fd);

/* Closes all of them, and waits for no peer. */
void slots_end(void);

/* The local port, and the domain; 0 and AF_INET where there is none. */
uint16_t slots_port(unsigned int slot);
int slots_domain(unsigned int slot);

/* One that listens, or -1. */
int slots_listening(void);
