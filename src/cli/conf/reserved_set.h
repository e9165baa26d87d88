/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The ports of a reservation as text: numbers, ranges lo-hi and port sets of
 * MAP-E as in ports_text.h, and the names of sets that are often reserved.
 *
 * system (1-1023; 0 is no port) and registered (1024-49151) are of RFC 6335
 * section 6. nodeport (30000-32767) is what Kubernetes gives services unless
 * told otherwise: --service-node-port-range of kube-apiserver. browser-blocked
 * are the bad ports of the Fetch standard, section 2.9, which no browser opens
 * http on. kernel and services are what the caller gives.
 *
 * The presets of ports_text.h are no sets to reserve, and are refused.
 */

#include "base/port_set.h"
#include "kernel/ports_text.h"
#include "kernel/protocol.h"

#define SERVICES_PATH "/etc/services"

struct kernel;

struct reserved_sources {
	const struct kernel *kernel; /* for ip_local_reserved_ports */
	/* Of /etc/services, of one protocol. NULL = the name is refused: it is
	 * for berth.conf only. */
	const struct port_set *services;
};

/*
 * Adds every port that text names to *set, as range_text_parse() does, and
 * returns what that does.
 */
int reserved_set_parse(const char *text, const struct reserved_sources *sources,
		       struct port_set *set, struct range_error *errorp);

/*
 * Reads services(5): fills the sets, by protocol, and finishes them. Ports of
 * udp are of UDP-Lite too. Lines without a port of these protocols are passed
 * over. Returns 0; or -errno, and the sets have what could be read.
 */
int services_read(const char *path, struct port_set sets[N_PROTOCOLS]);
