/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <unistd.h>

#include "assign/refusal.h"
#include "base/clock.h"
#include "map/layout.h"
#include "process/process.h"

/* What a rule assigns, what another rule does, and what is reserved. */
#define CONNECT_PORT 20000u
#define LISTEN_PORT 21000u
#define OTHERS_PORT 22000u
#define OWN_PORT 30000u
#define FOREIGN_PORT 31000u
#define PLAIN_PORT 40000u

static struct process process;
static struct policy policy;
static struct port_set connect_range, listen_range, dynamic, owned, refused;

static void fill(struct port_set *set, uint32_t lo, uint32_t hi)
{
	port_set_add(set, lo, hi);
	port_set_finish(set);
}

static void setup(void)
{
	cr_assert_eq(map_open_private(0, &process.map), 0);
	process_prepare(&process);
	strcpy(process.source.identity.name, "redis-server");
	fill(&connect_range, 20000, 20999);
	fill(&listen_range, 21000, 21999);
	fill(&dynamic, 20000, 22999);
	fill(&owned, 30000, 30009);
	fill(&refused, 31000, 31009);
	for (int protocol = 0; protocol < N_PROTOCOLS; protocol++) {
		policy.ranges[protocol][ROLE_OF_CONNECT] = &connect_range;
		policy.ranges[protocol][ROLE_OF_LISTEN] = &listen_range;
		policy.dynamic[protocol] = &dynamic;
		policy.owned[protocol] = &owned;
		policy.refused[protocol] = &refused;
	}
	for (int i = 0; i < N_SETTINGS; i++)
		policy.settings[i] = setting_default((enum setting)i);
	policy.settings[SETTING_LOG] = LOG_NONE;
	strcpy(policy.rule, "default");
}

static void teardown(void)
{
	map_close(&process.map);
}

TestSuite(refusal, .init = setup, .fini = teardown);

static struct endpoint local(uint32_t port)
{
	return (struct endpoint){
		.address = { [10] = 0xff, [11] = 0xff, 127, 0, 0, 1 },
		.port = (uint16_t)port, .family = AF_INET,
	};
}

static int bind_in(enum protocol protocol, uint32_t port)
{
	const struct fd_facts facts = {
		.known = 1, .covered = 1, .protocol = protocol,
	};
	const struct endpoint endpoint = local(port);

	return refusal_of_bind(&process, &policy, &facts, &endpoint);
}

static int bind_tcp(uint32_t port)
{
	return bind_in(PROTOCOL_TCP, port);
}

/* All counters but this one are 0; N_COUNTERS: all. */
static void assert_counted(enum counter expected, uint64_t n)
{
	const struct counter_memory *memory = &process.map.memory->counter;

	for (int i = 0; i < N_COUNTERS; i++) {
		const uint64_t count = memory->counters[i];

		cr_assert_eq(count, i == (int)expected ? n : 0,
			     "counter %d: %d", i, (int)count);
	}
}

static void assert_nothing_told(void)
{
	assert_counted(N_COUNTERS, 0);
	cr_assert_eq(event_end(&process.map), 0);
}

/* One event, and one count of it. */
static void assert_told(enum event_kind kind, enum event_verdict verdict,
			enum event_call call, uint32_t port,
			enum counter counter)
{
	struct event event;

	cr_assert_eq(event_end(&process.map), 1);
	cr_assert(event_get(&process.map, 0, &event));
	cr_expect_eq(event.kind, kind);
	cr_expect_eq(event.verdict, verdict);
	cr_expect_eq(event.call, call);
	cr_expect_eq(event.address.port, port);
	cr_expect_eq(event.pid, (uint32_t)getpid());
	cr_expect_str_eq(event.program, "redis-server");
	cr_expect_str_eq(event.rule, "default");
	cr_expect_gt(event.time_ns, UINT64_C(1600000000000000000));
	assert_counted(counter, 1);
}

Test(refusal, a_port_reserved_for_others_is_refused_and_reported)
{
	cr_assert_eq(bind_tcp(FOREIGN_PORT), -EACCES);
	assert_told(EVENT_RESERVED, EVENT_REFUSED, CALL_BIND, FOREIGN_PORT,
		    COUNTER_RESERVED);
}

Test(refusal, the_event_has_protocol_and_address_of_the_call)
{
	const struct endpoint expected = local(FOREIGN_PORT + 9);
	struct event event;

	cr_assert_eq(bind_in(PROTOCOL_UDPLITE, FOREIGN_PORT + 9), -EACCES);
	cr_assert(event_get(&process.map, 0, &event));
	cr_assert_eq(event.protocol, PROTOCOL_UDPLITE);
	cr_assert_eq(memcmp(&event.address, &expected, sizeof(expected)), 0);
}

Test(refusal, a_reservation_is_of_its_protocol_alone)
{
	policy.refused[PROTOCOL_UDP] = NULL;
	cr_assert_eq(bind_in(PROTOCOL_UDP, FOREIGN_PORT), 0);
	assert_nothing_told();
	cr_assert_eq(bind_in(PROTOCOL_SCTP, FOREIGN_PORT), -EACCES);
}

Test(refusal, its_owner_and_any_other_port_pass)
{
	cr_assert_eq(bind_tcp(OWN_PORT), 0);
	cr_assert_eq(bind_tcp(FOREIGN_PORT - 1), 0);
	cr_assert_eq(bind_tcp(FOREIGN_PORT + 10), 0);
	cr_assert_eq(bind_tcp(CONNECT_PORT), 0);
	cr_assert_eq(bind_tcp(PLAIN_PORT), 0);
	cr_assert_eq(bind_tcp(80), 0);
	assert_nothing_told();
}

Test(refusal, without_any_sets_everything_passes)
{
	for (int protocol = 0; protocol < N_PROTOCOLS; protocol++)
		policy.owned[protocol] = policy.refused[protocol] =
			policy.dynamic[protocol] = NULL;
	policy.settings[SETTING_SERVER_IN_RANGE] = SERVER_REFUSE;
	cr_assert_eq(bind_tcp(FOREIGN_PORT), 0);
	cr_assert_eq(bind_tcp(CONNECT_PORT), 0);
	assert_nothing_told();
}

Test(refusal, outside_of_the_range_is_refused_where_that_is_set)
{
	policy.settings[SETTING_OUTSIDE] = OUTSIDE_REFUSE;
	cr_assert_eq(bind_tcp(PLAIN_PORT), -EADDRINUSE);
	assert_told(EVENT_OUTSIDE, EVENT_REFUSED, CALL_BIND, PLAIN_PORT,
		    COUNTER_OUTSIDE);
}

Test(refusal, what_another_rule_assigns_is_outside)
{
	policy.settings[SETTING_OUTSIDE] = OUTSIDE_REFUSE;
	cr_assert_eq(bind_tcp(OTHERS_PORT), -EADDRINUSE);
	assert_told(EVENT_OUTSIDE, EVENT_REFUSED, CALL_BIND, OTHERS_PORT,
		    COUNTER_OUTSIDE);
}

Test(refusal, not_outside_are_both_ranges_own_reservations_and_services)
{
	policy.settings[SETTING_OUTSIDE] = OUTSIDE_REFUSE;
	cr_assert_eq(bind_tcp(CONNECT_PORT), 0);
	cr_assert_eq(bind_tcp(LISTEN_PORT), 0);
	cr_assert_eq(bind_tcp(OWN_PORT), 0);
	cr_assert_eq(bind_tcp(80), 0);
	cr_assert_eq(bind_tcp(1023), 0);
	assert_nothing_told();
	cr_assert_eq(bind_tcp(1024), -EADDRINUSE);
}

Test(refusal, a_reservation_of_others_goes_before_outside)
{
	policy.settings[SETTING_OUTSIDE] = OUTSIDE_REFUSE;
	cr_assert_eq(bind_tcp(FOREIGN_PORT), -EACCES);
	assert_told(EVENT_RESERVED, EVENT_REFUSED, CALL_BIND, FOREIGN_PORT,
		    COUNTER_RESERVED);
}

Test(refusal, a_server_in_any_range_is_told_of_where_that_is_set)
{
	policy.settings[SETTING_SERVER_IN_RANGE] = SERVER_WARN;
	cr_assert_eq(bind_tcp(OTHERS_PORT), 0);
	assert_told(EVENT_SERVER_IN_RANGE, EVENT_ALLOWED, CALL_BIND,
		    OTHERS_PORT, COUNTER_SERVER_IN_RANGE);
}

Test(refusal, a_server_in_any_range_is_refused_where_that_is_set)
{
	policy.settings[SETTING_SERVER_IN_RANGE] = SERVER_REFUSE;
	cr_assert_eq(bind_tcp(PLAIN_PORT), 0);
	cr_assert_eq(bind_tcp(OWN_PORT), 0);
	assert_nothing_told();
	cr_assert_eq(bind_tcp(LISTEN_PORT), -EACCES);
	assert_told(EVENT_SERVER_IN_RANGE, EVENT_REFUSED, CALL_BIND,
		    LISTEN_PORT, COUNTER_SERVER_IN_RANGE);
}

Test(refusal, a_server_in_a_range_passes_by_default)
{
	cr_assert_eq(bind_tcp(LISTEN_PORT), 0);
	cr_assert_eq(bind_tcp(OTHERS_PORT), 0);
	assert_nothing_told();
}

Test(refusal, a_port_that_rests_was_handed_on)
{
	policy.settings[SETTING_SERVER_IN_RANGE] = SERVER_REFUSE;
	ledger_rest(&process.map, PROTOCOL_TCP, LISTEN_PORT, clock_now_ms());
	cr_assert_eq(bind_tcp(LISTEN_PORT), 0);
	assert_nothing_told();
	cr_assert_eq(bind_tcp(LISTEN_PORT + 1), -EACCES);
	cr_assert_eq(bind_in(PROTOCOL_UDP, LISTEN_PORT), -EACCES);
}

Test(refusal, a_port_that_rests_no_more_is_one_like_others)
{
	policy.settings[SETTING_SERVER_IN_RANGE] = SERVER_REFUSE;
	map_set_rest(&process.map, 1);
	ledger_rest(&process.map, PROTOCOL_TCP, LISTEN_PORT,
		    clock_now_ms() - 1000);
	cr_assert_eq(bind_tcp(LISTEN_PORT), -EACCES);
}

Test(refusal, a_port_that_is_leased_is_shared)
{
	static const enum use uses[] = { USE_WHOLE, USE_BOUND, USE_CONNECT };

	policy.settings[SETTING_SERVER_IN_RANGE] = SERVER_REFUSE;
	for (uint16_t i = 0; i < 3; i++) {
		const struct lease lease = {
			.protocol = PROTOCOL_TCP, .use = uses[i],
			.port = (uint16_t)(LISTEN_PORT + i), .plane = i,
		};

		cr_assert_eq(ledger_lease(&process.map, &lease), 0);
		cr_assert_eq(bind_tcp(lease.port), 0);
		assert_nothing_told();
		ledger_release(&process.map, &lease, 0);
	}
	cr_assert_eq(bind_tcp(LISTEN_PORT), -EACCES);
}

Test(refusal, neither_rest_nor_lease_opens_a_reservation)
{
	policy.settings[SETTING_OUTSIDE] = OUTSIDE_REFUSE;
	ledger_rest(&process.map, PROTOCOL_TCP, FOREIGN_PORT, clock_now_ms());
	ledger_rest(&process.map, PROTOCOL_TCP, PLAIN_PORT, clock_now_ms());
	cr_assert_eq(bind_tcp(FOREIGN_PORT), -EACCES);
	cr_assert_eq(bind_tcp(PLAIN_PORT), -EADDRINUSE);
}

static void set_strict(enum mode mode)
{
	policy.settings[SETTING_MODE] = (uint8_t)mode;
	policy.settings[SETTING_OUTSIDE] = OUTSIDE_REFUSE;
	policy.settings[SETTING_SERVER_IN_RANGE] = SERVER_REFUSE;
	policy.settings[SETTING_SELF_CONNECT] = SELF_CONNECT_REFUSE;
	policy.settings[SETTING_ON_ERROR] = ON_ERROR_REFUSE;
}

Test(refusal, observing_refuses_no_reserved_port_but_tells)
{
	set_strict(MODE_OBSERVE);
	cr_assert_eq(bind_tcp(FOREIGN_PORT), 0);
	assert_told(EVENT_RESERVED, EVENT_OBSERVED, CALL_BIND, FOREIGN_PORT,
		    COUNTER_OBSERVED);
}

Test(refusal, observing_refuses_nothing_outside_but_tells)
{
	set_strict(MODE_OBSERVE);
	cr_assert_eq(bind_tcp(PLAIN_PORT), 0);
	assert_told(EVENT_OUTSIDE, EVENT_OBSERVED, CALL_BIND, PLAIN_PORT,
		    COUNTER_OBSERVED);
}

Test(refusal, observing_refuses_no_server_but_tells)
{
	set_strict(MODE_OBSERVE);
	cr_assert_eq(bind_tcp(LISTEN_PORT), 0);
	assert_told(EVENT_SERVER_IN_RANGE, EVENT_OBSERVED, CALL_BIND,
		    LISTEN_PORT, COUNTER_OBSERVED);
}

Test(refusal, a_warning_stays_one_while_observing)
{
	policy.settings[SETTING_MODE] = MODE_OBSERVE;
	policy.settings[SETTING_SERVER_IN_RANGE] = SERVER_WARN;
	cr_assert_eq(bind_tcp(LISTEN_PORT), 0);
	assert_told(EVENT_SERVER_IN_RANGE, EVENT_ALLOWED, CALL_BIND,
		    LISTEN_PORT, COUNTER_SERVER_IN_RANGE);
}

static int connect_to_itself(void)
{
	const struct endpoint endpoint = local(CONNECT_PORT);

	return refusal_of_self_connect(&process, &policy, PROTOCOL_TCP,
				       &endpoint);
}

Test(refusal, a_connect_to_itself_is_refused_as_with_nobody_listening)
{
	cr_assert_eq(connect_to_itself(), -ECONNREFUSED);
	assert_told(EVENT_SELF_CONNECT, EVENT_REFUSED, CALL_CONNECT,
		    CONNECT_PORT, COUNTER_SELF_CONNECT);
}

Test(refusal, a_connect_to_itself_may_be_allowed)
{
	policy.settings[SETTING_SELF_CONNECT] = SELF_CONNECT_ALLOW;
	cr_assert_eq(connect_to_itself(), 0);
	assert_nothing_told();
}

Test(refusal, observing_refuses_no_connect_to_itself_but_tells)
{
	set_strict(MODE_OBSERVE);
	cr_assert_eq(connect_to_itself(), 0);
	assert_told(EVENT_SELF_CONNECT, EVENT_OBSERVED, CALL_CONNECT,
		    CONNECT_PORT, COUNTER_OBSERVED);
}

static int send_without_map(void)
{
	return refusal_without_map(&process, &policy, CALL_SEND, PROTOCOL_UDP);
}

Test(refusal, with_shared_memory_there_is_nothing_to_refuse)
{
	set_strict(MODE_ENFORCE);
	cr_assert_eq(send_without_map(), 0);
	assert_nothing_told();
}

Test(refusal, without_shared_memory_a_process_goes_on_by_itself)
{
	process.map.shared_error = -ENOSPC;
	cr_assert_eq(send_without_map(), 0);
	assert_nothing_told();
}

Test(refusal, without_shared_memory_it_is_refused_where_that_is_set)
{
	struct event event;

	policy.settings[SETTING_ON_ERROR] = ON_ERROR_REFUSE;
	process.map.shared_error = -ENOSPC;
	cr_assert_eq(send_without_map(), -EACCES);
	assert_told(EVENT_NO_MAP, EVENT_REFUSED, CALL_SEND, 0,
		    COUNTER_NO_MAP);
	cr_assert(event_get(&process.map, 0, &event));
	cr_assert_eq(event.protocol, PROTOCOL_UDP);
}

Test(refusal, without_what_to_follow_it_is_refused_where_that_is_set)
{
	policy.is_guess = true;
	cr_assert_eq(send_without_map(), 0);
	assert_nothing_told();
	policy.settings[SETTING_ON_ERROR] = ON_ERROR_REFUSE;
	cr_assert_eq(send_without_map(), -EACCES);
	assert_told(EVENT_BAD_POLICY, EVENT_REFUSED, CALL_SEND, 0,
		    COUNTER_BAD_POLICY);
}

Test(refusal, observing_goes_on_without_shared_memory_but_tells)
{
	set_strict(MODE_OBSERVE);
	process.map.shared_error = -ENOSPC;
	cr_assert_eq(send_without_map(), 0);
	assert_told(EVENT_NO_MAP, EVENT_OBSERVED, CALL_SEND, 0,
		    COUNTER_OBSERVED);
}

Test(refusal, without_any_map_it_is_refused_all_the_same)
{
	map_close(&process.map);
	process.map.memory = NULL;
	process.map.shared_error = -ENOMEM;
	set_strict(MODE_ENFORCE);
	cr_assert_eq(send_without_map(), -EACCES);
	cr_assert_eq(bind_tcp(FOREIGN_PORT), -EACCES);
	cr_assert_eq(bind_tcp(LISTEN_PORT), -EACCES);
	cr_assert_eq(bind_tcp(PLAIN_PORT), -EADDRINUSE);
	cr_assert_eq(connect_to_itself(), -ECONNREFUSED);
}

Test(refusal, errno_is_not_touched)
{
	set_strict(MODE_ENFORCE);
	errno = 1234;
	bind_tcp(FOREIGN_PORT);
	connect_to_itself();
	cr_assert_eq(errno, 1234);
}
