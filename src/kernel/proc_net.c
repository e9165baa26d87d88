/* SPDX-License-Identifier: MIT */
#include "kernel/proc_net.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stddef.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/raw.h"
#include "base/scratch.h"

/* Longer than any line: seq_setwidth(149) for IPv4, some 180 for IPv6. */
#define BUFFER_SIZE 4096

static const char *const paths[N_PROTOCOLS][2] = {
	[PROTOCOL_TCP] = { "/proc/net/tcp", "/proc/net/tcp6" },
	[PROTOCOL_UDP] = { "/proc/net/udp", "/proc/net/udp6" },
	[PROTOCOL_UDPLITE] = { "/proc/net/udplite", "/proc/net/udplite6" },
};

/* Whether there is a digit of this base; advances over it. */
static bool take_digit(const char **atp, uint32_t base, uint64_t *valuep)
{
	const char c = **atp;
	uint32_t digit;

	if (c >= '0' && c <= '9')
		digit = (uint32_t)(c - '0');
	else if (c >= 'A' && c <= 'F')
		digit = (uint32_t)(c - 'A') + 10;
	else
		return false;
	if (digit >= base)
		return false;
	*valuep = *valuep * base + digit;
	(*atp)++;
	return true;
}

static uint64_t take_number(const char **atp, uint32_t base, int max_digits)
{
	uint64_t value = 0;

	while (**atp == ' ')
		(*atp)++;
	while (max_digits-- > 0 && take_digit(atp, base, &value))
		;
	return value;
}

/* "0100007F:1F90": words of the address in host order, then the port. */
static struct endpoint take_end(const char **atp, bool ipv6)
{
	union socket_address address = { .in6 = { 0 } };
	struct endpoint endpoint = { 0 };
	uint32_t words[4] = { 0 };

	for (int i = 0; i < (ipv6 ? 4 : 1); i++)
		words[i] = (uint32_t)take_number(atp, 16, 8);
	if (**atp == ':')
		(*atp)++;
	address.generic.sa_family = ipv6 ? AF_INET6 : AF_INET;
	if (ipv6)
		memcpy(&address.in6.sin6_addr, words, 16);
	else
		memcpy(&address.in.sin_addr, words, 4);
	/* sin_port and sin6_port lie at the same place. */
	address.in.sin_port = htons((uint16_t)take_number(atp, 16, 4));
	endpoint_read(&address.generic, sizeof(struct sockaddr_in6), &endpoint);
	return endpoint;
}

static void skip_fields(const char **atp, int n)
{
	while (n-- > 0) {
		while (**atp == ' ')
			(*atp)++;
		while (**atp != ' ' && **atp != '\0')
			(*atp)++;
	}
}

/* sl local remote st tx:rx tr:when retransmits uid timeout inode ... */
static void parse(const char *line, enum protocol protocol, bool ipv6,
		  struct kernel_socket *socketp)
{
	socketp->protocol = protocol;
	skip_fields(&line, 1);
	socketp->local = take_end(&line, ipv6);
	socketp->remote = take_end(&line, ipv6);
	socketp->state = (uint8_t)take_number(&line, 16, 2);
	skip_fields(&line, 3);
	socketp->uid = (uint32_t)take_number(&line, 10, 10);
	skip_fields(&line, 1);
	socketp->inode = take_number(&line, 10, 20);
}

/* Scratch memory, as for the exchange in sock_diag.c. */
struct table {
	int fd;
	int error;		/* why reading ended early, -errno */
	size_t n_bytes;
	struct kernel_socket socket;	/* that is visited */
	char text[BUFFER_SIZE];
};

/*
 * Returns the next line, terminated; NULL at the end. Valid until the next
 * call.
 */
static const char *next_line(struct table *table, size_t *usedp)
{
	char *end;

	memmove(table->text, table->text + *usedp, table->n_bytes - *usedp);
	table->n_bytes -= *usedp;
	*usedp = 0;
	while ((end = memchr(table->text, '\n', table->n_bytes)) == NULL) {
		const ssize_t n = raw_read(table->fd,
					   table->text + table->n_bytes,
					   BUFFER_SIZE - table->n_bytes);

		if (n == -EINTR)
			continue;
		if (n <= 0) {
			table->error = (int)n;
			return NULL;
		}
		table->n_bytes += (size_t)n;
	}
	*end = '\0';
	*usedp = (size_t)(end - table->text) + 1;
	return table->text;
}

/* Returns 1 when the visitor wants no more. */
static int list_lines(struct table *table, enum protocol protocol, bool ipv6,
		      kernel_socket_visit visit, void *context)
{
	size_t used = 0;
	bool more = true;
	/* The first line holds the headings. */
	const char *line = next_line(table, &used);

	while (more && line != NULL &&
	       (line = next_line(table, &used)) != NULL) {
		parse(line, protocol, ipv6, &table->socket);
		if (table->socket.local.port != 0)
			more = visit(&table->socket, context);
	}
	return more ? table->error : 1;
}

/* Returns as list_lines(), or why the file cannot be opened. */
static int list_file(const char *path, enum protocol protocol, bool ipv6,
		     kernel_socket_visit visit, void *context)
{
	const int fd = raw_open(AT_FDCWD, path, O_RDONLY, 0);
	struct table *table;
	int result = -ENOMEM;

	if (fd < 0)
		return fd;
	table = scratch_take(sizeof(*table));
	if (table != NULL) {
		table->fd = fd;
		result = list_lines(table, protocol, ipv6, visit, context);
	}
	scratch_put(table, sizeof(*table));
	raw_close(fd);
	return result;
}

/* The reason why there is no table: the kernel lacks the protocol, or shows it
 * in another form, or does not show it. */
static int why_missing(enum protocol protocol)
{
	const char *path = protocol == PROTOCOL_SCTP ? "/proc/net/sctp"
					       : "/proc/net/tcp";
	const bool exists = raw_syscall(SYS_faccessat, AT_FDCWD, (long)path,
					F_OK, 0, 0, 0) == 0;

	/* Every kernel with IPv4 has TCP and UDP. */
	if (protocol == PROTOCOL_TCP || protocol == PROTOCOL_UDP)
		return -EOPNOTSUPP;
	return exists == (protocol == PROTOCOL_SCTP) ? -EOPNOTSUPP : -ENOENT;
}

int proc_net_list(enum protocol protocol, uint16_t port,
		  kernel_socket_visit visit, void *context)
{
	(void)port;

	int result = paths[protocol][0] == NULL
			     ? -ENOENT
			     : list_file(paths[protocol][0], protocol, false,
					 visit, context);

	if (result == -ENOENT)
		return why_missing(protocol);
	/* A kernel without IPv6 has no second table. */
	if (result == 0)
		result = list_file(paths[protocol][1], protocol, true, visit,
				   context);
	return result < 0 && result != -ENOENT ? result : 0;
}
