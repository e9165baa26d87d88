/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Work on a mapped file that another user may shorten meanwhile: an access
 * beyond its new end is SIGBUS, which ends the work and not the command.
 */

/*
 * Runs work(context). Returns 0; or -EIO when SIGBUS has ended it. What it has
 * opened, locked or allocated then stays so until the command ends, and what it
 * has written into the context is not to be used.
 */
int bus_error_catch(void (*work)(void *context), void *context);
