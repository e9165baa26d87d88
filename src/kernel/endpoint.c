/* SPDX-License-Identifier: MIT */
#include "kernel/endpoint.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stddef.h>
#include <string.h>

#include "base/text.h"

#define N_GROUPS 8 /* of 16 bits, in an IPv6 address */

/* sockaddr_in6 of RFC 2133, before sin6_scope_id: SIN6_LEN_RFC2133 in Linux. */
#define IN6_SIZE_MIN offsetof(struct sockaddr_in6, sin6_scope_id)

static const uint8_t mapped_prefix[12] = { [10] = 0xff, [11] = 0xff };

static bool is_mapped(const uint8_t address[16])
{
	return !memcmp(address, mapped_prefix, sizeof(mapped_prefix));
}

/* fe80::/10, ff01::/16 and ff02::/16: __ipv6_addr_needs_scope_id() in Linux. */
static bool needs_scope(const uint8_t address[16])
{
	if (address[0] == 0xff)
		return (address[1] & 0xf) == 1 || (address[1] & 0xf) == 2;
	return address[0] == 0xfe && (address[1] & 0xc0) == 0x80;
}

struct endpoint endpoint_of(int family, const void *address, uint32_t scope,
			    uint16_t port)
{
	struct endpoint endpoint = {
		.port = port,
		.family = (uint16_t)family,
	};

	if (family == AF_INET) {
		memcpy(endpoint.address, mapped_prefix, sizeof(mapped_prefix));
		memcpy(endpoint.address + sizeof(mapped_prefix), address,
		       sizeof(struct in_addr));
		return endpoint;
	}
	memcpy(endpoint.address, address, sizeof(endpoint.address));
	/* For other addresses the kernel ignores the field, and it may be
	 * garbage. */
	if (needs_scope(endpoint.address))
		endpoint.scope = scope;
	return endpoint;
}

bool endpoint_read(const struct sockaddr *address, socklen_t length,
		   struct endpoint *endpointp)
{
	union socket_address copy = { .in6 = { .sin6_scope_id = 0 } };
	sa_family_t family;

	if (!address || length < sizeof(family) ||
	    length > sizeof(struct sockaddr_storage))
		return false;
	memcpy(&family, address, sizeof(family));
	if (length < (family == AF_INET ? sizeof(copy.in) : IN6_SIZE_MIN))
		return false;
	if (family == AF_INET) {
		memcpy(&copy.in, address, sizeof(copy.in));
		*endpointp = endpoint_of(AF_INET, &copy.in.sin_addr, 0,
					 ntohs(copy.in.sin_port));
	} else if (family == AF_INET6) {
		memcpy(&copy.in6, address,
		       length < sizeof(copy.in6) ? IN6_SIZE_MIN
						 : sizeof(copy.in6));
		*endpointp = endpoint_of(AF_INET6, &copy.in6.sin6_addr,
					 copy.in6.sin6_scope_id,
					 ntohs(copy.in6.sin6_port));
	}
	return family == AF_INET || family == AF_INET6;
}

socklen_t endpoint_size(int family)
{
	switch (family) {
	case AF_INET: return sizeof(struct sockaddr_in);
	case AF_INET6: return sizeof(struct sockaddr_in6);
	default: return 0;
	}
}

#define PORT_OFFSET offsetof(struct sockaddr_in, sin_port)
_Static_assert(PORT_OFFSET == offsetof(struct sockaddr_in6, sin6_port), "");

uint16_t endpoint_port(const void *address)
{
	in_port_t port;

	memcpy(&port, (const char *)address + PORT_OFFSET, sizeof(port));
	return ntohs(port);
}

void endpoint_set_port(void *address, uint16_t port)
{
	const in_port_t network_port = htons(port);

	memcpy((char *)address + PORT_OFFSET, &network_port,
	       sizeof(network_port));
}

socklen_t endpoint_with_port(const struct sockaddr *address, socklen_t length,
			     uint16_t port, union socket_address *copyp)
{
	if (length > sizeof(*copyp))
		length = sizeof(*copyp);
	/* The address may be the copy itself. */
	memmove(copyp, address, length);
	endpoint_set_port(copyp, port);
	return length;
}

socklen_t endpoint_wildcard(int family, uint16_t port,
			    union socket_address *addressp)
{
	/* INADDR_ANY and in6addr_any are zeros. */
	memset(addressp, 0, sizeof(*addressp));
	addressp->generic.sa_family = (sa_family_t)family;
	endpoint_set_port(addressp, port);
	return endpoint_size(family);
}

socklen_t endpoint_write(const struct endpoint *endpoint,
			 union socket_address *addressp)
{
	const socklen_t length = endpoint_wildcard(endpoint->family,
						   endpoint->port, addressp);

	if (endpoint->family == AF_INET) {
		memcpy(&addressp->in.sin_addr,
		       endpoint->address + sizeof(mapped_prefix), 4);
	} else {
		memcpy(&addressp->in6.sin6_addr, endpoint->address, 16);
		addressp->in6.sin6_scope_id = endpoint->scope;
	}
	return length;
}

bool endpoint_is_ipv4(const struct endpoint *endpoint)
{
	return is_mapped(endpoint->address);
}

bool endpoint_is_loopback(const struct endpoint *endpoint)
{
	static const uint8_t loopback[16] = { [15] = 1 };

	return is_mapped(endpoint->address)
		       ? endpoint->address[12] == 127
		       : !memcmp(endpoint->address, loopback, sizeof(loopback));
}

bool endpoint_is_wildcard(const struct endpoint *endpoint)
{
	static const uint8_t zeros[16];
	size_t skip = is_mapped(endpoint->address) ? sizeof(mapped_prefix) : 0;

	return !memcmp(endpoint->address + skip, zeros, sizeof(zeros) - skip);
}

bool endpoint_same_address(const struct endpoint *a, const struct endpoint *b)
{
	return a->scope == b->scope &&
	       !memcmp(a->address, b->address, sizeof(a->address));
}

static uint32_t group(const struct endpoint *endpoint, size_t i)
{
	return (uint32_t)endpoint->address[2 * i] << 8 |
	       endpoint->address[2 * i + 1];
}

/* The first longest run of zero groups of two or more: RFC 5952 section 4.2. */
static void find_zeros(const struct endpoint *endpoint, int *beginp, int *np)
{
	*beginp = N_GROUPS;
	*np = 1;
	for (int i = 0; i < N_GROUPS; i++) {
		int n = 0;

		while (i + n < N_GROUPS &&
		       group(endpoint, (size_t)i + (size_t)n) == 0)
			n++;
		if (n > *np) {
			*beginp = i;
			*np = n;
		}
	}
}

static void put_ipv6(struct text *text, const struct endpoint *endpoint)
{
	int begin, n;

	find_zeros(endpoint, &begin, &n);
	for (int i = 0; i < N_GROUPS; i++) {
		if (i == begin) {
			text_put(text, "::");
			i += n - 1;
			continue;
		}
		if (i > 0 && i != begin + n)
			text_put_char(text, ':');
		text_put_hex(text, group(endpoint, (size_t)i));
	}
	if (endpoint->scope != 0) {
		text_put_char(text, '%');
		text_put_number(text, endpoint->scope);
	}
}

void endpoint_put_text(struct text *text, const struct endpoint *endpoint)
{
	if (endpoint_is_ipv4(endpoint)) {
		for (int i = 12; i < 16; i++) {
			if (i > 12)
				text_put_char(text, '.');
			text_put_number(text, endpoint->address[i]);
		}
	} else {
		text_put_char(text, '[');
		put_ipv6(text, endpoint);
		text_put_char(text, ']');
	}
	text_put_char(text, ':');
	text_put_number(text, endpoint->port);
}

void endpoint_text(const struct endpoint *endpoint,
		   char buffer[ENDPOINT_TEXT_SIZE])
{
	struct text text = { buffer, ENDPOINT_TEXT_SIZE, 0 };

	endpoint_put_text(&text, endpoint);
	text_end(&text);
}
