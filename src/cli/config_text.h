/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The text of berth.conf as a source: what it includes in its place, and no
 * comments, because libconfuse 3.3 miscounts their lines.
 */

struct config_source;
struct findings;

/*
 * Reads a file and all that it includes. What is wrong is added to findings.
 * Returns 0 if there is a text to go on with, else -EINVAL;
 * config_source_deinit() is due in either case.
 */
int config_text_read(struct config_source *source, const char *path,
		     struct findings *findings);
