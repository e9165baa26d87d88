/* SPDX-License-Identifier: MIT */

/*
 * Both the program and Berth use IP_LOCAL_PORT_RANGE: a socket to which the
 * program gives a range is left alone, and a pin of Berth's is not shown. Nor
 * is the SO_REUSEADDR of a shared bind, until the program sets it itself.
 */

#include <netinet/in.h>
#include <string.h>

#include "kernel/socket.h"
#include "preload/hook.h"
#include "preload/next.h"
#include "process/descriptors.h"
#include "process/query.h"

static bool is_port_range(int level, int name)
{
	return level == IPPROTO_IP && name == IP_LOCAL_PORT_RANGE;
}

/*
 * MPTCP sets the range before it refuses it: mptcp_setsockopt_sol_ip_set() in
 * net/mptcp/sockopt.c.
 */
static void note_range(int fd, bool is_refused)
{
	struct process *process = hook_process();
	struct fd_facts facts;

	if (process == NULL || process_facts(process, fd, &facts) < 0 ||
	    !facts.covered || (is_refused && !facts.mptcp))
		return;
	facts.own_range = socket_range(fd, false) == RANGE_OF_PROGRAM;
	if (!is_refused || facts.own_range)
		facts.pinned = 0;
	process_set(process, fd, facts);
}

/* A socket over IPv6 that is connected to an IPv4 address is one over IPv4
 * now. */
static void note_ipv4(int fd)
{
	struct fd_facts facts = hook_known_facts(fd);

	if (!facts.ipv6)
		return;
	facts.ipv6 = 0;
	process_set(hook_process(), fd, facts);
}

static bool is_reuse(int level, int name)
{
	return level == SOL_SOCKET && name == SO_REUSEADDR;
}

/* From now on the value is the program's. */
static void note_reuse(int fd)
{
	struct fd_facts facts = hook_known_facts(fd);

	if (!facts.hides_reuse)
		return;
	facts.hides_reuse = 0;
	process_set(hook_process(), fd, facts);
}

static void hide_reuse(int fd, void *value, socklen_t length)
{
	const struct fd_facts facts = hook_known_facts(fd);
	int reuse;

	/* A value of 2 was set by TCP_REPAIR. */
	if (facts.hides_reuse && length >= sizeof(reuse)) {
		memcpy(&reuse, value, sizeof(reuse));
		if (reuse == 1)
			memset(value, 0, length);
	}
}

HOOK int setsockopt(int fd, int level, int name, const void *value,
		    socklen_t length)
{
	long made;

	/* Berth begins here, while little of the stack is used. */
	if (level == IPPROTO_SCTP && hook_process() != NULL &&
	    sctp_setsockopt(fd, name, value, length, &made))
		return (int)next_result(made);

	const int result = next.setsockopt(fd, level, name, value, length);

	if (is_port_range(level, name))
		note_range(fd, result < 0);
	else if (result == 0 && is_reuse(level, name))
		note_reuse(fd);
	else if (result == 0 && level == IPPROTO_IPV6 && name == IPV6_ADDRFORM)
		note_ipv4(fd);
	return result;
}

/*
 * A range of one port that Berth has set is a pin. A range that a child process
 * has set in its place is shown.
 */
static void hide_pin(int fd, void *value, socklen_t length)
{
	struct process *process = hook_process();
	struct fd_facts facts;
	uint32_t range;

	if (process == NULL || length != sizeof(range))
		return;
	memcpy(&range, value, sizeof(range));
	/* Only what may be a pin is worth a question about the socket. */
	if (socket_range_of(fd, true, range) != RANGE_OF_BERTH)
		return;
	process_facts(process, fd, &facts);
	if (!facts.own_range && socket_range_of(fd, facts.mptcp || facts.pinned,
						range) == RANGE_OF_BERTH)
		memset(value, 0, sizeof(range));
}

HOOK int getsockopt(int fd, int level, int name, void *value,
		    socklen_t *lengthp)
{
	long made;

	/* As in setsockopt(). */
	if (level == IPPROTO_SCTP && hook_process() != NULL &&
	    sctp_getsockopt(fd, name, value, lengthp, &made))
		return (int)next_result(made);

	const int result = next.getsockopt(fd, level, name, value, lengthp);

	if (result == 0 && is_port_range(level, name))
		hide_pin(fd, value, *lengthp);
	else if (result == 0 && is_reuse(level, name))
		hide_reuse(fd, value, *lengthp);
	return result;
}
