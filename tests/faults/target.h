/* SPDX-License-Identifier: MIT */
#pragma once

/* What target and its drivers agree on. */

#define SERVER_PORT 7900	/* and the next: the driver listens there */
#define CLOSED_PORT 7950	/* nobody does */
#define RESERVED_PORT 7990	/* reserved, where the driver says so */
