/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What the kernel says about this network namespace, read once, at the start,
 * from /proc/sys (ip-sysctl.rst), since a program may forbid itself open()
 * later.
 *
 * No heap, no stdio; opens a few descriptors and closes them again.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/atomics.h"
#include "base/port_set.h"
#include "kernel/ports_text.h"

#define KERNEL_NETNS_PATH "/proc/self/ns/net"

struct kernel {
	/* ip_local_port_range; hi 0 = unknown */
	struct port_interval port_range;
	/* The same as last read: hi in the high half, lo in the low */
	atomic_u32 pin_range;
	bool reserved_known;
	bool autobind_reuse;	  /* ip_autobind_reuse */
	struct port_set reserved; /* ip_local_reserved_ports, finished */
	uint64_t netns_inode;	  /* 0 = no /proc */
	int netns_error;	  /* why it is 0, -errno */
	uint64_t netns_cookie;	  /* 0 = no SO_NETNS_COOKIE */
};

/*
 * Fills *kernelp, which must be all zeros before; what cannot be read stays 0.
 * Pages that stay zero are not touched: most of the set reserved.
 */
void kernel_read(struct kernel *kernelp);

/*
 * Whether the calling thread is in a network namespace: compares the cookie
 * where the kernel has one, else the inode; 0 = unknown. True where neither is
 * known.
 */
bool kernel_is_in_netns(uint64_t inode, uint64_t cookie);

/*
 * Reads ip_local_port_range again, after the kernel has chosen a port that this
 * range does not explain. Returns whether it has changed. Other threads may run
 * meanwhile.
 */
bool kernel_refresh(struct kernel *kernel);

/* Whether the kernel honours a pin (IP_LOCAL_PORT_RANGE) to this port. */
bool kernel_can_pin(const struct kernel *kernel, uint16_t port);
