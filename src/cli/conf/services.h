/* SPDX-License-Identifier: MIT */
#pragma once

/* The ports of services(5), by protocol. */

#include "base/port_set.h"
#include "kernel/protocol.h"

#define SERVICES_PATH "/etc/services"

/*
 * Fills the sets from a file, and finishes them. Ports of udp are of UDP-Lite
 * too. Lines without a port of these protocols are passed over. Returns 0; or
 * -errno, and the sets have what could be read.
 */
int services_read(const char *path, struct port_set sets[N_PROTOCOLS]);
