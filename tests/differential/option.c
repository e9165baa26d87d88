/* SPDX-License-Identifier: MIT */
#include "option.h"

#include <arpa/inet.h>
#include <linux/filter.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "address.h"
#include "ports.h"

#ifndef IP_LOCAL_PORT_RANGE
#define IP_LOCAL_PORT_RANGE 51
#endif
#ifndef UDPLITE_SEND_CSCOV
#define UDPLITE_SEND_CSCOV 10
#endif

/* What the values of an option are. */
enum form_of_value {
	NUMBER,
	LINGER,
	DEVICE_NAME,
	DEVICE_INDEX,
	GROUP,
	GROUP6,
	PACKET_INFO6,
	FILTER,
};

struct choice {
	int level, name;
	const char *text;
	uint8_t weight;
	enum form_of_value form;
	int values[3];
};

#define OWN_RANGE (int)(OWN_RANGE_HIGH << 16 | OWN_RANGE_LOW)

#define OPTION(level, name, weight, form, ...) \
	{ \
		level, name, #name, weight, form, \
		{ \
			__VA_ARGS__ \
		} \
	}

static const struct choice choices[] = {
	OPTION(SOL_SOCKET, SO_REUSEADDR, 8, NUMBER, 1, 1, 0),
	OPTION(SOL_SOCKET, SO_REUSEPORT, 5, NUMBER, 1, 1, 0),
	OPTION(IPPROTO_IP, IP_LOCAL_PORT_RANGE, 5, NUMBER, OWN_RANGE, 0,
	       (int)OWN_RANGE_LOW),
	OPTION(IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 4, NUMBER, 1, 1, 0),
	OPTION(IPPROTO_IPV6, IPV6_V6ONLY, 4, NUMBER, 1, 0, 1),
	OPTION(SOL_SOCKET, SO_BINDTODEVICE, 3, DEVICE_NAME, 0, 1, 2),
	OPTION(SOL_SOCKET, SO_BINDTOIFINDEX, 1, DEVICE_INDEX, 0, 1, 2),
	OPTION(IPPROTO_IP, IP_FREEBIND, 2, NUMBER, 1, 1, 0),
	OPTION(IPPROTO_IP, IP_TRANSPARENT, 2, NUMBER, 1, 1, 0),
	OPTION(IPPROTO_IPV6, IPV6_FREEBIND, 1, NUMBER, 1, 1, 0),
	OPTION(IPPROTO_IPV6, IPV6_TRANSPARENT, 1, NUMBER, 1, 1, 0),
	OPTION(IPPROTO_TCP, TCP_FASTOPEN_CONNECT, 4, NUMBER, 1, 1, 0),
	OPTION(IPPROTO_TCP, TCP_FASTOPEN, 2, NUMBER, 5, 5, 0),
	OPTION(IPPROTO_TCP, TCP_DEFER_ACCEPT, 2, NUMBER, 1, 1, 0),
	OPTION(IPPROTO_TCP, TCP_REPAIR, 2, NUMBER, 1, 0, -1),
	OPTION(IPPROTO_TCP, TCP_NODELAY, 1, NUMBER, 1, 0, 1),
	OPTION(SOL_SOCKET, SO_LINGER, 2, LINGER, 1, 1, 0),
	OPTION(SOL_SOCKET, SO_BROADCAST, 2, NUMBER, 1, 1, 0),
	OPTION(SOL_SOCKET, SO_KEEPALIVE, 1, NUMBER, 1, 0, 1),
	OPTION(SOL_SOCKET, SO_ATTACH_REUSEPORT_CBPF, 3, FILTER, 0, 1, 0),
	OPTION(IPPROTO_IP, IP_RECVERR, 2, NUMBER, 1, 1, 0),
	OPTION(IPPROTO_IPV6, IPV6_RECVERR, 2, NUMBER, 1, 1, 0),
	OPTION(IPPROTO_IP, IP_ADD_MEMBERSHIP, 2, GROUP, 0, 1, 0),
	OPTION(IPPROTO_IP, IP_DROP_MEMBERSHIP, 1, GROUP, 0, 1, 0),
	OPTION(IPPROTO_IP, IP_MULTICAST_IF, 1, GROUP, 0, 1, 0),
	OPTION(IPPROTO_IP, IP_MULTICAST_LOOP, 1, NUMBER, 0, 1, 0),
	OPTION(IPPROTO_IPV6, IPV6_JOIN_GROUP, 2, GROUP6, 0, 1, 0),
	OPTION(IPPROTO_IPV6, IPV6_MULTICAST_IF, 1, DEVICE_INDEX, 0, 1, 0),
	OPTION(IPPROTO_IPV6, IPV6_PKTINFO, 1, PACKET_INFO6, 0, 1, 2),
	OPTION(IPPROTO_IPV6, IPV6_ADDRFORM, 1, NUMBER, AF_INET, AF_INET,
	       AF_INET6),
	OPTION(IPPROTO_UDP, UDP_CORK, 1, NUMBER, 1, 0, 1),
	OPTION(IPPROTO_UDP, UDP_SEGMENT, 1, NUMBER, 4, 8, 0),
	OPTION(IPPROTO_UDPLITE, UDPLITE_SEND_CSCOV, 1, NUMBER, 8, 8, 0),
};

#define N_CHOICES (sizeof(choices) / sizeof(choices[0]))

static bool keeps_range;

static const char *const device_names[] = { "lo", DEVICE, "" };

static void put(struct option *option, const void *value, socklen_t length)
{
	memcpy(option->protocol, value, length);
	option->value = option->protocol;
	option->length = length;
}

static unsigned int device_index(int value)
{
	return value == 0 ? 1 : value == 1 ? address_device() : 0;
}

static void put_group(struct option *option, enum form_of_value form, int value)
{
	struct ip_mreqn group = {
		.imr_multiaddr.s_addr = inet_addr("224.0.0.251"),
		.imr_ifindex = (int)device_index(value),
	};
	struct ipv6_mreq group6 = { .ipv6mr_interface = device_index(value) };

	inet_pton(AF_INET6, "ff02::1:5", &group6.ipv6mr_multiaddr);
	if (form == GROUP)
		put(option, &group, sizeof(group));
	else
		put(option, &group6, sizeof(group6));
}

static void put_packet_info6(struct option *option, int value)
{
	struct in6_pktinfo info = { 0 };

	if (value < 2)
		inet_pton(AF_INET6, value ? "fe80::1" : "::1", &info.ipi6_addr);
	info.ipi6_ifindex = device_index(value);
	put(option, &info, sizeof(info));
}

/* A filter that always gives this socket of the group. */
static void put_filter(struct option *option, int value)
{
	static struct sock_filter filter;
	const struct sock_fprog program = { .len = 1, .filter = &filter };

	filter = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K,
					      (unsigned int)value);
	put(option, &program, sizeof(program));
}

static void put_value(struct option *option, enum form_of_value form, int value)
{
	const struct linger linger = { .l_onoff = value };

	switch (form) {
	case LINGER: put(option, &linger, sizeof(linger)); break;
	case DEVICE_NAME:
		put(option, device_names[value],
		    (socklen_t)strlen(device_names[value]) + 1);
		break;
	case DEVICE_INDEX:
		value = (int)device_index(value);
		put(option, &value, sizeof(value));
		break;
	case GROUP:
	case GROUP6: put_group(option, form, value); break;
	case PACKET_INFO6: put_packet_info6(option, value); break;
	case FILTER: put_filter(option, value); break;
	default: put(option, &value, sizeof(value));
	}
}

/* A value that lies nowhere, or is too short. */
static void spoil(struct option *option, uint32_t draw)
{
	char text[24] = "";

	if (draw % 32 == 0) {
		option->value = draw % 64 ? NULL : (void *)8;
		snprintf(text, sizeof(text), " at %d", draw % 64 ? 0 : 8);
	} else if (draw % 32 == 1) {
		option->length = draw / 32 % 4;
		snprintf(text, sizeof(text), " length %u", option->length);
	}
	strcat(option->text, text);
}

void option_keep_range(void)
{
	keeps_range = true;
}

static bool is_range(const struct choice *choice)
{
	return choice->level == IPPROTO_IP &&
	       choice->name == IP_LOCAL_PORT_RANGE;
}

void option_make(struct option *option, const struct step *step)
{
	uint8_t weights[N_CHOICES];

	for (size_t i = 0; i < N_CHOICES; i++)
		weights[i] = choices[i].weight;

	const struct choice *choice =
		&choices[plan_pick(step->draws[0], weights, N_CHOICES)];
	const int value = is_range(choice) && keeps_range
				  ? 0
				  : choice->values[step->draws[1] % 3];

	option->level = choice->level;
	option->name = choice->name;
	put_value(option, choice->form, value);
	snprintf(option->text, sizeof(option->text), "%s, 0x%x", choice->text,
		 (unsigned int)value);
	spoil(option, step->draws[2]);
	/* What a raw call takes back, the library goes on to leave alone. */
	if (is_range(choice) && step->form == FORM_RAW)
		ports_allow(0, 0);
	if (is_range(choice) && value)
		ports_allow((uint16_t)value,
			    (uint16_t)((unsigned int)value >> 16));
}
