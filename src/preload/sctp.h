/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * SCTP: sockets of one association (SOCK_STREAM) and of many (SOCK_SEQPACKET),
 * RFC 6458. Each gets a port of its own when its first association is made.
 * bind(2) to one address works as for other protocols; libsctp's sctp_bindx()
 * and sctp_connectx() are socket options.
 */

#include <stdbool.h>
#include <sys/socket.h>

/*
 * setsockopt() and getsockopt() with level IPPROTO_SCTP. Return false for an
 * option or a socket that Berth does not handle; else the call was made, and
 * *resultp is its result, or -errno.
 */
bool sctp_setsockopt(int fd, int name, const void *value, socklen_t length,
		     long *resultp);
bool sctp_getsockopt(int fd, int name, void *value, socklen_t *lengthp,
		     long *resultp);
