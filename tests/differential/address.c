/* SPDX-License-Identifier: MIT */
#include "address.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "ports.h"
#include "slots.h"

#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))

/* Weights as a local address, and as a peer's. "%" has the device's index,
 * "?" one that no device has. 192.0.2.1 and fe80::1 are the device's; nobody
 * answers for 192.0.2.9 and fe80::9, and no route leads to 10.1.2.3. */
struct ip {
	const char *text;
	uint8_t local, remote;
};

static const struct ip ipv4[] = {
	{ "127.0.0.1", 8, 14 },	 { "0.0.0.0", 7, 2 },
	{ "127.0.0.2", 3, 3 },	 { "192.0.2.1", 2, 2 },
	{ "192.0.2.9", 0, 1 },	 { "10.1.2.3", 1, 1 },
	{ "224.0.0.251", 1, 1 }, { "255.255.255.255", 1, 1 },
	{ "192.0.2.255", 1, 1 }, { "127.255.255.255", 1, 0 },
};

static const struct ip ipv6[] = {
	{ "::1", 8, 11 },
	{ "::", 7, 2 },
	{ "::ffff:127.0.0.1", 3, 4 },
	{ "::ffff:0.0.0.0", 2, 1 },
	{ "::ffff:127.0.0.2", 1, 1 },
	{ "fe80::1%", 2, 2 },
	{ "fe80::1", 1, 1 },
	{ "fe80::1?", 1, 1 },
	{ "fe80::9%", 0, 1 },
	{ "2001:db8::1", 1, 1 },
	{ "ff02::1%", 1, 1 },
	{ "ff02::1", 0, 1 },
	{ "::ffff:10.1.2.3", 1, 0 },
};

enum family { RIGHT, OTHER_INET, UNSPECIFIED, UNIX, UNKNOWN, N_FAMILIES };
static const uint8_t local_families[N_FAMILIES] = { 40, 1, 2, 1, 1 };
static const uint8_t remote_families[N_FAMILIES] = { 40, 2, 5, 1, 1 };

enum length {
	EXACT,
	SHORTER,
	LARGEST,
	ONE,
	NONE,
	NEGATIVE,
	RFC2133,
	N_LENGTHS,
};
static const uint8_t length_weights[N_LENGTHS] = { 42, 2, 2, 1, 1, 1, 1 };

enum where { OWN, PAGE, PAGE_END, ACROSS, NULL_POINTER, BAD_POINTER, N_WHERE };
static const uint8_t where_weights[N_WHERE] = { 30, 3, 2, 1, 1, 1 };

#define UNKNOWN_FAMILY 77
#define UNKNOWN_SCOPE 99
#define RFC2133_LENGTH 24

static unsigned char *page;
static size_t page_size;
static bool has_page;
static unsigned int device;

static void map_page(int protection)
{
	mmap(page, page_size, protection,
	     MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
}

void address_init(void)
{
	page_size = (size_t)sysconf(_SC_PAGESIZE);
	page = mmap(NULL, 2 * page_size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS,
		    -1, 0);
	if (page == MAP_FAILED) {
		perror("mmap");
		exit(99);
	}
	device = if_nametoindex(DEVICE);
}

void address_begin(void)
{
	map_page(PROT_READ | PROT_WRITE);
	has_page = true;
}

bool address_toggle_page(void)
{
	has_page = !has_page;
	map_page(has_page ? PROT_READ | PROT_WRITE : PROT_NONE);
	return has_page;
}

unsigned int address_device(void)
{
	return device;
}

static uint16_t pick_port(const struct step *step, bool is_remote)
{
	const uint32_t draw = step->draws[DRAW_PORT] % 20;
	const uint16_t named = ports_named(step->draws[DRAW_DETAIL] % N_NAMED);
	const int listening = slots_listening();

	if (is_remote && draw < 8 && listening >= 0)
		return slots_port((unsigned int)listening);
	if (is_remote)
		return draw < 12   ? slots_port(step->other)
		       : draw < 17 ? named
		       : draw < 18 ? ports_named_in_range()
				   : 0;
	return draw < 10   ? 0
	       : draw < 16 ? named
	       : draw < 17 ? ports_named_in_range()
			   : slots_port(step->other);
}

static const char *pick_ip(uint32_t draw, int domain, bool is_remote)
{
	const struct ip *ips = domain == AF_INET6 ? ipv6 : ipv4;
	const size_t n = domain == AF_INET6 ? ARRAY_SIZE(ipv6)
					    : ARRAY_SIZE(ipv4);
	uint8_t weights[ARRAY_SIZE(ipv6) + ARRAY_SIZE(ipv4)];

	for (size_t i = 0; i < n; i++)
		weights[i] = is_remote ? ips[i].remote : ips[i].local;
	return ips[plan_pick(draw, weights, (unsigned int)n)].text;
}

static void fill_ipv6(struct sockaddr_in6 *in6, const char *text, uint16_t port)
{
	char bare[INET6_ADDRSTRLEN];
	const size_t length = strcspn(text, "%?");

	memcpy(bare, text, length);
	bare[length] = '\0';
	in6->sin6_family = AF_INET6;
	in6->sin6_port = htons(port);
	inet_pton(AF_INET6, bare, &in6->sin6_addr);
	if (text[length] == '%')
		in6->sin6_scope_id = device;
	else if (text[length] == '?')
		in6->sin6_scope_id = UNKNOWN_SCOPE;
}

static socklen_t fill(struct sockaddr_storage *storage, int domain,
		      const char *text, uint16_t port)
{
	struct sockaddr_in *in = (struct sockaddr_in *)storage;

	memset(storage, 0, sizeof(*storage));
	if (domain == AF_INET6) {
		fill_ipv6((struct sockaddr_in6 *)storage, text, port);
		return sizeof(struct sockaddr_in6);
	}
	in->sin_family = AF_INET;
	in->sin_port = htons(port);
	inet_pton(AF_INET, text, &in->sin_addr);
	return sizeof(*in);
}

/* A length that is not that of the family. */
static socklen_t wrong_length(enum length length, uint32_t draw,
			      socklen_t right)
{
	switch (length) {
	case SHORTER: return right - 1 - draw % 12;
	case LARGEST: return sizeof(struct sockaddr_storage) + draw % 2;
	case ONE: return 1 + draw % 2;
	case NEGATIVE: return (socklen_t)-1;
	case RFC2133: return RFC2133_LENGTH;
	default: return 0;
	}
}

static void add(struct address *address, const char *text)
{
	strncat(address->text, text,
		sizeof(address->text) - strlen(address->text) - 1);
}

/* Where the page is not there, the pointer leads nowhere. */
static void place(struct address *address, enum where where, socklen_t size)
{
	static const char *const texts[N_WHERE] = {
		"",
		" in the page",
		" at the page's end",
		" across the page's end",
		" at NULL",
		" at 8",
	};
	static const size_t before_end[N_WHERE] = { [ACROSS] = 4 };
	unsigned char *at = page + page_size - size + before_end[where];

	add(address, texts[where]);
	address->pointer = (struct sockaddr *)&address->storage;
	if (where == OWN)
		return;
	if (where == NULL_POINTER || where == BAD_POINTER) {
		address->pointer = where == BAD_POINTER ? (void *)8 : NULL;
		return;
	}
	if (where == PAGE)
		at = page;
	if (has_page)
		memcpy(at, &address->storage,
		       where == ACROSS ? size - before_end[where] : size);
	address->pointer = (struct sockaddr *)at;
}

static void set_family(struct address *address, enum family family)
{
	static const sa_family_t numbers[N_FAMILIES] = {
		[UNSPECIFIED] = AF_UNSPEC,
		[UNIX] = AF_UNIX,
		[UNKNOWN] = UNKNOWN_FAMILY,
	};
	static const char *const texts[N_FAMILIES] = {
		[UNSPECIFIED] = "AF_UNSPEC ",
		[UNIX] = "AF_UNIX ",
		[UNKNOWN] = "AF_77 ",
	};

	if (family == RIGHT || family == OTHER_INET)
		return;
	address->storage.ss_family = numbers[family];
	add(address, texts[family]);
}

void address_make(struct address *address, const struct step *step,
		  bool is_remote)
{
	const uint32_t *draws = step->draws;
	const enum family family = (enum family)plan_pick(
		draws[DRAW_FAMILY],
		is_remote ? remote_families : local_families, N_FAMILIES);
	const enum length length = (enum length)plan_pick(
		draws[DRAW_LENGTH], length_weights, N_LENGTHS);
	int domain = slots_domain(step->socket);
	char text[64];

	if (family == OTHER_INET)
		domain = domain == AF_INET ? AF_INET6 : AF_INET;

	const char *ip = pick_ip(draws[DRAW_IP], domain, is_remote);
	const uint16_t port = pick_port(step, is_remote);
	const socklen_t right = fill(&address->storage, domain, ip, port);

	snprintf(text, sizeof(text), domain == AF_INET6 ? "[%s]:%s" : "%s:%s",
		 ip, ports_symbol(port));
	address->text[0] = '\0';
	set_family(address, family);
	add(address, text);
	address->length =
		length == EXACT
			? right
			: wrong_length(length, draws[DRAW_DETAIL] >> 8, right);
	if (length != EXACT) {
		snprintf(text, sizeof(text), " length %d",
			 (int)address->length);
		add(address, text);
	}
	place(address,
	      (enum where)plan_pick(draws[DRAW_WHERE], where_weights, N_WHERE),
	      right);
}

const char *address_text(const void *address, socklen_t length)
{
	static char texts[4][80];
	static unsigned int next;
	char *text = texts[next++ % 4], ip[INET6_ADDRSTRLEN];
	const struct sockaddr_in *in = address;
	const struct sockaddr_in6 *in6 = address;

	if (length < sizeof(in->sin_family))
		return "-";
	if (in->sin_family == AF_INET)
		snprintf(text, sizeof(texts[0]), "%s:%s",
			 inet_ntop(AF_INET, &in->sin_addr, ip, sizeof(ip)),
			 ports_symbol(ntohs(in->sin_port)));
	else if (in->sin_family == AF_INET6)
		snprintf(text, sizeof(texts[0]), "[%s%s]:%s",
			 inet_ntop(AF_INET6, &in6->sin6_addr, ip, sizeof(ip)),
			 in6->sin6_scope_id == 0	? ""
			 : in6->sin6_scope_id == device ? "%" DEVICE
							: "%other",
			 ports_symbol(ntohs(in6->sin6_port)));
	else
		snprintf(text, sizeof(texts[0]), "AF_%d", in->sin_family);
	return text;
}
