/* SPDX-License-Identifier: MIT */
/*
 * A library that opens sockets before libberth.so's constructor has run (it is
 * listed after it in LD_PRELOAD, so the linker initialises it first), and again
 * when libberth.so's destructor has. Edge case 21.
 */
#include "probe.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define OPEN_PORT 7700

/* stdio may be gone by then: only write(2). */
static void say(bool holds, const char *what, const char *when)
{
	char line[128];

	strcpy(line, holds ? "ok " : "not ok ");
	strcat(line, what);
	strcat(line, when);
	strcat(line, "\n");
	if (write(1, line, strlen(line)) < 0)
		_exit(98);
}

static void use_sockets(const char *when)
{
	const char *range = getenv("EARLY_RANGE");
	struct address peer = address_of("127.0.0.1", OPEN_PORT);

	if (!range)
		return;
	int server = start_server(&kinds[TCP4], peer);
	int one = open_kind(&kinds[TCP4]), two = open_kind(&kinds[TCP4]);
	int three = open_kind(&kinds[UDP4]);

	say(!connect_to(one, peer), "connect works ", when);
	say(range_has(range, local_port(one)), "connect in the range ", when);
	say(!bind_to(two, any_of(&kinds[TCP4], 0)), "bind works ", when);
	say(range_has(range, local_port(two)), "bind in the range ", when);
	say(send_to(three, peer, 0) == 1, "sendto works ", when);
	say(range_has(range, local_port(three)), "sendto in the range ", when);
	close(one);
	close(two);
	close(three);
	close(server);
}

static void at_exit(void)
{
	use_sockets("in atexit");
}

__attribute__((constructor))
static void start(void)
{
	atexit(at_exit);
	use_sockets("before the constructor");
}

__attribute__((destructor))
static void end(void)
{
	use_sockets("after the destructor");
}
