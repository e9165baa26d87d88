/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What the kernel says of this network namespace: read once, at start, from
 * /proc/sys (ip-sysctl.rst), since a program may forbid itself open() later.
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
	struct port_interval port_range;	/* ip_local_port_range; hi 0 = unknown */
	atomic_u32 pin_range;			/* the same, as last read: hi in
						   the high half, lo in the low */
	bool reserved_known;
	bool autobind_reuse;			/* ip_autobind_reuse */
	struct port_set reserved;		/* ip_local_reserved_ports, finished */
	uint64_t netns_inode;			/* 0 = no /proc */
	int netns_error;			/* why it is 0, -errno */
	uint64_t netns_cookie;			/* 0 = no SO_NETNS_COOKIE */
};

/*
 * Fills *kernelp, which is all zeros before; what cannot be read is left so. A
 * page of it that stays zero is never touched: most of reserved.
 */
void kernel_read(struct kernel *kernelp);

/*
 * Whether the calling thread is in a network namespace: by its cookie where the
 * kernel has one, else by its inode; 0 = unknown. Also where neither can be had.
 */
bool kernel_is_in_netns(uint64_t inode, uint64_t cookie);

/*
 * Reads ip_local_port_range again, when the kernel has not done what it says.
 * Returns whether it has changed. Other threads go on meanwhile.
 */
bool kernel_refresh(struct kernel *kernel);

/* Whether the kernel takes a pin (IP_LOCAL_PORT_RANGE) on this port. */
bool kernel_can_pin(const struct kernel *kernel, uint16_t port);
