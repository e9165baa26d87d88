/* SPDX-License-Identifier: MIT */
/*
 * in_namespace [-p PRELOAD] [-r "LO HI"] [-t FOLDER] COMMAND...
 *
 * Runs COMMAND in a network namespace of its own, where lo is up and has
 * 10.9.8.7 too, and TCP Fast Open works both ways. -p sets LD_PRELOAD for the
 * command alone, -r writes ip_local_port_range, -t makes a mount namespace in
 * which FOLDER is an empty tmpfs of 64 KiB, and /dev/shm and /run are empty
 * ones. Exits with 77 where the kernel refuses namespaces.
 */
#include <arpa/inet.h>
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <unistd.h>

#define STATUS_SKIP 77

static int must(int result, const char *what)
{
	if (result < 0) {
		perror(what);
		exit(99);
	}
	return result;
}

static void write_file(const char *path, const char *text)
{
	int fd = must(open(path, O_WRONLY), path);

	must((int)write(fd, text, strlen(text)), path);
	close(fd);
}

static void new_namespaces(int flags)
{
	char map[64];
	const uid_t uid = geteuid();
	const gid_t gid = getegid();

	if (uid != 0)
		flags |= CLONE_NEWUSER;
	if (unshare(flags)) {
		perror("unshare");
		exit(STATUS_SKIP);
	}
	if (uid == 0)
		return;
	snprintf(map, sizeof(map), "0 %u 1", uid);
	write_file("/proc/self/uid_map", map);
	write_file("/proc/self/setgroups", "deny");
	snprintf(map, sizeof(map), "0 %u 1", gid);
	write_file("/proc/self/gid_map", map);
}

static void raise_loopback(void)
{
	int fd = must(socket(AF_INET, SOCK_DGRAM, 0), "socket");
	struct ifreq request = { .ifr_name = "lo" };
	struct sockaddr_in *address = (void *)&request.ifr_addr;

	request.ifr_flags = IFF_UP | IFF_RUNNING | IFF_LOOPBACK;
	must(ioctl(fd, SIOCSIFFLAGS, &request), "lo up");
	strcpy(request.ifr_name, "lo:1");
	memset(address, 0, sizeof(*address));
	address->sin_family = AF_INET;
	address->sin_addr.s_addr = inet_addr("10.9.8.7");
	must(ioctl(fd, SIOCSIFADDR, &request), "second address of lo");
	close(fd);
}

static void mount_small(const char *folder)
{
	must(mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL), "private /");
	must(mount("none", "/dev/shm", "tmpfs", 0, "size=64m,mode=1777"),
	     "/dev/shm");
	must(mount("none", "/run", "tmpfs", 0, "size=64m,mode=755"), "/run");
	must(mount("none", folder, "tmpfs", 0, "size=64k"), folder);
}

int main(int argc, char **argv)
{
	const char *preload = NULL, *range = NULL, *folder = NULL;
	int option;

	while ((option = getopt(argc, argv, "+p:r:t:")) != -1) {
		if (option == 'p')
			preload = optarg;
		else if (option == 'r')
			range = optarg;
		else if (option == 't')
			folder = optarg;
		else
			return 2;
	}
	if (optind == argc)
		return 2;
	new_namespaces(CLONE_NEWNET | (folder ? CLONE_NEWNS : 0));
	raise_loopback();
	write_file("/proc/sys/net/ipv4/tcp_fastopen", "3");
	if (range)
		write_file("/proc/sys/net/ipv4/ip_local_port_range", range);
	if (folder)
		mount_small(folder);
	if (preload)
		setenv("LD_PRELOAD", preload, 1);
	execvp(argv[optind], argv + optind);
	perror(argv[optind]);
	return 127;
}
