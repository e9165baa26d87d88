/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * SCTP: sockets of one association (SOCK_STREAM) and of many (SOCK_SEQPACKET),
 * RFC 6458. Each takes a port that is its own alone, when its first association
 * is made. bind(2) of one address is as elsewhere; libsctp's sctp_bindx() and
 * sctp_connectx() are socket options.
 */

#include "core/event.h"
#include "preload/hook.h"

struct endpoint;
struct program_call;

static inline bool sctp_is(const struct fd_facts *facts)
{
	return facts->space == SPACE_SCTP;
}

/*
 * A call that makes an association: connect(), sctp_connectx() or a send. remote
 * is where it goes, or NULL for what cannot be read. Returns its result, or
 * -errno; -EAGAIN when no port of the range is left, as the kernel does.
 */
long sctp_associate(struct process *process, int fd, struct fd_facts *facts,
		    enum event_call kind, const struct endpoint *remote,
		    const struct program_call *call);

/*
 * setsockopt() and getsockopt() of level IPPROTO_SCTP. Return false for an option
 * or a socket that needs nothing; else the call has been made, and *resultp is
 * its result, or -errno.
 */
bool sctp_setsockopt(int fd, int name, const void *value, socklen_t length,
		     long *resultp);
bool sctp_getsockopt(int fd, int name, void *value, socklen_t *lengthp,
		     long *resultp);
