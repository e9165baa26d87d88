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

#include "probe.h"

#include <stdio.h>
#include <stdlib.h>

#define NAMED_EVERY 10

struct count {
	long chosen, named, refused, other;
};

/* Nobody listens: whatever has connected has connected to itself. */
static void try(struct address peer, bool named, struct count *count)
{
	const int fd = socket(peer.sa.sa_family, SOCK_STREAM, 0);

	if (named && bind_to(fd, peer) != 0)
		count->other++;
	else if (connect_to(fd, peer) == 0)
		*(named ? &count->named : &count->chosen) += 1;
	else if (errno == ECONNREFUSED)
		count->refused++;
	else
		count->other++;
	close_with_reset(fd);
}

int main(int argc, char *argv[])
{
	struct count count = { 0 };

	if (argc != 4) {
		fprintf(stderr, "self_connect ADDRESS PORT N\n");
		return 2;
	}

	const struct address peer = address_of(argv[1],
					       (uint16_t)atoi(argv[2]));

	for (long i = 0; i < atol(argv[3]); i++)
		try(peer, i % NAMED_EVERY == 0, &count);
	printf("%ld %ld %ld %ld\n", count.chosen, count.named, count.refused,
	       count.other);
	return 0;
}
