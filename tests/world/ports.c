/* SPDX-License-Identifier: MIT */
/* ports N: binds to N ports that are assigned, prints them and closes them. */
#include "probe.h"

#include <stdio.h>
#include <stdlib.h>

int main(int argc, char **argv)
{
	for (int left = argc > 1 ? atoi(argv[1]) : 1; left > 0; left--) {
		const int fd = open_kind(&kinds[TCP4]);

		must(bind_to(fd, address_of("0.0.0.0", 0)), "bind");
		printf("%u\n", local_port(fd));
		close(fd);
	}
	return 0;
}
