/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * One line to standard error, written by a single write(2), so that lines of
 * several processes do not mix. No heap, no stdio, async-signal-safe. Whether a
 * line may be written into a program's standard error is for the caller to
 * know.
 */

/* Writes "berth: ", the parts up to a NULL, and a newline; cut at 512 bytes. */
void log_line(const char *const *parts);
