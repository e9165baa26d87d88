/* SPDX-License-Identifier: MIT */
#include "map_here.h"

#include "map/choice.h"
#include "map/sweep.h"

#define NOW_MS 100000u

static struct sweep_result result;

/* What the kernel is said to have. */
static struct kernel_socket sockets[16];
static size_t n_sockets;
static int list_result;
static unsigned int n_lists;
static void (*after_list)(void); /* what goes on meanwhile */

static int list(enum protocol protocol, uint16_t port,
		kernel_socket_visit visit, void *context)
{
	const int now_result = list_result;

	for (size_t i = 0; i < n_sockets; i++)
		if (sockets[i].protocol == protocol &&
		    (port == ANY_PORT || sockets[i].local.port == port))
			visit(&sockets[i], context);
	n_lists++;
	if (after_list != NULL)
		after_list();
	return now_result;
}

static void setup(void)
{
	open_map_here();
	/* Of two destinations, some keys make one plane. */
	map.memory->header.key = (struct siphash_key){ 3, 4 };
	n_sockets = 0;
	list_result = 0;
	n_lists = 0;
	after_list = NULL;
}

TestSuite(sweep, .init = setup);

static struct endpoint ipv4(uint8_t last, uint16_t port)
{
	return (struct endpoint){
		.address = { [10] = 0xff, 0xff, 127, 0, 0, last },
		.port = port,
		.family = AF_INET,
	};
}

static struct endpoint wildcard(uint16_t port)
{
	return (struct endpoint){ .address = { [10] = 0xff, 0xff },
				  .port = port,
				  .family = AF_INET };
}

static void add_socket(struct endpoint local, struct endpoint remote)
{
	sockets[n_sockets++] = (struct kernel_socket){
		.protocol = PROTOCOL_TCP,
		.local = local,
		.remote = remote,
	};
}

static uint16_t plane(const struct endpoint *local,
		      const struct endpoint *remote)
{
	return ledger_plane(PROTOCOL_TCP,
			    choice_flow_hash(&map.memory->header.key, local,
					     remote));
}

static void hold(enum use use, uint16_t port, uint16_t on)
{
	cr_assert_eq(take(use, port, on), 0);
}

static int run(enum protocol protocol)
{
	return sweep_protocol(&map, protocol, &range, list, NOW_MS, &result);
}

static void sweep(uint32_t n_cleared, uint32_t n_marked)
{
	cr_assert_eq(run(PROTOCOL_TCP), 0);
	cr_expect_eq(result.n_cleared, n_cleared, "%u", result.n_cleared);
	cr_expect_eq(result.n_marked, n_marked, "%u", result.n_marked);
}

static uint32_t n_leases(uint16_t port)
{
	uint32_t n;
	bool rests;

	ledger_use(&map, PROTOCOL_TCP, port, NOW_MS, &n, &rests);
	return n;
}

static bool rests(uint16_t port)
{
	return ledger_rests(&map, PROTOCOL_TCP, port, NOW_MS);
}

/* Whether a search would be given the port. */
static bool is_found(enum use use, uint16_t port, uint16_t on)
{
	return find(use, on, port, true, NOW_MS) == port;
}

static void close_all(void)
{
	n_sockets = 0;
}

static void reopen_all(void)
{
	for (size_t i = 0; i < n_sockets; i++)
		sockets[i].inode++;
}

static void lease_all(void)
{
	for (size_t i = 0; i < n_sockets; i++)
		(void)take(USE_CONNECT, sockets[i].local.port,
			   plane(NULL, &sockets[i].remote));
}

static void connect_all(void)
{
	for (size_t i = 0; i < n_sockets; i++) {
		sockets[i].local.address[15] = 1;
		sockets[i].remote = ipv4(9, 80);
	}
}

static void fail_next(void)
{
	list_result = -EPERM;
}

Test(sweep, a_lease_without_a_socket_goes_to_rest)
{
	hold(USE_WHOLE, 40000, 0);
	hold(USE_BOUND, 40001, 3);
	hold(USE_CONNECT, 40002, 4);
	hold(USE_CONNECT, 40002, 5);
	sweep(4, 0);
	for (uint16_t port = 40000; port <= 40002; port++) {
		cr_expect_eq(n_leases(port), 0);
		cr_expect(rests(port));
		cr_expect(is_found(USE_WHOLE, port, 0));
	}
}

Test(sweep, a_lease_with_its_socket_stays)
{
	const struct endpoint remote = ipv4(9, 80), local = ipv4(1, 0);

	hold(USE_WHOLE, 40000, 0);
	add_socket(wildcard(40000), wildcard(0));
	hold(USE_BOUND, 40001, plane(&local, NULL));
	add_socket(ipv4(1, 40001), wildcard(0));
	hold(USE_CONNECT, 40002, plane(NULL, &remote));
	add_socket(ipv4(1, 40002), remote);
	hold(USE_CONNECT, 40003, plane(&local, &remote));
	add_socket(ipv4(1, 40003), remote);
	sweep(0, 0);
	for (uint16_t port = 40000; port <= 40003; port++) {
		cr_expect_eq(n_leases(port), 1);
		cr_expect_not(rests(port));
	}
}

/* The kernel shows what it has put in place of the wildcard. */
Test(sweep, a_connect_to_the_wildcard_is_known_by_its_own_address)
{
	const struct endpoint remote = wildcard(80);

	hold(USE_CONNECT, 40000, plane(NULL, &remote));
	add_socket(ipv4(1, 40000), ipv4(1, 80));
	sweep(0, 0);
	cr_expect_eq(n_leases(40000), 1);
}

Test(sweep, of_a_shared_port_only_the_lost_lease_goes)
{
	const struct endpoint lives = ipv4(9, 80), lost = ipv4(9, 81);

	cr_assert_neq(plane(NULL, &lives), plane(NULL, &lost));
	hold(USE_CONNECT, 40000, plane(NULL, &lives));
	hold(USE_CONNECT, 40000, plane(NULL, &lost));
	add_socket(ipv4(1, 40000), lives);
	sweep(1, 0);
	cr_expect_eq(n_leases(40000), 1);
	cr_expect(is_found(USE_CONNECT, 40000, plane(NULL, &lost)));
	cr_expect_not(is_found(USE_CONNECT, 40000, plane(NULL, &lives)));
}

Test(sweep, a_socket_that_the_map_does_not_show_is_marked)
{
	const struct endpoint remote = ipv4(9, 80);

	add_socket(wildcard(40000), wildcard(0));
	add_socket(ipv4(1, 40001), wildcard(0));
	add_socket(ipv4(1, 40002), remote);
	add_socket(wildcard(50000), wildcard(0));
	sweep(0, 3);
	cr_expect_not(is_found(USE_BOUND, 40000, 7));
	cr_expect_not(is_found(USE_WHOLE, 40001, 0));
	cr_expect_not(is_found(USE_CONNECT, 40002, plane(NULL, &remote)));
	cr_expect_eq(n_leases(50000), 0);
	/* They are leases as others: they go with their sockets. */
	sweep(0, 0);
	n_sockets = 0;
	sweep(3, 0);
	cr_expect_eq(n_leases(40000) + n_leases(40001) + n_leases(40002), 0);
}

/* It is no reason to ask the kernel twice, in every sweep. */
Test(sweep, a_use_that_shuts_a_mark_out_shows_the_port)
{
	const struct endpoint local = ipv4(1, 0);

	hold(USE_BOUND, 40000, plane(&local, NULL));
	add_socket(ipv4(1, 40000), wildcard(0));
	add_socket(ipv4(2, 40000), ipv4(9, 80));
	sweep(0, 0);
	cr_expect_eq(n_lists, 1);
	cr_expect_eq(n_leases(40000), 1);
}

/* Who closes does so first, and gives the lease back then: between the two, and
 * when both are done, the kernel's list has what the map does not show. */
Test(sweep, a_socket_that_is_just_closed_is_not_marked)
{
	const struct endpoint remote = ipv4(9, 80);

	add_socket(wildcard(40000), wildcard(0));
	add_socket(ipv4(1, 40001), remote);
	after_list = close_all;
	sweep(0, 0);
	cr_expect_eq(n_lists, 1 + 2);
	cr_expect_eq(n_leases(40000) + n_leases(40001), 0);
	sweep(0, 0);
	cr_expect_eq(n_lists, 4);
}

/* Of a few ports the kernel is asked one by one, of many all at once. */
Test(sweep, what_is_not_shown_is_asked_for_by_its_port)
{
	for (uint16_t port = 40000; port < 40002; port++) {
		add_socket(ipv4(1, port), ipv4(9, 80));
		add_socket(ipv4(1, port), ipv4(9, 81));
	}
	sweep(0, 4);
	cr_expect_eq(n_lists, 1 + 2);
	for (uint16_t i = 0; i < 3; i++)
		sockets[i].local.port = 40002 + i;
	n_sockets = 3;
	sweep(4, 3);
	cr_expect_eq(n_lists, 3 + 2);
}

/* Another one of the same ends, which the map shows or not. */
Test(sweep, a_socket_that_has_come_meanwhile_is_not_marked)
{
	add_socket(ipv4(1, 40001), ipv4(9, 80));
	sockets[0].inode = 10;
	after_list = reopen_all;
	sweep(0, 0);
	cr_expect_eq(sockets[0].inode, 12);
	cr_expect_eq(n_leases(40001), 0);
}

Test(sweep, a_lease_that_has_come_meanwhile_is_a_mark_s_place)
{
	add_socket(ipv4(1, 40001), ipv4(9, 80));
	after_list = lease_all;
	sweep(0, 0);
	cr_expect_eq(n_lists, 2);
	cr_expect_eq(n_leases(40001), 1);
}

Test(sweep, a_mark_follows_a_socket_that_connects_meanwhile)
{
	const struct endpoint remote = ipv4(9, 80);

	add_socket(wildcard(40001), wildcard(0));
	sockets[0].inode = 10;
	after_list = connect_all;
	sweep(0, 1);
	cr_expect_not(is_found(USE_CONNECT, 40001, plane(NULL, &remote)));
	cr_expect(is_found(USE_CONNECT, 40001, plane(NULL, &remote) ^ 1u));
}

Test(sweep, where_the_second_list_fails_nothing_is_cleared)
{
	hold(USE_WHOLE, 40000, 0);
	add_socket(ipv4(1, 40001), ipv4(9, 80));
	after_list = fail_next;
	cr_assert_eq(run(PROTOCOL_TCP), -EPERM);
	cr_expect_eq(n_lists, 2);
	cr_expect_eq(n_leases(40000), 1);
}

/* Each instruction of lease and release may be the last. */
Test(sweep, what_died_half_way_is_made_whole)
{
	struct protocol_memory *protocol = &map.memory->protocols[PROTOCOL_TCP];
	const uint32_t word = 40000 / PORT_WORD_BITS;
	const uint64_t bit = UINT64_C(1) << 40000 % PORT_WORD_BITS;

	/* The plane, and no use yet. */
	map.memory->planes[4].words[word] = bit;
	sweep(1, 0);
	cr_expect_eq(map.memory->planes[4].words[word], 0);
	/* The use, and no hint yet: or a hint that was left. */
	protocol->hints[USE_BOUND][word] = bit;
	sweep(0, 0);
	cr_expect_eq(protocol->hints[USE_BOUND][word], 0);
	/* The plane given back, and the use not. */
	hold(USE_CONNECT, 40000, 4);
	hold(USE_CONNECT, 40000, 5);
	map.memory->planes[4].words[word] = 0;
	map.memory->planes[5].words[word] = 0;
	sweep(0, 0);
	cr_expect_eq(n_leases(40000), 0);
	cr_expect_eq(protocol->hints[USE_CONNECT][word], 0);
	cr_expect(is_found(USE_WHOLE, 40000, 0));
	/* One of two. */
	hold(USE_CONNECT, 40000, 4);
	hold(USE_CONNECT, 40000, 5);
	map.memory->planes[5].words[word] = 0;
	protocol->hints[USE_CONNECT][word] = 0;
	sweep(1, 0);
	sweep(0, 0);
	cr_expect_eq(n_leases(40000), 0);
}

Test(sweep, without_the_kernel_s_table_nothing_is_cleared)
{
	hold(USE_WHOLE, 40000, 0);
	list_result = -EPERM;
	cr_assert_eq(run(PROTOCOL_TCP), -EPERM);
	cr_expect_eq(n_leases(40000), 1);
}

Test(sweep, other_protocols_are_left_alone)
{
	hold(USE_WHOLE, 40000, 0);
	cr_assert_eq(run(PROTOCOL_UDP), 0);
	cr_expect_eq(n_leases(40000), 1);
	cr_expect_eq(result.n_leases, 0);
}

Test(sweep, random_words_in_the_map_do_no_harm)
{
	uint64_t *words = (uint64_t *)map.memory->protocols;
	const size_t n = (sizeof(map.memory->protocols) +
			  sizeof(map.memory->planes)) /
			 sizeof(*words);

	srand(1);
	for (size_t i = 0; i < n; i++)
		if (rand() % 64 == 0)
			words[i] = (uint64_t)rand() << 33 ^ (uint64_t)rand();
	add_socket(wildcard(40000), wildcard(0));
	for (int i = 0; i < 3; i++)
		cr_assert_eq(run(PROTOCOL_TCP), 0);
	cr_expect_eq(result.n_cleared, 0);
}
