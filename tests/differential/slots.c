/* SPDX-License-Identifier: MIT */
#include "slots.h"

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

#include "way.h"

#define TIMEOUT_US 8000

int slots[N_SLOTS];
static bool is_unseen[N_SLOTS];

static void set_option(int fd, int name, const void *value, socklen_t length)
{
	way_raw(SYS_setsockopt,
		(long[]){ fd, SOL_SOCKET, name, (long)value, length, 0 });
}

void slots_begin(void)
{
	for (int i = 0; i < N_SLOTS; i++)
		slots[i] = -1;
}

void slots_put(unsigned int slot, int fd)
{
	const struct timeval timeout = { .tv_usec = TIMEOUT_US };

	if (slots[slot] >= 0 && slots[slot] != fd)
		close(slots[slot]);
	slots[slot] = fd;
	is_unseen[slot] = false;
	set_option(fd, SO_SNDTIMEO, &timeout, sizeof(timeout));
	set_option(fd, SO_RCVTIMEO, &timeout, sizeof(timeout));
}

void slots_put_unseen(unsigned int slot, int fd)
{
	slots_put(slot, fd);
	is_unseen[slot] = true;
}

bool slots_is_unseen(unsigned int slot)
{
	return is_unseen[slot];
}

void slots_end(void)
{
	const struct linger linger = { .l_onoff = 1 };

	for (int i = 0; i < N_SLOTS; i++)
		if (slots[i] >= 0) {
			set_option(slots[i], SO_LINGER, &linger,
				   sizeof(linger));
			close(slots[i]);
		}
}

uint16_t slots_port(unsigned int slot)
{
	struct sockaddr_in6 name = { 0 };
	socklen_t length = sizeof(name);

	if (getsockname(slots[slot], (struct sockaddr *)&name, &length))
		return 0;
	if (name.sin6_family != AF_INET && name.sin6_family != AF_INET6)
		return 0;
	return ntohs(name.sin6_port); /* at the same place in both */
}

static int option_of(unsigned int slot, int name, int otherwise)
{
	int value = otherwise;
	socklen_t length = sizeof(value);

	getsockopt(slots[slot], SOL_SOCKET, name, &value, &length);
	return value;
}

int slots_domain(unsigned int slot)
{
	return option_of(slot, SO_DOMAIN, AF_INET);
}

int slots_listening(void)
{
	for (int slot = 0; slot < N_SLOTS; slot++)
		if (slots[slot] >= 0 &&
		    option_of((unsigned int)slot, SO_ACCEPTCONN, 0))
			return slot;
	return -1;
}
