/* SPDX-License-Identifier: MIT */
/*
 * probe_descriptors [END]: sockets on the last descriptors of a process that
 * may have END of them, 1,000,000 without an argument, look the same with and
 * without Berth, and Berth's table of them costs a page for each place where it
 * is used, not one for every descriptor.
 */
#include "probe.h"

#include <fcntl.h>
#include <linux/close_range.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>

/* Apart by more than a page of 8-byte entries, even the last two. */
#define N_PLACES 5

/* What the C library and the stack may take meanwhile. */
#define SLACK_KB 8

static int end = 1000000;

/* fd becomes number at, and is closed. */
static int move_to(int fd, int at)
{
	must(dup2(fd, at), "dup2");
	close(fd);
	return at;
}

static int open_at(const struct kind *kind, int at)
{
	return move_to(open_kind(kind), at);
}

static void both_ends(const struct kind *kind, int at)
{
	const bool stream = kind->type == SOCK_STREAM;
	const int server = open_at(kind, at), client = open_at(kind, at + 1);

	REPORT(server, bind_to(server, loopback_of(kind, 0)), "%s bind %d",
	       kind->name, server);
	if (stream)
		REPORT(server, listen(server, 5), "%s listen %d", kind->name,
		       server);

	const uint16_t port = local_port(server);

	REPORT(client, connect_to(client, loopback_of(kind, port)),
	       "%s connect %d", kind->name, client);
	REPORT(client, connect_to(client, loopback_of(kind, port)),
	       "%s connect %d again", kind->name, client);
	REPORT(-1, local_port(client) == port, "%s one port for both",
	       kind->name);
	REPORT(-1, close(client), "%s close %d", kind->name, client);
	REPORT(-1, close(client), "%s close %d twice", kind->name, client);
	REPORT(-1, close(server), "%s close %d", kind->name, server);
}

/* Without a bind of its own: listen, or the first send. */
static void unbound(const struct kind *kind, int at)
{
	const int fd = open_at(kind, at);

	if (kind->type == SOCK_STREAM)
		REPORT(fd, listen(fd, 1), "%s listen unbound %d", kind->name,
		       fd);
	else
		REPORT(fd, send_to(fd, loopback_of(kind, 5700), 0),
		       "%s sendto %d", kind->name, fd);
	close(fd);
}

static void copies(const struct kind *kind)
{
	const int last = end - 1;
	int fd = open_kind(kind);

	REPORT(fd, bind_to(fd, loopback_of(kind, 5701)), "%s bind low",
	       kind->name);
	REPORT(-1, fcntl(fd, F_DUPFD, last), "%s F_DUPFD %d", kind->name, last);
	REPORT(last, bind_to(last, loopback_of(kind, 0)), "%s bind the copy",
	       kind->name);
	REPORT(-1, fcntl(fd, F_DUPFD, last), "%s F_DUPFD, none left",
	       kind->name);
	REPORT(-1, fcntl(fd, F_DUPFD, end), "%s F_DUPFD %d", kind->name, end);
	REPORT(-1, dup2(fd, end), "%s dup2 %d", kind->name, end);
	REPORT(-1, close(end), "%s close %d", kind->name, end);
	close(fd);
	fd = open_kind(kind);
	REPORT(last, dup3(fd, last, O_CLOEXEC), "%s dup3 over it", kind->name);
	REPORT(last, bind_to(last, loopback_of(kind, 5701)),
	       "%s bind the port again", kind->name);
	REPORT(-1, close_range((unsigned int)end - 10, ~0u, 0),
	       "%s close_range", kind->name);
	REPORT(-1, fcntl(last, F_GETFD), "%s F_GETFD", kind->name);
	REPORT(fd, bind_to(fd, loopback_of(kind, 5702)), "%s bind elsewhere",
	       kind->name);
	close(fd);
}

static void inherited(const struct kind *kind)
{
	const int fd = open_at(kind, end - 3);
	int status;

	REPORT(fd, bind_to(fd, loopback_of(kind, 0)), "%s bind %d", kind->name,
	       fd);

	const pid_t child = must(fork(), "fork");

	if (child == 0) {
		REPORT(fd, bind_to(fd, loopback_of(kind, 0)), "%s child's bind",
		       kind->name);
		REPORT(-1, close(fd), "%s child's close", kind->name);
		_exit(0);
	}
	must(waitpid(child, &status, 0), "waitpid");
	report_text("%s child: status %d", kind->name, status);
	REPORT(fd, bind_to(fd, loopback_of(kind, 0)), "%s parent's bind",
	       kind->name);
	close(fd);
}

/* The map's pages are not among these: they belong to a file. */
static long anonymous_kb(void)
{
	char line[256];
	long size = -1;
	FILE *file = fopen("/proc/self/smaps_rollup", "re");

	while (file && fgets(line, sizeof(line), file))
		if (sscanf(line, "Anonymous: %ld kB", &size) == 1)
			break;
	if (file)
		fclose(file);
	return size;
}

static void memory(void)
{
	const int places[N_PLACES] = { 2000, end / 4, end / 2, end - 10000,
				       end - 10 };
	const long page_kb = sysconf(_SC_PAGESIZE) / 1024;
	const long before = anonymous_kb();

	for (int i = 0; i < N_PLACES; i++) {
		both_ends(&kinds[TCP4], places[i]);
		unbound(&kinds[UDP6], places[i]);
	}

	const long grown = anonymous_kb() - before;

	if (before > 0 && grown <= N_PLACES * page_kb + SLACK_KB)
		report_text("memory: a page for each place at most");
	else
		report_text("memory: %ld kB, %ld kB more", before, grown);
}

int main(int argc, char **argv)
{
	struct rlimit limit;

	if (argc > 1)
		end = atoi(argv[1]);
	must(getrlimit(RLIMIT_NOFILE, &limit), "getrlimit");
	REPORT(-1, limit.rlim_cur == (rlim_t)end, "%d descriptors", end);
	/* The first of each: what it needs is there before it is measured. */
	both_ends(&kinds[TCP4], 100);
	unbound(&kinds[UDP6], 100);
	anonymous_kb();
	memory();
	for (int i = 0; i < N_KINDS; i++) {
		if (!kind_present(&kinds[i]))
			continue;
		both_ends(&kinds[i], end - 10);
		unbound(&kinds[i], end - 10);
		copies(&kinds[i]);
		inherited(&kinds[i]);
	}
	return 0;
}
