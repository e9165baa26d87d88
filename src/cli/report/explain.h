/* SPDX-License-Identifier: MIT */
#pragma once

/* The parts of berth explain. Each prints sections of a report. */

#include <stdint.h>
#include <sys/types.h>

#include "cli/output.h"
#include "cli/view.h"

/* Which rule applies to a running process. Returns 0, or -ESRCH. */
int explain_process(struct view *view, struct output *output, pid_t pid);

/*
 * Which rule would apply to a program started from here; NULL: to berth itself.
 * Returns 0, -ENOENT or -EACCES for a program that cannot be started.
 */
int explain_command(struct view *view, struct output *output, const char *name);

/*
 * Who may have a port, who has it, and whether it could be assigned now.
 * Returns 0, or -errno when the sockets could not be listed.
 */
int explain_port(struct view *view, struct output *output, uint16_t port);
