/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * One line to standard error or to syslog(3)'s daemon, written by a single
 * system call, so that lines of several processes do not mix. Causes no signal,
 * waits for nobody. No heap, no stdio, async-signal-safe. Whether a line may be
 * written into a program's standard error is for the caller to know.
 */

struct standard_error;

/* The parts of a line, texts up to a NULL: at most so many, the NULL left out. */
#define LOG_PARTS_MAX 6

/*
 * Writes "berth: ", the parts and a newline, if descriptor 2 still is what was
 * noted: see standard_error.h.
 */
void log_line(const struct standard_error *noted, const char *const *parts);

/*
 * Sends the parts to /dev/log as a warning of the user facility (RFC 3164), by
 * a socket that is closed again. Nothing where no daemon listens.
 */
void log_syslog(const char *const *parts);
