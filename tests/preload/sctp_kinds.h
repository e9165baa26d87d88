/* SPDX-License-Identifier: MIT */
#pragma once

/* SCTP sockets of one association, and of many ("m"). */

#include "probe.h"

#include <netinet/sctp.h> /* wants netinet/in.h before it */
#include <stddef.h>

static const struct kind sctp_kinds[] = {
	{ "sctp4", AF_INET, SOCK_STREAM, IPPROTO_SCTP, "127.0.0.1", "0.0.0.0" },
	{ "sctp4m", AF_INET, SOCK_SEQPACKET, IPPROTO_SCTP, "127.0.0.1",
	  "0.0.0.0" },
	{ "sctp6", AF_INET6, SOCK_STREAM, IPPROTO_SCTP, "::1", "::" },
	{ "sctp6m", AF_INET6, SOCK_SEQPACKET, IPPROTO_SCTP, "::1", "::" },
};

#define N_SCTP_KINDS (sizeof(sctp_kinds) / sizeof(*sctp_kinds))

static inline bool sctp_is_many(const struct kind *kind)
{
	return kind->type == SOCK_SEQPACKET;
}

/* Addresses, packed one behind the other, as sctp_bindx(3) takes them. */
struct packed {
	char bytes[256];
	size_t size;
	int n;
};

static inline void pack(struct packed *packed, struct address address)
{
	__builtin_memcpy(packed->bytes + packed->size, &address.storage,
			 address.length);
	packed->size += address.length;
	packed->n++;
}

static inline int bindx_to(int fd, struct packed *packed)
{
	return sctp_bindx(fd, (struct sockaddr *)packed->bytes, packed->n,
			  SCTP_BINDX_ADD_ADDR);
}

static inline int connectx_to(int fd, struct packed *packed)
{
	sctp_assoc_t id;

	return sctp_connectx(fd, (struct sockaddr *)packed->bytes, packed->n,
			     &id);
}
