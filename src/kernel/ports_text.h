/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Port ranges as text: "32768-60999", "4000,5000-5999", "iana", and lists of
 * these, separated by commas or blanks. All ports of a list are used.
 *
 * The presets, with their sources, are: iana, freebsd, windows (49152-65535,
 * RFC 6335 section 6); linux (32768-60999) and linux-classic (32768-61000,
 * ip(7)); solaris, aix (32768-65535); rfc6056 (1024-65535, RFC 6056 section
 * 3.2); bsd-classic, windows-classic (1024-5000); windows-2003 (1025-5000);
 * windows-2008-exchange (1025-60000); kernel (the value of ip_local_port_range
 * that the caller gives).
 *
 * "map-e:OFFSET/LENGTH/PSID", in decimal or 0x and hexadecimal, are the ports
 * that the Generalized Modulus Algorithm gives a customer (RFC 7597 section
 * 5.1, for MAP-E and MAP-T; with offset 0 RFC 7596, for lw4o6). With an offset,
 * ports whose bits before the PSID are all 0 are left out, as the RFC says;
 * port 0 always is.
 *
 * No heap and no stdio, so that the preloaded library may use it too.
 */

#include <stddef.h>
#include <stdint.h>

struct port_set;

/* Behind the system ports of RFC 6335 section 6, which are for services. */
#define SERVICE_PORTS_END 1024u

/*
 * lo and hi of ip_local_port_range; hi 0 = unknown: "kernel" is then refused.
 */
struct port_interval {
	uint32_t lo, hi;
};

/* Which word was refused and why: pointers into the text, or static. */
struct range_error {
	const char *word; /* the offending word, not terminated */
	size_t word_length;
	const char *reason; /* "is not a port, a range lo-hi or a preset" */
};

/* The names that a list may contain beside numbers and port sets of MAP-E. */
struct range_names {
	/* Adds the ports of a name, not terminated, to *set; with set NULL it
	 * only checks the name. Returns NULL, or the reason why the name is
	 * refused: static. */
	const char *(*add)(const void *context, const char *name, size_t length,
			   struct port_set *set);
	const void *context;
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

/* The same, with other names in place of the presets. */
int range_text_parse_names(const char *text, const struct range_names *names,
			   struct port_set *set, struct range_error *errorp);

/* The presets in the order of the list above. Returns NULL beyond the last. */
const char *range_preset_name(size_t index);

/*
 * Writes the set as "lo-hi,port,..." and a terminating NUL. Returns the length
 * of the whole text, as snprintf does.
 */
size_t range_text_format(const struct port_set *set, char *buffer, size_t size);
