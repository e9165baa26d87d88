/* SPDX-License-Identifier: MIT */

/*
 * self_connect ADDRESS PORT N: a client that retries on a loopback port where
 * nobody listens.
 *
 * Every tenth try names its source port, the one that it connects to; the
 * others leave the choice open. Prints
 *
 *     CHOSEN NAMED REFUSED OTHER
 *
 * how many tries of either kind have connected to themselves, how many were
 * refused with ECONNREFUSED, and how many ended in another way.
 */

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define NAMED_EVERY 10

struct address {
	struct sockaddr_storage storage;
	socklen_t length;
};

struct count {
	long chosen, named, refused, other;
};

static bool read_address(const char *text, const char *port,
			 struct address *addressp)
{
	struct sockaddr_in *in = (void *)&addressp->storage;
	struct sockaddr_in6 *in6 = (void *)&addressp->storage;

	memset(addressp, 0, sizeof(*addressp));
	in->sin_port = htons((uint16_t)atoi(port));
	if (inet_pton(AF_INET, text, &in->sin_addr) == 1) {
		in->sin_family = AF_INET;
		addressp->length = sizeof(*in);
		return true;
	}
	in6->sin6_family = AF_INET6;
	addressp->length = sizeof(*in6);
	return inet_pton(AF_INET6, text, &in6->sin6_addr) == 1;
}

/* With a reset, so that no TIME_WAIT keeps the port. */
static void drop(int fd)
{
	const struct linger linger = { .l_onoff = 1 };

	setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
	close(fd);
}

/* Nobody listens: whatever has connected has connected to itself. */
static void try(const struct address *peer, bool named, struct count *count)
{
	const struct sockaddr *address = (const void *)&peer->storage;
	const int fd = socket(address->sa_family, SOCK_STREAM, 0);

	if (named && bind(fd, address, peer->length) != 0)
		count->other++;
	else if (connect(fd, address, peer->length) == 0)
		*(named ? &count->named : &count->chosen) += 1;
	else if (errno == ECONNREFUSED)
		count->refused++;
	else
		count->other++;
	drop(fd);
}

int main(int argc, char *argv[])
{
	struct address peer;
	struct count count = { 0 };

	if (argc != 4 || !read_address(argv[1], argv[2], &peer)) {
		fprintf(stderr, "self_connect ADDRESS PORT N\n");
		return 2;
	}
	for (long i = 0; i < atol(argv[3]); i++)
		try(&peer, i % NAMED_EVERY == 0, &count);
	printf("%ld %ld %ld %ld\n", count.chosen, count.named, count.refused,
	       count.other);
	return 0;
}
