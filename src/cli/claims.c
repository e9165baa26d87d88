/* SPDX-License-Identifier: MIT */
#include "cli/claims.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "cli/holders.h"
#include "kernel/socket_table.h"

struct listing {
	struct claims *claims;
	struct holders holders;
	int result;
};

static int add(struct claims *claims, const struct claim *claim)
{
	if (claims->n_items == claims->capacity) {
		const size_t capacity = 2 * claims->capacity + 64;
		struct claim *items = reallocarray(claims->items, capacity,
						   sizeof(*items));

		if (items == NULL)
			return -ENOMEM;
		claims->items = items;
		claims->capacity = capacity;
	}
	claims->items[claims->n_items++] = *claim;
	return 0;
}

static enum socket_role role_of(const struct kernel_socket *socket)
{
	if (socket->inode == 0)
		return ROLE_ORPHAN;
	if (socket->protocol != PROTOCOL_UDP &&
	    socket->protocol != PROTOCOL_UDPLITE && socket->state == TCP_LISTEN)
		return ROLE_LISTEN;
	return socket->remote.port != 0 ? ROLE_CONNECTED : ROLE_BOUND;
}

static bool visit(const struct kernel_socket *socket, void *context)
{
	struct listing *listing = context;
	struct claims *claims = listing->claims;
	struct claim claim = {
		.protocol = socket->protocol,
		.role = role_of(socket),
		.port = socket->local.port,
	};
	const struct holders *holders = &listing->holders;
	const struct holder *holder =
		socket->inode == 0 ? NULL
				   : holders_find(holders, socket->inode);

	if (claim.role == ROLE_LISTEN)
		port_set_add(&claims->listening[claim.protocol], claim.port,
			     claim.port);
	do {
		claim.pid = holder == NULL ? 0 : holder->pid;
		listing->result = add(claims, &claim);
	} while (listing->result == 0 && holder != NULL &&
		 ++holder < holders->items + holders->n_items &&
		 holder->inode == socket->inode);
	return listing->result == 0;
}

static int compare_port(const struct claim *a, const struct claim *b)
{
	if (a->protocol != b->protocol)
		return a->protocol < b->protocol ? -1 : 1;
	return (a->port > b->port) - (a->port < b->port);
}

static int compare(const void *left, const void *right)
{
	const struct claim *a = left, *b = right;
	const int result = compare_port(a, b);

	if (result != 0)
		return result;
	if (a->pid != b->pid)
		return a->pid < b->pid ? -1 : 1;
	return (a->role > b->role) - (a->role < b->role);
}

/* A process may have many connections from one port. */
static void sort_once_each(struct claims *claims)
{
	size_t n_kept = 0;

	if (claims->n_items == 0)
		return;
	qsort(claims->items, claims->n_items, sizeof(*claims->items), compare);
	for (size_t i = 1; i < claims->n_items; i++)
		if (compare(&claims->items[i], &claims->items[n_kept]) != 0)
			claims->items[++n_kept] = claims->items[i];
	claims->n_items = n_kept + 1;
}

int claims_open(struct claims *claims)
{
	struct listing listing = { .claims = claims };

	memset(claims, 0, sizeof(*claims));
	listing.result = holders_open(&listing.holders);
	for (int protocol = 0; protocol < N_PROTOCOLS && listing.result == 0;
	     protocol++) {
		const int result = socket_table_list((enum protocol)protocol,
						     ANY_PORT, visit, &listing);

		if (result < 0 && result != -ENOENT)
			claims->errors[protocol] = result;
	}
	holders_close(&listing.holders);
	sort_once_each(claims);
	return listing.result;
}

void claims_close(struct claims *claims)
{
	free(claims->items);
	claims->items = NULL;
	claims->n_items = 0;
}

const struct claim *claims_of(const struct claims *claims,
			      enum protocol protocol, uint16_t port, size_t *np)
{
	const struct claim wanted = { .protocol = protocol, .port = port };
	size_t lo = 0, hi = claims->n_items;

	while (lo < hi) {
		const size_t middle = lo + (hi - lo) / 2;

		if (compare_port(&claims->items[middle], &wanted) < 0)
			lo = middle + 1;
		else
			hi = middle;
	}
	for (*np = 0; lo + *np < claims->n_items; ++*np)
		if (compare_port(&claims->items[lo + *np], &wanted) != 0)
			break;
	return claims->items + lo;
}

const char *socket_role_name(enum socket_role role)
{
	static const char *const names[] = {
		[ROLE_LISTEN] = "listen",
		[ROLE_CONNECTED] = "connected",
		[ROLE_BOUND] = "bound",
		[ROLE_ORPHAN] = "orphan",
	};

	return names[role];
}
