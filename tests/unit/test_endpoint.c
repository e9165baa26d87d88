/* SPDX-License-Identifier: MIT */
#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/endpoint.h"

static struct sockaddr_in in4(const char *address, uint16_t port)
{
	struct sockaddr_in in = {
		.sin_family = AF_INET,
		.sin_port = htons(port),
	};

	cr_assert_eq(inet_pton(AF_INET, address, &in.sin_addr), 1);
	return in;
}

static struct sockaddr_in6 in6(const char *address, uint16_t port,
			       uint32_t scope)
{
	struct sockaddr_in6 result = {
		.sin6_family = AF_INET6,
		.sin6_port = htons(port),
		.sin6_flowinfo = 0xffffffff,
		.sin6_scope_id = scope,
	};

	cr_assert_eq(inet_pton(AF_INET6, address, &result.sin6_addr), 1);
	return result;
}

static struct endpoint read_text(const char *address, uint16_t port,
				 uint32_t scope)
{
	union socket_address text = { 0 };
	struct endpoint endpoint;

	if (strchr(address, ':') != NULL)
		text.in6 = in6(address, port, scope);
	else
		text.in = in4(address, port);
	cr_assert(endpoint_read(&text.generic, sizeof(text), &endpoint));
	return endpoint;
}

Test(endpoint, port_and_address_are_read_in_host_byte_order)
{
	static const uint8_t mapped[16] = {
		[10] = 0xff, 0xff, 192, 0, 2, 1,
	};
	struct endpoint endpoint = read_text("192.0.2.1", 0x1234, 0);

	cr_assert_eq(endpoint.port, 0x1234);
	cr_assert_eq(endpoint.family, AF_INET);
	cr_assert_arr_eq(endpoint.address, mapped, 16);
	cr_assert_eq(read_text("2001:db8::1", 443, 0).port, 443);
	cr_assert_eq(read_text("2001:db8::1", 443, 0).family, AF_INET6);
}

/* In a room of exactly length bytes: a sanitizer sees what is beyond. */
static bool takes_length(const void *address, size_t length)
{
	char *copy = malloc(length ? length : 1);
	struct endpoint endpoint;

	memcpy(copy, address, length);

	bool taken = endpoint_read((struct sockaddr *)copy, (socklen_t)length,
				   &endpoint);

	free(copy);
	return taken;
}

Test(endpoint, every_length_is_taken_or_refused_as_the_kernel_does)
{
	union socket_address v4 = { 0 }, v6 = { 0 };

	endpoint_wildcard(AF_INET, 1, &v4);
	endpoint_wildcard(AF_INET6, 1, &v6);
	for (size_t length = 0; length <= sizeof(v4); length++) {
		cr_assert_eq(takes_length(&v4, length), length >= 16,
			     "IPv4, %zu bytes", length);
		/* 24: SIN6_LEN_RFC2133 */
		cr_assert_eq(takes_length(&v6, length), length >= 24,
			     "IPv6, %zu bytes", length);
	}
}

Test(endpoint, what_is_no_address_is_refused)
{
	static const sa_family_t families[] = {
		AF_UNSPEC, AF_UNIX, AF_NETLINK, AF_VSOCK, 0xffff,
	};
	struct sockaddr_in in = in4("127.0.0.1", 1);
	struct sockaddr_storage storage = { 0 };
	const struct sockaddr *const address = (struct sockaddr *)&storage;
	struct endpoint endpoint;

	cr_assert_not(endpoint_read(NULL, sizeof(in), &endpoint));
	cr_assert_not(endpoint_read(NULL, 0, &endpoint));
	memcpy(&storage, &in, sizeof(in));
	cr_assert_not(endpoint_read(address, sizeof(storage) + 1, &endpoint));
	cr_assert_not(endpoint_read(address, (socklen_t)-1, &endpoint));
	for (size_t i = 0; i < 5; i++) {
		storage.ss_family = families[i];
		cr_assert_not(
			endpoint_read(address, sizeof(storage), &endpoint));
	}
}

Test(endpoint, an_unaligned_address_is_read)
{
	char room[sizeof(struct sockaddr_in6) + 8];
	struct sockaddr_in6 in = in6("fe80::1", 5000, 3);

	for (size_t shift = 0; shift < 8; shift++) {
		struct endpoint endpoint;

		memcpy(room + shift, &in, sizeof(in));
		cr_assert(endpoint_read((void *)(room + shift), sizeof(in),
					&endpoint));
		cr_assert_eq(endpoint.port, 5000);
		cr_assert_eq(endpoint.scope, 3);
	}
}

Test(endpoint, a_mapped_address_equals_its_ipv4_one)
{
	struct endpoint v4 = read_text("192.0.2.1", 80, 0);
	struct endpoint mapped = read_text("::ffff:192.0.2.1", 80, 7);

	cr_assert(endpoint_same_address(&v4, &mapped));
	mapped = read_text("::ffff:192.0.2.2", 80, 0);
	cr_assert_not(endpoint_same_address(&v4, &mapped));
}

Test(endpoint, the_scope_counts_where_the_kernel_looks_at_it)
{
	static const struct {
		const char *address;
		bool counts;
	} cases[] = {
		{ "fe80::1", true },	  { "febf::1", true },
		{ "ff02::1", true },	  { "ff01::1", true },
		{ "fec0::1", false },	  { "::1", false },
		{ "2001:db8::1", false }, { "ff05::1", false },
	};

	for (size_t i = 0; i < 8; i++) {
		struct endpoint a = read_text(cases[i].address, 1, 1);
		struct endpoint b = read_text(cases[i].address, 1, 2);

		cr_assert_eq(endpoint_same_address(&a, &b), !cases[i].counts,
			     "%s", cases[i].address);
	}
}

Test(endpoint, ports_do_not_count_as_address)
{
	struct endpoint a = read_text("10.0.0.1", 1, 0),
			b = read_text("10.0.0.1", 2, 0);

	cr_assert(endpoint_same_address(&a, &b));
}

Test(endpoint, wildcards_are_known_in_every_form)
{
	static const struct {
		const char *address;
		bool is_wildcard;
	} cases[] = {
		{ "0.0.0.0", true },	    { "::", true },
		{ "::ffff:0.0.0.0", true }, { "0.0.0.1", false },
		{ "::1", false },	    { "1::", false },
	};

	for (size_t i = 0; i < 6; i++) {
		const char *address = cases[i].address;
		const struct endpoint endpoint =
			strchr(address, ':') != NULL ? read_text(address, 1, 0)
						     : read_text(address, 1, 0);

		cr_assert_eq(endpoint_is_wildcard(&endpoint),
			     cases[i].is_wildcard, "%s", address);
	}
}

Test(endpoint, a_copy_with_another_port_differs_in_nothing_else)
{
	struct sockaddr_in6 in = in6("fe80::1", 0, 9), expected = in;
	union socket_address copy;

	cr_assert_eq(endpoint_with_port((struct sockaddr *)&in, sizeof(in),
					0xabcd, &copy),
		     sizeof(in));
	expected.sin6_port = htons(0xabcd);
	cr_assert_arr_eq((char *)&copy, (char *)&expected, sizeof(expected));
	cr_assert_eq(in.sin6_port, 0);
}

Test(endpoint, a_copy_keeps_the_length_of_the_caller_up_to_the_largest)
{
	struct sockaddr_storage storage = { .ss_family = AF_INET };
	union socket_address copy;

	cr_assert_eq(endpoint_with_port((struct sockaddr *)&storage,
					sizeof(storage), 1, &copy),
		     sizeof(struct sockaddr_in6));
	cr_assert_eq(endpoint_with_port((struct sockaddr *)&storage, 16, 1,
					&copy),
		     16);
}

Test(endpoint, a_wildcard_address_has_the_length_of_its_family)
{
	static const struct {
		int family;
		socklen_t length;
	} cases[] = { { AF_INET, 16 }, { AF_INET6, 28 } };

	for (size_t i = 0; i < 2; i++) {
		union socket_address address;
		struct endpoint endpoint;
		const socklen_t length = endpoint_wildcard(
			(sa_family_t)cases[i].family, 70, &address);

		cr_assert_eq(length, cases[i].length);
		cr_assert(endpoint_read(&address.generic, length, &endpoint));
		cr_assert(endpoint_is_wildcard(&endpoint) &&
			  endpoint.port == 70);
	}
}

static void assert_endpoint(const struct endpoint *endpoint,
			    const char *expected)
{
	char text[ENDPOINT_TEXT_SIZE];

	memset(text, '\n', sizeof(text));
	endpoint_text(endpoint, text);
	cr_assert_not_null(memchr(text, '\0', sizeof(text)));
	cr_assert_str_eq(text, expected, "%s, not %s", text, expected);
}

static void assert_ipv6(const char *address, const char *expected)
{
	struct endpoint endpoint = { .port = 80, .family = AF_INET6 };

	cr_assert_eq(inet_pton(AF_INET6, address, endpoint.address), 1);
	assert_endpoint(&endpoint, expected);
}

/* RFC 5952, section 4. */
Test(endpoint, addresses_are_written_as_recommended)
{
	assert_ipv6("::", "[::]:80");
	assert_ipv6("::1", "[::1]:80");
	assert_ipv6("2001:0db8::0001", "[2001:db8::1]:80");
	assert_ipv6("2001:db8:0:1:1:1:1:1", "[2001:db8:0:1:1:1:1:1]:80");
	assert_ipv6("2001:0:0:1:0:0:0:1", "[2001:0:0:1::1]:80");
	assert_ipv6("2001:db8:0:0:1:0:0:1", "[2001:db8::1:0:0:1]:80");
	assert_ipv6("2001:DB8:AAAA::", "[2001:db8:aaaa::]:80");
	assert_ipv6("0:1:2:3:4:5:6:7", "[0:1:2:3:4:5:6:7]:80");
	assert_ipv6("1:2:3:4:5:6:7:0", "[1:2:3:4:5:6:7:0]:80");
	assert_ipv6("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
		    "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:80");
	assert_ipv6("::ffff:192.0.2.1", "192.0.2.1:80");
	assert_ipv6("::ffff:255.255.255.255", "255.255.255.255:80");
	assert_ipv6("::ffff:0.0.0.0", "0.0.0.0:80");
}

Test(endpoint, a_scope_and_the_greatest_numbers_are_written)
{
	struct endpoint endpoint = {
		.address = { 0xfe, 0x80, [15] = 1 },
		.scope = 2,
		.port = 0,
		.family = AF_INET6,
	};

	assert_endpoint(&endpoint, "[fe80::1%2]:0");
	memset(&endpoint, 0xff, sizeof(endpoint));
	endpoint.family = AF_INET6;
	assert_endpoint(&endpoint, "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"
				   "%4294967295]:65535");
}

Test(endpoint, random_addresses_are_written_as_by_inet_ntop)
{
	int n_compared = 0, n_with_zeros = 0;

	srand(1);
	while (n_compared < 10000) {
		struct endpoint endpoint = {
			.port = (uint16_t)rand(),
			.family = AF_INET6,
		};
		char address[INET6_ADDRSTRLEN], expected[ENDPOINT_TEXT_SIZE];

		for (int i = 0; i < 8; i++) {
			const uint32_t group =
				rand() % 2 == 0
					? 0
					: (uint32_t)rand() >> rand() % 24 &
						  0xffff;

			endpoint.address[2 * i] = (uint8_t)(group >> 8);
			endpoint.address[2 * i + 1] = (uint8_t)group;
		}
		cr_assert_not_null(inet_ntop(AF_INET6, endpoint.address,
					     address, sizeof(address)));
		/* Of those with an IPv4 address inside it has its own view. */
		if (strchr(address, '.') != NULL)
			continue;
		snprintf(expected, sizeof(expected), "[%s]:%u", address,
			 endpoint.port);
		assert_endpoint(&endpoint, expected);
		n_with_zeros += strstr(address, "::") != NULL;
		n_compared++;
	}
	cr_assert_gt(n_with_zeros, 5000);
}

Test(endpoint, random_ipv4_addresses_are_written_as_by_inet_ntop)
{
	srand(2);
	for (int n = 0; n < 10000; n++) {
		struct endpoint endpoint = {
			.address = { [10] = 0xff, [11] = 0xff },
			.port = (uint16_t)rand(),
			.family = AF_INET,
		};
		char address[INET_ADDRSTRLEN], expected[ENDPOINT_TEXT_SIZE];

		for (int i = 12; i < 16; i++)
			endpoint.address[i] = (uint8_t)(rand() >> rand() % 8);
		inet_ntop(AF_INET, endpoint.address + 12, address,
			  sizeof(address));
		snprintf(expected, sizeof(expected), "%s:%u", address,
			 endpoint.port);
		assert_endpoint(&endpoint, expected);
	}
}
