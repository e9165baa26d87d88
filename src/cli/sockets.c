/* SPDX-License-Identifier: MIT */
#include "cli/sockets.h"

#include <dirent.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "kernel/socket_table.h"

/* A socket that a process has open. */
struct opened {
	uint64_t inode; /* of the socket, as sock_diag(7) reports it */
	pid_t pid;
};

struct listing {
	struct sockets *sockets;
	struct opened *opened; /* by inode, then by pid */
	size_t n_opened;
	struct memory memory; /* of opened */
};

/* Sorts, and removes duplicates. Returns the new number of items. */
static size_t sort_once_each(void *items, size_t n, size_t size,
			     int (*compare)(const void *, const void *))
{
	char *const bytes = items;
	size_t n_kept = 0;

	if (n == 0)
		return 0;
	qsort(items, n, size, compare);
	for (size_t i = 1; i < n; i++)
		if (compare(bytes + i * size, bytes + n_kept * size) != 0)
			memcpy(bytes + ++n_kept * size, bytes + i * size, size);
	return n_kept + 1;
}

/* The first item that is not less than the wanted one. */
static size_t find_first(const void *wanted, const void *items, size_t n,
			 size_t size,
			 int (*compare)(const void *, const void *))
{
	size_t lo = 0, hi = n;

	while (lo < hi) {
		const size_t middle = lo + (hi - lo) / 2;

		if (compare((const char *)items + middle * size, wanted) < 0)
			lo = middle + 1;
		else
			hi = middle;
	}
	return lo;
}

/* --- who has which socket open -------------------------------------------- */

static void add_descriptor(struct listing *listing, int directory_fd,
			   const char *name, pid_t pid)
{
	static const char prefix[] = "socket:[";
	char link[64];
	const ssize_t length = readlinkat(directory_fd, name, link,
					  sizeof(link) - 1);

	if (length < 0)
		return;
	link[length] = '\0';
	if (strncmp(link, prefix, sizeof(prefix) - 1) == 0)
		*memory_add(&listing->memory, &listing->opened,
			    &listing->n_opened) = (struct opened){
			strtoull(link + sizeof(prefix) - 1, NULL, 10), pid
		};
}

/* A process that has ended, or is another user's, has none. */
static void add_process(struct listing *listing, const char *name)
{
	char path[32];
	const pid_t pid = (pid_t)strtol(name, NULL, 10);
	const struct dirent *entry;
	DIR *directory;

	snprintf(path, sizeof(path), "/proc/%d/fd", (int)pid);
	directory = opendir(path);
	if (directory == NULL)
		return;
	while ((entry = readdir(directory)) != NULL)
		add_descriptor(listing, dirfd(directory), entry->d_name, pid);
	closedir(directory);
}

static int compare_opened(const void *left, const void *right)
{
	const struct opened *a = left, *b = right;

	if (a->inode != b->inode)
		return a->inode < b->inode ? -1 : 1;
	return (a->pid > b->pid) - (a->pid < b->pid);
}

static int read_opened(struct listing *listing)
{
	DIR *proc = opendir("/proc");
	const struct dirent *entry;

	if (proc == NULL)
		return -errno;
	while ((entry = readdir(proc)) != NULL)
		if (entry->d_name[0] >= '1' && entry->d_name[0] <= '9')
			add_process(listing, entry->d_name);
	closedir(proc);
	/* A process may have a socket by several descriptors. */
	listing->n_opened = sort_once_each(listing->opened, listing->n_opened,
					   sizeof(*listing->opened),
					   compare_opened);
	return 0;
}

/* --- holders -------------------------------------------------------------- */

static enum socket_state state_of(const struct kernel_socket *socket)
{
	if (socket->inode == 0)
		return SOCKET_ORPHAN;
	if (socket->state == TCP_LISTEN)
		return SOCKET_LISTEN;
	return socket->remote.port != 0 ? SOCKET_CONNECTED : SOCKET_BOUND;
}

static bool visit(const struct kernel_socket *socket, void *context)
{
	struct listing *listing = context;
	struct sockets *sockets = listing->sockets;
	struct holder holder = {
		.protocol = socket->protocol,
		.state = state_of(socket),
		.port = socket->local.port,
	};
	const struct opened first = { .inode = socket->inode };
	size_t i = socket->inode == 0
			   ? listing->n_opened
			   : find_first(&first, listing->opened,
					listing->n_opened, sizeof(first),
					compare_opened);

	if (holder.state == SOCKET_LISTEN)
		port_set_add(&sockets->listening[holder.protocol], holder.port,
			     holder.port);
	do {
		const bool is_seen = i < listing->n_opened &&
				     listing->opened[i].inode == socket->inode;

		if (!is_seen && holder.pid != 0)
			break;
		holder.pid = is_seen ? listing->opened[i++].pid : 0;
		*memory_add(&sockets->memory, &sockets->items,
			    &sockets->n_items) = holder;
	} while (holder.pid != 0);
	return true;
}

static int compare(const void *left, const void *right)
{
	const struct holder *a = left, *b = right;

	if (a->protocol != b->protocol)
		return a->protocol < b->protocol ? -1 : 1;
	if (a->port != b->port)
		return a->port < b->port ? -1 : 1;
	if (a->pid != b->pid)
		return a->pid < b->pid ? -1 : 1;
	return (a->state > b->state) - (a->state < b->state);
}

int sockets_open(struct sockets *sockets)
{
	struct listing listing = { .sockets = sockets };
	int result;

	memset(sockets, 0, sizeof(*sockets));
	result = read_opened(&listing);
	for (int protocol = 0; protocol < N_PROTOCOLS && result == 0;
	     protocol++) {
		const int error = socket_table_list(protocol, ANY_PORT, visit,
						    &listing);

		if (error != -ENOENT)
			sockets->errors[protocol] = error;
	}
	memory_free(&listing.memory);
	/* A process may have many connections from one port. */
	sockets->n_items = sort_once_each(sockets->items, sockets->n_items,
					  sizeof(*sockets->items), compare);
	return result;
}

void sockets_close(struct sockets *sockets)
{
	memory_free(&sockets->memory);
	sockets->items = NULL;
	sockets->n_items = 0;
}

const struct holder *sockets_holders(const struct sockets *sockets,
				     enum protocol protocol, uint16_t port,
				     size_t *np)
{
	/* Its pid and state are the lowest: it sorts before all holders of
	 * this port. */
	const struct holder wanted = { .protocol = protocol, .port = port };
	const size_t first = find_first(&wanted, sockets->items,
					sockets->n_items, sizeof(wanted),
					compare);
	size_t i = first;

	while (i < sockets->n_items && sockets->items[i].protocol == protocol &&
	       sockets->items[i].port == port)
		i++;
	*np = i - first;
	return sockets->items + first;
}

const char *socket_state_name(enum socket_state state)
{
	static const char *const names[] = {
		[SOCKET_LISTEN] = "listen",
		[SOCKET_CONNECTED] = "connected",
		[SOCKET_BOUND] = "bound",
		[SOCKET_ORPHAN] = "orphan",
	};

	return names[state];
}
