/* SPDX-License-Identifier: MIT */
/*
 * Another preloaded library keeps working, before and behind libberth.so. It
 * sees the program's own calls in both places. Edge case 36.
 */
#include "probe.h"

#include <dlfcn.h>
#include <unistd.h>

#define OPEN_PORT 7800

int main(int argc, char **argv)
{
	int (*calls)(void) = (int (*)(void))dlsym(RTLD_DEFAULT, "second_calls");

	if (argc != 2)
		return 2;
	must(calls ? 0 : -1, "second_calls is not preloaded");
	int server = start_server(&kinds[TCP4],
				  address_of("127.0.0.1", OPEN_PORT));
	int before = calls();
	int one = open_kind(&kinds[TCP4]), two = open_kind(&kinds[TCP4]);

	must(connect_to(one, address_of("127.0.0.1", OPEN_PORT)), "connect");
	must(bind_to(two, address_of("127.0.0.1", 0)), "bind");
	check(range_has(argv[1], local_port(one)), "connect in the range");
	check(range_has(argv[1], local_port(two)), "bind in the range");
	check(calls() - before == 2, "the other preload saw 2 calls, not %d",
	      calls() - before);
	close(one);
	close(two);
	close(server);
	return 0;
}
