/* SPDX-License-Identifier: MIT */
#include "kernel/socket_table.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/raw.h"
#include "base/raw_file.h"
#include "base/text.h"

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

/* A table that is being read; in mapped memory, as the exchange in
 * sock_diag.c. */
struct table {
	enum protocol protocol;
	bool ipv6;
	bool is_begun; /* the first line holds the headings */
	kernel_socket_visit visit;
	void *context;
	struct kernel_socket socket; /* that is visited */
};

static bool visit_line(const char *line, void *context)
{
	struct table *table = context;
	struct kernel_socket *socket = &table->socket;

	if (!table->is_begun) {
		table->is_begun = true;
		return true;
	}
	parse(line, table->protocol, table->ipv6, socket);
	return socket->local.port == 0 || table->visit(socket, table->context);
}

/* Returns as raw_each_line(). */
static int list_file(enum protocol protocol, bool ipv6,
		     kernel_socket_visit visit, void *context)
{
	struct table *table = raw_map_private(sizeof(*table));
	int result;

	if (table == NULL)
		return -ENOMEM;
	table->protocol = protocol;
	table->ipv6 = ipv6;
	table->visit = visit;
	table->context = context;
	result = raw_each_line(paths[protocol][ipv6], visit_line, table);
	raw_unmap(table, sizeof(*table));
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
			     : list_file(protocol, false, visit, context);

	if (result == -ENOENT)
		return why_missing(protocol);
	/* A kernel without IPv6 has no second table. */
	if (result == 0)
		result = list_file(protocol, true, visit, context);
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
