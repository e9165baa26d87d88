/* SPDX-License-Identifier: MIT */
/*
 * first_port: binds a TCP socket to port 0 and prints AT_SECURE, the bytes of
 * AT_RANDOM, and the port, or the number of the error.
 * first_port COMMAND...: runs COMMAND, for which getrandom(2) is not there.
 */
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/auxv.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

static int run_without_getrandom(char **command)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
			 offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getrandom, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	const struct sock_fprog program = { 4, code };

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
	    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0)
		return 77;
	execvp(command[0], command);
	return 127;
}

int main(int argc, char **argv)
{
	const unsigned char *random =
		(const unsigned char *)getauxval(AT_RANDOM);
	struct sockaddr_in address = { .sin_family = AF_INET };
	socklen_t length = sizeof(address);

	if (argc > 1)
		return run_without_getrandom(argv + 1);

	const int fd = socket(AF_INET, SOCK_STREAM, 0);
	int answer;

	if (fd >= 0 && bind(fd, (struct sockaddr *)&address, length) == 0 &&
	    getsockname(fd, (struct sockaddr *)&address, &length) == 0)
		answer = ntohs(address.sin_port);
	else
		answer = -errno;
	printf("%lu ", getauxval(AT_SECURE));
	for (int i = 0; i < 16; i++)
		printf("%02x", random[i]);
	printf(" %d\n", answer);
	return 0;
}
