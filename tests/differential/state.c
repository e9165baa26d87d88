/* SPDX-License-Identifier: MIT */
#include "state.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "address.h"
#include "slots.h"
#include "transcript.h"

#ifndef IP_LOCAL_PORT_RANGE
#define IP_LOCAL_PORT_RANGE 51
#endif

static const struct {
	int level, name;
	const char *text;
} options[] = {
	{ SOL_SOCKET, SO_REUSEADDR, "reuseaddr" },
	{ SOL_SOCKET, SO_REUSEPORT, "reuseport" },
	{ IPPROTO_IP, IP_LOCAL_PORT_RANGE, "range" },
	{ IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, "no_port" },
	{ IPPROTO_IPV6, IPV6_V6ONLY, "v6only" },
	{ SOL_SOCKET, SO_ACCEPTCONN, "listening" },
	{ SOL_SOCKET, SO_DOMAIN, "domain" },
	{ SOL_SOCKET, SO_BINDTOIFINDEX, "device" },
};

#define N_OPTIONS (sizeof(options) / sizeof(options[0]))

typedef int name_function(int, struct sockaddr *, socklen_t *);

static void say_name(int slot, const char *what, name_function *get)
{
	struct sockaddr_storage name = { 0 };
	socklen_t length = sizeof(name);

	if (get(slots[slot], (struct sockaddr *)&name, &length) == 0)
		say(" %d.%s=%s", slot, what, address_text(&name, length));
	else if (errno != ENOTCONN)
		say(" %d.%s=%s", slot, what, strerrorname_np(errno));
}

static void say_options(int slot)
{
	for (size_t i = 0; i < N_OPTIONS; i++) {
		unsigned int value = 0;
		socklen_t length = sizeof(value);

		if (getsockopt(slots[slot], options[i].level, options[i].name,
			       &value, &length))
			say(" %d.%s=%s", slot, options[i].text,
			    strerrorname_np(errno));
		else if (value)
			say(" %d.%s=%x", slot, options[i].text, value);
	}
}

static void say_slot(int slot)
{
	struct tcp_info info = { 0 };
	socklen_t length = sizeof(info);

	say_name(slot, "name", getsockname);
	say_name(slot, "peer", getpeername);
	say_options(slot);
	if (fcntl(slots[slot], F_GETFL) & O_NONBLOCK)
		say(" %d.nonblock", slot);
	if (getsockopt(slots[slot], IPPROTO_TCP, TCP_INFO, &info, &length) == 0)
		say(" %d.tcp=%u", slot, info.tcpi_state);
}

void state_say(void)
{
	say("\t");
	for (int slot = 0; slot < N_SLOTS; slot++)
		if (slots[slot] >= 0)
			say_slot(slot);
	say("\n");
}

void state_say_end(void)
{
	const int fd = dup(STDIN_FILENO);

	say("-\tend()\tnext descriptor %d\t\n", fd);
	close(fd);
}
