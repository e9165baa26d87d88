/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Runs work(context) on a mapped file that another user may shorten meanwhile:
 * an access beyond its new end is SIGBUS, which ends the work and not the
 * command. Returns what the work does; or -EIO when SIGBUS has ended it. What it
 * has opened, locked or allocated then stays so until the command ends, and what
 * it has written into the context is not to be used.
 */
int bus_error_catch(int (*work)(void *context), void *context);
