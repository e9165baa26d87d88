/* SPDX-License-Identifier: MIT */
#include "kernel/socket_table.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stddef.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/raw.h"
#include "base/text.h"

/* Longer than any line: seq_setwidth(149) for IPv4, some 180 for IPv6. */
#define BUFFER_SIZE 4096

static const char *const paths[N_PROTOCOLS][2] = {
	[PROTOCOL_TCP] = { "/proc/net/tcp", "/proc/net/tcp6" },
	[PROTOCOL_UDP] = { "/proc/net/udp", "/proc/net/udp6" },
	[PROTOCOL_UDPLITE] = { "/proc/net/udplite", "/proc/net/udplite6" },
};

/* Reads a number behind blanks; 0 where there is none. */
static uint64_t take(const char **atp, unsigned int base, size_t max_digits)
{
	uint64_t number;

	while (**atp == ' ')
		(*atp)++;
	text_take_digits(atp, base, max_digits, &number);
	return number;
}

/* "0100007F:1F90": words of the address in host order, then the port. */
static struct endpoint take_end(const char **atp, bool ipv6)
{
	uint32_t words[4] = { 0 };

	for (int i = 0; i < (ipv6 ? 4 : 1); i++)
		words[i] = (uint32_t)take(atp, 16, 8);
	if (**atp == ':')
		(*atp)++;
	return endpoint_of(ipv6 ? AF_INET6 : AF_INET, words, 0,
			   (uint16_t)take(atp, 16, 4));
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
	socketp->state = (uint8_t)take(&line, 16, 2);
	skip_fields(&line, 3);
	socketp->uid = (uint32_t)take(&line, 10, 10);
	skip_fields(&line, 1);
	socketp->inode = take(&line, 10, 20);
}

/* In mapped memory, as the exchange in sock_diag.c. */
struct table {
	int fd;
	int error; /* why reading ended early, -errno */
	size_t n_bytes;
	struct kernel_socket socket; /* that is visited */
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
	table = raw_map_private(sizeof(*table));
	if (table != NULL) {
		table->fd = fd;
		result = list_lines(table, protocol, ipv6, visit, context);
	}
	raw_unmap(table, sizeof(*table));
	raw_close(fd);
	return result;
}

/* The reason why there is no table: the kernel lacks the protocol, or shows it
 * in another form, or does not show it. */
static int why_missing(enum protocol protocol)
{
	const char *path = protocol == PROTOCOL_SCTP ? "/proc/net/sctp"
						     : "/proc/net/tcp";
	const bool exists = raw_call(SYS_faccessat, AT_FDCWD, path, F_OK) == 0;

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

int socket_table_list(enum protocol protocol, uint16_t port,
		      kernel_socket_visit visit, void *context)
{
	const int result = sock_diag_list(protocol, port, visit, context);

	if (result >= 0)
		return result;

	/* The visitor may have seen some sockets already, and sees them again:
	 * a listing of a changing table may show a socket twice in any case. */
	const int in_proc = proc_net_list(protocol, port, visit, context);

	/* -ENOENT may also mean that the kernel has no diag module for the
	 * protocol. */
	return in_proc == -EOPNOTSUPP && result != -ENOENT ? result : in_proc;
}
