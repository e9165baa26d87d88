/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The sockets of a sequence: descriptors in numbered slots, -1 for none.
 */

#include <stdbool.h>
#include <stdint.h>

#include "plan.h"

extern int slots[N_SLOTS];

void slots_begin(void);

/* Puts a descriptor into a slot, and closes the one that was there. A call on
 * it blocks for milliseconds at most. */
void slots_put(unsigned int slot, int fd);

/* A descriptor that the library has not seen being made: by a raw call, by
 * SCM_RIGHTS, or as a copy of such a one. */
void slots_put_unseen(unsigned int slot, int fd);
bool slots_is_unseen(unsigned int slot);

/* Closes all of them, and waits for no peer. */
void slots_end(void);

/* The local port, and the domain; 0 and AF_INET where there is none. */
uint16_t slots_port(unsigned int slot);
int slots_domain(unsigned int slot);

/* One that listens, or -1. */
int slots_listening(void);
