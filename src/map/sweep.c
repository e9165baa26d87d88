/* SPDX-License-Identifier: MIT */
#include "map/sweep.h"

#include <errno.h>
#include <netinet/tcp.h>

#include "base/clock.h"
#include "base/raw.h"
#include "kernel/kernel.h"
#include "map/choice.h"
#include "map/ledger.h"
#include "map/map.h"
#include "map/turn.h"

/* The most planes that a socket may have been leased on, see candidates(). */
#define N_CANDIDATES 7

/* Up to this many ports the kernel is asked one by one: for each it walks its
 * whole table, at a third of the cost of a dump. */
#define MAX_SINGLE_PORTS 2

/*
 * What one sweep stores; most of it is never touched, since most planes are
 * empty. First what the map showed before the kernel was asked; then what the
 * kernel's table has.
 */
struct sweep_memory {
	uint16_t uses[N_PORTS];
	uint64_t leased[N_PLANES_TCP][N_PORT_WORDS];
	bool has_leases[N_PLANES_TCP];
	/* Planes on which a port is leased */
	uint16_t n_leases[N_PORTS];
	uint64_t known[N_PLANES_TCP][N_PORT_WORDS];
	uint64_t present[N_PORT_WORDS]; /* ports with any socket */
	/* With a socket that may still connect */
	uint64_t unconnected[N_PORT_WORDS];
	/* Sockets without a lease: see identity_bit() */
	uint64_t unshown[N_PORTS];
};

struct sweep {
	const struct map *map;
	enum protocol protocol;
	const struct port_set *range;
	uint64_t now_ms;
	struct sweep_memory *memory;
	uint32_t n_unshown; /* ports that have such sockets */
	struct sweep_result result;
};

_Static_assert(N_PLANES_TCP >= N_PLANES_UDP, "TCP has the most planes");
_Static_assert(N_PLANES_TCP >= N_PLANES_SCTP, "TCP has the most planes");

/* --- before: what the map shows ------------------------------------------- */

static void remember_bits(struct sweep *sweep, uint32_t plane, uint32_t word)
{
	struct sweep_memory *memory = sweep->memory;
	uint64_t bits = ledger_plane_bits(sweep->map, sweep->protocol, plane,
					  word);

	if (bits == 0)
		return;
	memory->has_leases[plane] = true;
	memory->leased[plane][word] = bits;
	for (; bits != 0; bits &= bits - 1) {
		memory->n_leases[word * PORT_WORD_BITS +
				 (uint32_t)__builtin_ctzll(bits)]++;
		sweep->result.n_leases++;
	}
}

static void remember_map(struct sweep *sweep)
{
	const uint32_t n_planes = ledger_n_planes(sweep->protocol);

	/* The use words are read first: of a lease that is taken meanwhile,
	 * only the plane is seen; a lease that is released meanwhile has
	 * changed its use word when this is compared again. */
	for (uint32_t port = 0; port < N_PORTS; port++) {
		const uint32_t use = ledger_use_word(
			sweep->map, sweep->protocol, (uint16_t)port);

		if (use == 0)
			continue;
		sweep->memory->uses[port] = (uint16_t)use;
		sweep->result.n_leases += ledger_use_of(use) == USE_WHOLE;
	}
	for (uint32_t plane = 0; plane < n_planes; plane++)
		for (uint32_t word = 0; word < N_PORT_WORDS; word++)
			remember_bits(sweep, plane, word);
}

/* --- the kernel's table --------------------------------------------------- */

static uint16_t plane_of(const struct sweep *sweep,
			 const struct endpoint *local,
			 const struct endpoint *remote)
{
	return ledger_plane(sweep->protocol,
			    choice_flow_hash(&sweep->map->memory->header.key,
					     local, remote));
}

/*
 * Lists every plane on which the socket may have been leased: the kernel shows
 * an address whether or not the program has bound it, and shows the address
 * that it has chosen where the program has connected to a wildcard. Returns how
 * many.
 */
static unsigned int candidates(const struct sweep *sweep,
			       const struct kernel_socket *socket,
			       uint16_t planes[N_CANDIDATES])
{
	const struct endpoint *local = &socket->local;
	struct endpoint wildcard = { .port = socket->remote.port };
	unsigned int n = 0;

	planes[n++] = plane_of(sweep, local, NULL);
	if (socket->remote.port == 0)
		return n;
	planes[n++] = plane_of(sweep, NULL, &socket->remote);
	planes[n++] = plane_of(sweep, local, &socket->remote);
	if (!endpoint_same_address(local, &socket->remote))
		return n;
	planes[n++] = plane_of(sweep, NULL, &wildcard);
	planes[n++] = plane_of(sweep, local, &wildcard);
	/* That of IPv4, in its mapped form. */
	wildcard.address[10] = wildcard.address[11] = 0xff;
	planes[n++] = plane_of(sweep, NULL, &wildcard);
	planes[n++] = plane_of(sweep, local, &wildcard);
	return n;
}

/* The lease by which a socket that the map does not know is marked. */
static struct lease lease_of(const struct sweep *sweep,
			     const struct kernel_socket *socket)
{
	const bool connected = sweep->protocol == PROTOCOL_TCP &&
			       socket->remote.port != 0;
	struct lease lease = { .protocol = sweep->protocol,
			       .use = USE_WHOLE,
			       .port = socket->local.port };

	if (connected) {
		lease.use = USE_CONNECT;
		lease.plane = plane_of(sweep, NULL, &socket->remote);
	} else if (!endpoint_is_wildcard(&socket->local)) {
		lease.use = USE_BOUND;
		lease.plane = plane_of(sweep, &socket->local, NULL);
	}
	return lease;
}

/*
 * One bit of 64, from what distinguishes the socket from others on its port.
 * Two sockets that share a bit are taken for each other; at worst one mark too
 * many is made.
 */
static uint64_t identity_bit(const struct sweep *sweep,
			     const struct kernel_socket *socket)
{
	const uint64_t identity =
		socket->inode != 0
			? socket->inode
			: choice_flow_hash(&sweep->map->memory->header.key,
					   &socket->local, &socket->remote);

	return UINT64_C(1) << identity % 64;
}

/* Clears a bit of a plane; settle_port() corrects the use word. */
static void clear(struct sweep *sweep, uint32_t port, uint32_t plane,
		  uint64_t rest_now_ms)
{
	const struct lease lease = { .protocol = sweep->protocol,
				     .use = USE_FREE,
				     .port = (uint16_t)port,
				     .plane = (uint16_t)plane };

	ledger_release(sweep->map, &lease, rest_now_ms);
}

/*
 * Compares with the map as it is now: a socket may be newer than what was
 * stored. A port with a use that excludes the mark counts as shown too.
 */
static bool is_shown(const struct sweep *sweep,
		     const struct kernel_socket *socket, const uint16_t *planes,
		     unsigned int n_planes)
{
	const uint16_t port = socket->local.port;
	const uint32_t use = ledger_use_word(sweep->map, sweep->protocol, port);

	if (use == 0 || ledger_use_of(use) == USE_WHOLE ||
	    ledger_use_of(use) != lease_of(sweep, socket).use)
		return use != 0;
	for (unsigned int i = 0; i < n_planes; i++)
		if ((ledger_plane_bits(sweep->map, sweep->protocol, planes[i],
				       port / PORT_WORD_BITS) &
		     port_bit(port)) != 0)
			return true;
	return false;
}

static bool visit(const struct kernel_socket *socket, void *context)
{
	struct sweep *sweep = context;
	const uint16_t port = socket->local.port;
	const uint32_t word = port / PORT_WORD_BITS;
	uint16_t planes[N_CANDIDATES];
	const unsigned int n = candidates(sweep, socket, planes);

	sweep->result.n_sockets++;
	sweep->memory->present[word] |= port_bit(port);
	/* A socket without a destination, as between bind and connect. */
	if (sweep->protocol == PROTOCOL_TCP && socket->remote.port == 0 &&
	    socket->state != TCP_LISTEN)
		sweep->memory->unconnected[word] |= port_bit(port);
	for (unsigned int i = 0; i < n; i++)
		sweep->memory->known[planes[i]][word] |= port_bit(port);
	if (port_set_has(sweep->range, port) &&
	    !is_shown(sweep, socket, planes, n)) {
		sweep->n_unshown += sweep->memory->unshown[port] == 0;
		sweep->memory->unshown[port] |= identity_bit(sweep, socket);
	}
	return true;
}

static void mark(struct sweep *sweep, const struct kernel_socket *socket)
{
	const uint16_t port = socket->local.port;
	const struct lease lease = lease_of(sweep, socket);

	/* The bit is set but counted in no use word: its process died between
	 * the two writes, or the release of another lease, which came late, has
	 * ended the use. */
	if (lease.use != USE_WHOLE &&
	    ledger_use_word(sweep->map, sweep->protocol, port) == 0)
		clear(sweep, port, lease.plane, 0);
	if (ledger_lease(sweep->map, &lease) == 0)
		sweep->result.n_marked++;
}

/*
 * The kernel is asked a second time: a socket whose lease was not shown may
 * just have been closed, since a socket is closed before its lease is released.
 * A socket that still exists had no lease.
 */
static bool visit_again(const struct kernel_socket *socket, void *context)
{
	struct sweep *sweep = context;
	uint16_t planes[N_CANDIDATES];

	if ((sweep->memory->unshown[socket->local.port] &
	     identity_bit(sweep, socket)) != 0 &&
	    !is_shown(sweep, socket, planes, candidates(sweep, socket, planes)))
		mark(sweep, socket);
	return true;
}

static int look_again(struct sweep *sweep, sweep_lister list)
{
	int result = 0;

	if (sweep->n_unshown > MAX_SINGLE_PORTS)
		return list(sweep->protocol, ANY_PORT, visit_again, sweep);
	for (uint32_t port = 0, n = 0; n < sweep->n_unshown && result == 0;
	     port++) {
		if (sweep->memory->unshown[port] == 0)
			continue;
		result = list(sweep->protocol, (uint16_t)port, visit_again,
			      sweep);
		n++;
	}
	return result;
}

/* --- leases without a socket ---------------------------------------------- */

/* Whether a socket has the port and may still connect to its destination. */
static bool may_yet_connect(const struct sweep_memory *memory, uint32_t port)
{
	return ledger_use_of(memory->uses[port]) == USE_CONNECT &&
	       (memory->unconnected[port / PORT_WORD_BITS] & port_bit(port)) !=
		       0;
}

static void clear_plane(struct sweep *sweep, uint32_t plane)
{
	struct sweep_memory *memory = sweep->memory;

	for (uint32_t word = 0; word < N_PORT_WORDS; word++) {
		uint64_t lost = memory->leased[plane][word];

		if (lost != 0)
			lost &= ~memory->known[plane][word];
		for (; lost != 0; lost &= lost - 1) {
			const uint32_t port = word * PORT_WORD_BITS +
					      (uint32_t)__builtin_ctzll(lost);

			if (may_yet_connect(memory, port))
				continue;
			clear(sweep, port, plane, sweep->now_ms);
			memory->n_leases[port]--;
			sweep->result.n_cleared++;
		}
	}
}

/* Corrects a port that has no socket, or whose counted leases differ from the
 * bits in the planes. */
static void settle_port(struct sweep *sweep, uint32_t port)
{
	const struct sweep_memory *memory = sweep->memory;
	const uint32_t use = memory->uses[port];
	const bool is_present = (memory->present[port / PORT_WORD_BITS] &
				 port_bit(port)) != 0;

	if (use == 0 || (ledger_use_of(use) == USE_WHOLE && is_present))
		return;
	if (ledger_use_of(use) == USE_WHOLE) {
		ledger_rest(sweep->map, sweep->protocol, (uint16_t)port,
			    sweep->now_ms);
		sweep->result.n_cleared++;
	}
	ledger_settle(sweep->map, sweep->protocol, (uint16_t)port, use,
		      ledger_use_of(use) == USE_WHOLE ? 0
						      : memory->n_leases[port]);
}

static void mend_map(struct sweep *sweep)
{
	const uint32_t n_planes = ledger_n_planes(sweep->protocol);

	for (uint32_t plane = 0; plane < n_planes; plane++)
		if (sweep->memory->has_leases[plane])
			clear_plane(sweep, plane);
	for (uint32_t port = 0; port < N_PORTS; port++)
		settle_port(sweep, port);
	for (uint32_t word = 0; word < N_PORT_WORDS; word++)
		ledger_mend_hints(sweep->map, sweep->protocol, word);
}

/* The kernel shows the table of the namespace that the calling thread is in. */
static bool is_at_home(const struct map *map)
{
	return kernel_is_in_netns(map->netns_inode, map->netns_cookie);
}

void sweep_if_due(const struct map *map, enum protocol protocol,
		  const struct port_set *range)
{
	const uint64_t now_ms = clock_now_ms();
	struct sweep_result result;

	if (!turn_take(map, protocol, now_ms))
		return;
	(void)sweep_protocol(map, protocol, range, socket_table_list, now_ms,
			     &result);
	turn_end(map, protocol, clock_now_ms() - now_ms);
}

int sweep_protocol(const struct map *map, enum protocol protocol,
		   const struct port_set *range, sweep_lister list,
		   uint64_t now_ms, struct sweep_result *resultp)
{
	struct sweep sweep = {
		.map = map,
		.protocol = protocol,
		.range = range,
		.now_ms = now_ms,
	};
	int result;

	sweep.memory = raw_map_private(sizeof(*sweep.memory));
	if (sweep.memory == NULL)
		return -ENOMEM;
	remember_map(&sweep);
	result = is_at_home(map) ? list(protocol, ANY_PORT, visit, &sweep)
				 : -EXDEV;
	/* A signal handler may have changed the namespace meanwhile. */
	if (result == 0 && !is_at_home(map))
		result = -EXDEV;
	if (result == 0)
		result = look_again(&sweep, list);
	if (result == 0)
		mend_map(&sweep);
	/* Relaxed: a count, read for reports only. */
	add_relaxed_u64(&map->memory->counter.counters[COUNTER_SWEPT],
			sweep.result.n_cleared);
	raw_unmap(sweep.memory, sizeof(*sweep.memory));
	*resultp = sweep.result;
	return result;
}
