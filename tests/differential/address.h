/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Socket addresses of all kinds, right and wrong ones, and the memory in which
 * they lie: a page that a program may take away, say.
 */

#include <netinet/in.h>
#include <stdbool.h>

#include "plan.h"

/* Of the device that the namespaces have beside lo. */
#define DEVICE "v0"

struct address {
	struct sockaddr *pointer;
	socklen_t length;
	char text[96];
	struct sockaddr_storage storage;
};

/* Once a process. */
void address_init(void);

/* Chooses one for the step: to bind to, or of a peer. */
void address_make(struct address *address, const struct step *step,
		  bool is_remote);

/* Takes the page away, or brings it back. Returns whether it is there now. */
bool address_toggle_page(void);
void address_begin(void);

unsigned int address_device(void);

/* As text, with symbols for ports: "[fe80::1%v0]:r1". */
const char *address_text(const void *address, socklen_t length);
