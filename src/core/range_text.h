/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Port ranges as text: "32768-60999", "4000,5000-5999", "iana", and lists of
 * these, separated by commas or blanks, used in full.
 *
 * The presets, with their sources, are: iana, freebsd, windows (49152-65535,
 * RFC 6335 section 6); linux (32768-60999) and linux-classic (32768-61000,
 * ip(7)); solaris, aix (32768-65535); rfc6056 (1024-65535, RFC 6056 section
 * 3.2); bsd-classic, windows-classic (1024-5000); windows-2003 (1025-5000);
 * windows-2008-exchange (1025-60000); kernel (what the caller says
 * ip_local_port_range holds now).
 *
 * No heap and no stdio, so that the preloaded library may use it too.
 */

#include <stddef.h>
#include <stdint.h>

struct port_set;

/* lo and hi of ip_local_port_range; hi 0 = unknown, "kernel" is refused then. */
struct port_interval {
	uint32_t lo, hi;
};

/* Where and why a text was refused. All of it points into the text or is static. */
struct range_error {
	const char *word;	/* the offending word, not terminated */
	size_t word_length;
	const char *reason;	/* "is not a port, a range lo-hi or a preset" */
};

/*
 * Adds every port that text names to *set (which the caller has zeroed or
 * filled before); port_set_finish() is left to the caller.
 * Returns 0, or -EINVAL with *errorp filled and *set untouched. Refused are:
 * an empty list, an unknown word, a reversed range, a number beyond 65535.
 * Port 0 is no port (RFC 6335 section 6) and refused like these.
 */
int range_text_parse(const char *text, const struct port_interval *kernel_range,
		     struct port_set *set, struct range_error *errorp);

/* The presets in the order of the list above. Returns NULL beyond the last. */
const char *range_preset_name(size_t index);

/*
 * Writes the set as "lo-hi,port,..." and a terminating NUL.
 * Returns the length that the whole text has, as snprintf does.
 */
size_t range_text_format(const struct port_set *set, char *buffer, size_t size);
