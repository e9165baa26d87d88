/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The ports of services(5), by protocol.
 */

#include "base/port_set.h"
#include "kernel/protocol.h"

#define SERVICES_PATH "/etc/services"

/*
 * Fills the sets, finished, from a file. Those of udp are of UDP-Lite too.
 * Lines that name no port of these protocols are passed over.
 * Returns 0 or -errno, the sets then empty or with what could be read.
 */
int services_read(const char *path, struct port_set sets[N_PROTOCOLS]);
