/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * One line to standard error or to syslog(3)'s daemon, written by one system
 * call, so that lines of several processes do not mix. Causes no signal and
 * waits for nobody. No heap, no stdio, async-signal-safe. The caller decides
 * whether a line may be written to the program's standard error.
 */

struct standard_error;

/*
 * The parts of a line are texts, up to a NULL: at most this many, without the
 * NULL.
 */
#define LOG_PARTS_MAX 6

/*
 * Writes "berth: ", the parts and a newline, if descriptor 2 still is the file
 * that was noted: see standard_error.h.
 */
void log_line(const struct standard_error *noted, const char *const *parts);

/*
 * Sends the parts to /dev/log as a warning of the user facility (RFC 3164), by
 * a socket that is closed again. Does nothing where no daemon listens.
 */
void log_syslog(const char *const *parts);
