/* SPDX-License-Identifier: MIT */
#include "preload/bind.h"

#include <netinet/in.h>
#include <string.h>

#include "core/assign.h"
#include "core/endpoint.h"
#include "core/refusal.h"
#include "preload/hook.h"
#include "preload/next.h"

static int program_bind(int fd, const struct sockaddr *address,
			socklen_t length)
{
	const int saved_errno = errno;

	return (int)hook_plain_result(next.bind(fd, address, length),
				      saved_errno);
}

/*
 * AF_UNSPEC with INADDR_ANY is AF_INET to an IPv4 socket: "compatibility games"
 * of __inet_bind() in net/ipv4/af_inet.c.
 */
static bool read_unspecified(const struct sockaddr *address, socklen_t length,
			     struct endpoint *endpointp)
{
	struct sockaddr_in in;

	if (address == NULL || length < sizeof(in) ||
	    length > sizeof(struct sockaddr_storage) ||
	    hook_family(address, length) != AF_UNSPEC)
		return false;
	memcpy(&in, address, sizeof(in));
	*endpointp = (struct endpoint){ .port = ntohs(in.sin_port),
					.family = AF_INET };
	return in.sin_addr.s_addr == INADDR_ANY;
}

static bool read_address(const struct fd_facts *facts,
			 const struct sockaddr *address, socklen_t length,
			 struct endpoint *endpointp)
{
	return endpoint_read(address, length, endpointp) ||
	       (!facts->ipv6 && read_unspecified(address, length, endpointp));
}

static int take_by_bind(struct port_taker *taker, int fd,
			const struct sockaddr *address, socklen_t length)
{
	(void)taker;
	return program_bind(fd, address, length);
}

/* The program's own choice of port, or the kernel's, goes into the map. */
static int bind_as_asked(struct process *process, const struct policy *policy,
			 int fd, struct fd_facts *facts,
			 const struct endpoint *local,
			 const struct sockaddr *address, socklen_t length)
{
	const int result = program_bind(fd, address, length);

	if (result < 0)
		return result;
	if (local->port == 0)
		assign_observe(process, policy, fd, facts, ROLE_OF_LISTEN,
			       CALL_BIND);
	else
		assign_record(process, fd, facts);
	return result;
}

/* Who has chosen the port, where one is named. */
enum chooser { CHOSEN_BY_PROGRAM, CHOSEN_BY_BERTH };

static int bind_covered(struct process *process, int fd, struct fd_facts *facts,
			const struct sockaddr *address, socklen_t length,
			enum chooser chooser)
{
	struct port_taker taker = { take_by_bind };
	struct endpoint local;
	struct policy policy;
	int result;

	if (length > sizeof(struct sockaddr_storage) ||
	    !hook_may_read(process, fd, facts, address, length))
		return program_bind(fd, address, length);
	if (!read_address(facts, address, length, &local) || facts->has_port)
		return program_bind(fd, address, length);
	process_policy(process, &policy);
	result = refusal_without_arena(process, &policy, CALL_BIND,
				       (enum space)facts->space);
	if (result == 0 && local.port != 0 && chooser == CHOSEN_BY_PROGRAM)
		result = refusal_of_bind(process, &policy, facts, &local);
	if (result < 0)
		return result;
	if (local.port == 0 && policy.settings[SETTING_MODE] == MODE_ENFORCE)
		return assign_bind(process, fd, facts, address, length,
				   &taker);
	return bind_as_asked(process, &policy, fd, facts, &local, address,
			     length);
}

static int bind_any(int fd, const struct sockaddr *address, socklen_t length,
		    enum chooser chooser)
{
	struct process *process = hook_process();
	struct fd_facts facts;

	if (process == NULL || !hook_covers_surely(process, fd, &facts))
		return program_bind(fd, address, length);
	return bind_covered(process, fd, &facts, address, length, chooser);
}

int bind_hooked(int fd, const struct sockaddr *address, socklen_t length)
{
	return bind_any(fd, address, length, CHOSEN_BY_PROGRAM);
}

int bind_chosen(int fd, const struct sockaddr *address, socklen_t length)
{
	return bind_any(fd, address, length, CHOSEN_BY_BERTH);
}

HOOK int bind(int fd, const struct sockaddr *address, socklen_t length)
{
	return (int)hook_result(bind_hooked(fd, address, length));
}
