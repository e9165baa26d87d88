/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Steps: calls as lines of text, which play.c describes. "bind here:5100/len=8"
 * binds the descriptor at hand. A scene opens its own descriptors.
 */

#include "probe.h"

#define MAX_SCENE_FDS 64
#define MAX_SERVERS 4

struct stage {
	const struct kind *kind;
	const char *range; /* NULL: nobody judges the steps */
	int servers[MAX_SERVERS], n_servers;
	int fds[MAX_SCENE_FDS], n_fds; /* of the scene */
	int fd;			       /* at hand */
};
extern struct stage stage;

/* A kind by its name; ends the program where there is none. */
const struct kind *step_kind(const char *name);

/* Opens a server at an address, for the scenes to connect and send to. */
void step_serve(const char *address);
void step_close_servers(void);

/* Makes the call with errno at ERRNO_KEPT, and leaves errno as the call does. */
long step_make(const char *text);

/* The same, without what stands behind " =": NULL where the call does what that
 * says, or succeeds where nothing stands there; else what it has said. */
const char *step_judge(const char *text);

/* Whether the step makes its call by syscall(2): "sys." stands before it. A step
 * that does not ask has no such form. */
bool step_is_by_number(void);

/* The descriptor that the scene has opened Nth, from 0; -1: none. */
int step_opened(int n);

/* Closes what the scene has opened. */
void step_end(void);
