/* SPDX-License-Identifier: MIT */
/*
 * first_port: binds a TCP socket to port 0 and prints AT_SECURE, the bytes of
 * AT_RANDOM, and the port, or the number of the error.
 * first_port COMMAND...: runs COMMAND, for which getrandom(2) is not there.
 */
#include "probe.h"

#include <linux/seccomp.h>
#include <stdio.h>
#include <sys/auxv.h>
#include <sys/syscall.h>

int main(int argc, char **argv)
{
	const unsigned char *random =
		(const unsigned char *)getauxval(AT_RANDOM);

	if (argc > 1) {
		answer_call(SYS_getrandom, -1, 0, SECCOMP_RET_ERRNO | ENOSYS);
		execvp(argv[1], argv + 1);
		return 127;
	}

	const int fd = socket(AF_INET, SOCK_STREAM, 0);
	const int answer = fd >= 0 && bind_to(fd, address_of("0.0.0.0", 0)) == 0
				   ? local_port(fd)
				   : -errno;

	printf("%lu ", getauxval(AT_SECURE));
	for (int i = 0; i < 16; i++)
		printf("%02x", random[i]);
	printf(" %d\n", answer);
	return 0;
}
