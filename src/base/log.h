/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * One line to standard error or to syslog(3)'s daemon, written by a single
 * system call, so that lines of several processes do not mix. No heap, no
 * stdio, async-signal-safe. Whether a line may be written into a program's
 * standard error is for the caller to know.
 */

/* Writes "berth: ", the parts up to a NULL, and a newline; cut at 512 bytes. */
void log_line(const char *const *parts);

/*
 * Sends the parts to /dev/log as a warning of the user facility (RFC 3164), by
 * a socket that is closed again. Nothing where no daemon listens.
 */
void log_syslog(const char *const *parts);
