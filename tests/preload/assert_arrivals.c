/* SPDX-License-Identifier: MIT */
/*
 * assert_arrivals RANGE [away]: a socket without a port that arrives under the
 * number of one that was closed unseen has its port from the range; and a thread
 * that goes to another network namespace neither takes leases there nor loses
 * those here. Edge cases 38 and 53.
 */
#include "lease_map.h"
#include "probe.h"

#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/uio.h>

#ifndef SYS_pidfd_open
#define SYS_pidfd_open 434
#endif
#ifndef SYS_pidfd_getfd
#define SYS_pidfd_getfd 438
#endif

#define N_HELD 4
#define N_RANGE 8

enum way { BY_RECVMSG, BY_RECVMMSG, BY_SYSCALL, BY_PIDFD, N_WAYS };

static const char *const way_names[N_WAYS] = {
	"recvmsg",
	"recvmmsg",
	"syscall of recvmsg",
	"pidfd_getfd",
};

/* Sends or receives one descriptor beside one byte. */
static int pass(enum way way, int through, int fd)
{
	char control[CMSG_SPACE(sizeof(fd))] = { 0 }, byte = 'x';
	struct iovec part = { &byte, 1 };
	struct mmsghdr messages = { .msg_hdr = {
					    .msg_iov = &part,
					    .msg_iovlen = 1,
					    .msg_control = control,
					    .msg_controllen = sizeof(control),
				    } };
	struct msghdr *message = &messages.msg_hdr;
	struct cmsghdr *header = CMSG_FIRSTHDR(message);

	*header = (struct cmsghdr){ .cmsg_len = CMSG_LEN(sizeof(fd)),
				    .cmsg_level = SOL_SOCKET,
				    .cmsg_type = SCM_RIGHTS };
	memcpy(CMSG_DATA(header), &fd, sizeof(fd));
	if (fd >= 0)
		return must((int)sendmsg(through, message, 0), "sendmsg");
	if (way == BY_RECVMSG)
		must((int)recvmsg(through, message, 0), "recvmsg");
	else if (way == BY_RECVMMSG)
		must(recvmmsg(through, &messages, 1, 0, NULL), "recvmmsg");
	else
		must((int)syscall(SYS_recvmsg, through, message, 0), "syscall");
	memcpy(&fd, CMSG_DATA(header), sizeof(fd));
	return fd;
}

/* Makes a socket with a port, closes it unseen and has another arrive. */
static int arrive(const struct kind *kind, enum way way)
{
	const int fresh = open_kind(kind), old = open_kind(kind);
	const int pidfd = (int)syscall(SYS_pidfd_open, getpid(), 0);
	int pair[2], arrived;

	must(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), "socketpair");
	bind_to(old, any_of(kind, 0));
	if (way != BY_PIDFD)
		pass(way, pair[0], fresh);
	fclose(fdopen(old, "r+"));
	arrived = way == BY_PIDFD
			  ? (int)syscall(SYS_pidfd_getfd, pidfd, fresh, 0)
			  : pass(way, pair[1], -1);
	check(arrived == old, "%s: %s gives the number %d again, not %d",
	      kind->name, way_names[way], old, arrived);
	close(fresh);
	close(pidfd);
	close(pair[0]);
	close(pair[1]);
	return arrived;
}

static void arrivals(const struct kind *kind, const char *range)
{
	for (enum way way = BY_RECVMSG; way < N_WAYS; way++) {
		const int fd = arrive(kind, way);

		if (kind->type == SOCK_DGRAM)
			send_to(fd, loopback_of(kind, 9), 0);
		else
			listen(fd, 1);
		check(range_has(range, local_port(fd)),
		      "%s: what %s has brought takes port %u", kind->name,
		      way_names[way], local_port(fd));
		close(fd);
	}
}

/* --- another network namespace -------------------------------------------- */

static struct lease_map map;

/* Takes all ports of the range: in an empty namespace all are free. */
static void *go_away(void *unseen)
{
	const struct kind *kind = &kinds[TCP4];
	int fds[N_RANGE + 1];

	must(unseen ? (int)call_unseen(SYS_unshare, CLONE_NEWNET, 0, 0, 0, 0)
		    : unshare(CLONE_NEWNET),
	     "unshare");
	for (int i = 0; i <= N_RANGE; i++) {
		const int result = bind_to(fds[i] = open_kind(kind),
					   any_of(kind, 0));

		check((result == 0) == (i < N_RANGE), "%s: bind %d of %d",
		      unseen ? "unseen" : "seen", i + 1, N_RANGE);
	}
	if (!unseen)
		check(lease_map_count(&map) == N_HELD,
		      "sockets of another namespace have no leases: %u",
		      lease_map_count(&map));
	for (int i = 0; i <= N_RANGE; i++)
		close(fds[i]);
	return NULL;
}

static void namespaces(const char *range)
{
	const struct kind *kind = &kinds[TCP4];
	int fds[N_HELD];
	pthread_t thread;

	lease_map_open(&map, range);
	for (int i = 0; i < N_HELD; i++) {
		fds[i] = open_kind(kind);
		must(bind_to(fds[i], any_of(kind, 0)), "bind");
	}
	/* Once the process has been seen to move it looks where it is. */
	for (int unseen = 1; unseen >= 0; unseen--) {
		must(-pthread_create(&thread, NULL, go_away,
				     unseen ? fds : NULL),
		     "thread");
		pthread_join(thread, NULL);
		for (int i = 0; i < N_HELD; i++)
			check(lease_map_has(&map, fds[i]),
			      "%s: socket %d keeps its lease",
			      unseen ? "unseen" : "seen", i);
	}
}

int main(int argc, char **argv)
{
	if (argc < 2)
		return 2;
	if (argc > 2) {
		namespaces(argv[1]);
		return 0;
	}
	for (const struct kind *kind = kinds; kind < kinds + N_KINDS; kind++)
		if (kind_present(kind))
			arrivals(kind, argv[1]);
	return 0;
}
