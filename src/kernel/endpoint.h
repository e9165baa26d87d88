/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * An address and a port in host byte order: only this object swaps bytes. IPv4
 * addresses, and IPv4-mapped ones, are kept in their mapped form, so that a
 * destination has the same key for sockets of both families.
 */

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

struct text;

struct endpoint {
	uint8_t address[16]; /* IPv6, or ::ffff:a.b.c.d */
	uint32_t scope;	     /* sin6_scope_id of link-local ones, else 0 */
	uint16_t port;	     /* host byte order */
	uint16_t family;     /* AF_INET or AF_INET6, as the caller wrote it */
};

/* Room for an address of either family. */
union socket_address {
	struct sockaddr generic;
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
};

/*
 * Reads a caller's address, which may be NULL or unaligned and is not changed.
 * Returns false for what the kernel would refuse or treat specially: NULL, a
 * length below the family's size (for IPv6 that without sin6_scope_id, which
 * Linux accepts too) or above sockaddr_storage's, a family other than AF_INET
 * and AF_INET6. Bounded; reads only the family's size.
 */
bool endpoint_read(const struct sockaddr *address, socklen_t length,
		   struct endpoint *endpointp);

/*
 * An endpoint from its parts: the 4 or 16 bytes of an address of this family,
 * and a port. scope counts only for addresses that need one.
 */
struct endpoint endpoint_of(int family, const void *address, uint32_t scope,
			    uint16_t port);

/* The size of an address of this family; 0 for other families than the two. */
socklen_t endpoint_size(int family);

/*
 * The port in an address of either family, which may be unaligned: sin_port and
 * sin6_port lie at the same place.
 */
uint16_t endpoint_port(const void *address);
void endpoint_set_port(void *address, uint16_t port);

/*
 * Copies a caller's address (one that endpoint_read() has accepted) with
 * another port. Returns its length: the caller's own, but without bytes behind
 * the largest address, which the kernel ignores.
 */
socklen_t endpoint_with_port(const struct sockaddr *address, socklen_t length,
			     uint16_t port, union socket_address *copyp);

/* The wildcard address of family with a port. Returns its length. */
socklen_t endpoint_wildcard(int family, uint16_t port,
			    union socket_address *addressp);

/*
 * Writes an endpoint as its family has it, with the port. Returns its length.
 */
socklen_t endpoint_write(const struct endpoint *endpoint,
			 union socket_address *addressp);

/* An IPv4 address, mapped or not. */
bool endpoint_is_ipv4(const struct endpoint *endpoint);

/* ::1, or in 127.0.0.0/8. */
bool endpoint_is_loopback(const struct endpoint *endpoint);

/* 0.0.0.0 or ::, mapped or not. */
bool endpoint_is_wildcard(const struct endpoint *endpoint);

/* Same address and scope; ports and families are not compared. */
bool endpoint_same_address(const struct endpoint *a, const struct endpoint *b);

/* Room for any address with its port. */
#define ENDPOINT_TEXT_SIZE 64

/* `192.0.2.1:80`, `[2001:db8::1]:80` (RFC 5952 section 6), with %scope. */
void endpoint_text(const struct endpoint *endpoint,
		   char text[ENDPOINT_TEXT_SIZE]);

/* The same, appended to a text. */
void endpoint_put_text(struct text *text, const struct endpoint *endpoint);
