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
	struct port_set *const sets[] = { &connect_range, &listen_range,
					  &dynamic, &owned, &refused };

	memset(&process, 0, sizeof(process));
	for (size_t i = 0; i < sizeof(sets) / sizeof(sets[0]); i++)
		*sets[i] = (struct port_set){ .n_ports = 0 };
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
		.port = (uint16_t)port,
		.family = AF_INET,
	};
}

static int bind_in(enum protocol protocol, uint32_t port)
{
	const struct fd_facts facts = {
		.known = 1,
		.covered = 1,
		.protocol = protocol,
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

static void assert_nothing_told(const char *what)
{
	assert_counted(N_COUNTERS, 0);
	cr_assert_eq(event_end(&process.map), 0, "%s", what);
}

static int connect_to_itself(void)
{
	const struct endpoint endpoint = local(CONNECT_PORT);

	return refusal_of_self_connect(&process, &policy, PROTOCOL_TCP,
				       &endpoint);
}

/* What a call says, and the event and the counter of it. */
struct told {
	int result;
	enum event_verdict verdict;
	enum event_kind kind;
	enum counter counter;
};

#define NOTHING \
	{ \
		0, EVENT_ALLOWED, N_EVENT_KINDS, N_COUNTERS \
	}
#define REFUSED(error, name) \
	{ \
		error, EVENT_REFUSED, EVENT_##name, COUNTER_##name \
	}
#define ALLOWED(name) \
	{ \
		0, EVENT_ALLOWED, EVENT_##name, COUNTER_##name \
	}
#define OBSERVED(name) \
	{ \
		0, EVENT_OBSERVED, EVENT_##name, COUNTER_OBSERVED \
	}

/* Settings that are not at their default. */
#define SET(setting, value) .settings[SETTING_##setting] = 1 + (value)
#define DEFAULTS \
	{ \
		0 \
	}
#define NO_OUTSIDE SET(OUTSIDE, OUTSIDE_REFUSE)
#define NO_SERVER SET(SERVER_IN_RANGE, SERVER_REFUSE)
#define WARN_OF_SERVER SET(SERVER_IN_RANGE, SERVER_WARN)
#define OBSERVE \
	SET(MODE, MODE_OBSERVE), NO_OUTSIDE, NO_SERVER, \
		SET(SELF_CONNECT, SELF_CONNECT_REFUSE)

static const struct {
	const char *sentence;
	uint32_t port; /* 0: a connect to itself */
	struct told told;
	uint8_t settings[N_SETTINGS];
} cases[] = {
	{ "a port reserved for others is refused", FOREIGN_PORT,
	  REFUSED(-EACCES, RESERVED), DEFAULTS },
	{ "its owner passes", OWN_PORT, NOTHING, DEFAULTS },
	{ "so does the port before", FOREIGN_PORT - 1, NOTHING, DEFAULTS },
	{ "so does the port behind", FOREIGN_PORT + 10, NOTHING, DEFAULTS },
	{ "so does a port that is connected from", CONNECT_PORT, NOTHING,
	  DEFAULTS },
	{ "so does a server in a range by default", LISTEN_PORT, NOTHING,
	  DEFAULTS },
	{ "so does one in the range of another rule", OTHERS_PORT, NOTHING,
	  DEFAULTS },
	{ "so does any other", PLAIN_PORT, NOTHING, DEFAULTS },
	{ "so does a service", 80, NOTHING, DEFAULTS },
	{ "outside is refused where that is set", PLAIN_PORT,
	  REFUSED(-EADDRINUSE, OUTSIDE), NO_OUTSIDE },
	{ "what another rule assigns is outside", OTHERS_PORT,
	  REFUSED(-EADDRINUSE, OUTSIDE), NO_OUTSIDE },
	{ "so is the first port behind the services", 1024,
	  REFUSED(-EADDRINUSE, OUTSIDE), NO_OUTSIDE },
	{ "a service is not outside", 80, NOTHING, NO_OUTSIDE },
	{ "nor is the last one", 1023, NOTHING, NO_OUTSIDE },
	{ "nor is the range of connects", CONNECT_PORT, NOTHING, NO_OUTSIDE },
	{ "nor is that of servers", LISTEN_PORT, NOTHING, NO_OUTSIDE },
	{ "nor is an own reservation", OWN_PORT, NOTHING, NO_OUTSIDE },
	{ "a reservation of others goes before outside", FOREIGN_PORT,
	  REFUSED(-EACCES, RESERVED), NO_OUTSIDE },
	{ "a server in a range is told where that is set", OTHERS_PORT,
	  ALLOWED(SERVER_IN_RANGE), WARN_OF_SERVER },
	{ "it is refused where that is set", LISTEN_PORT,
	  REFUSED(-EACCES, SERVER_IN_RANGE), NO_SERVER },
	{ "a server elsewhere is not", PLAIN_PORT, NOTHING, NO_SERVER },
	{ "nor is one on its own port", OWN_PORT, NOTHING, NO_SERVER },
	{ "observing refuses no reserved port, but tells", FOREIGN_PORT,
	  OBSERVED(RESERVED), OBSERVE },
	{ "observing refuses nothing outside, but tells", PLAIN_PORT,
	  OBSERVED(OUTSIDE), OBSERVE },
	{ "observing refuses no server, but tells", LISTEN_PORT,
	  OBSERVED(SERVER_IN_RANGE), OBSERVE },
	{ "a warning stays one while observing", LISTEN_PORT,
	  ALLOWED(SERVER_IN_RANGE), WARN_OF_SERVER, SET(MODE, MODE_OBSERVE) },
	{ "a connect to itself is refused as with nobody listening", 0,
	  REFUSED(-ECONNREFUSED, SELF_CONNECT), DEFAULTS },
	{ "it may be allowed", 0, NOTHING,
	  SET(SELF_CONNECT, SELF_CONNECT_ALLOW) },
	{ "observing refuses no connect to itself, but tells", 0,
	  OBSERVED(SELF_CONNECT), OBSERVE },
};

/* One event, and one count of it; or none. */
static void assert_told(const char *what, const struct told *told,
			enum event_call call, enum protocol protocol,
			uint32_t port)
{
	struct event event;

	if (told->kind == N_EVENT_KINDS) {
		assert_nothing_told(what);
		return;
	}
	cr_assert_eq(event_end(&process.map), 1, "%s", what);
	cr_assert(event_get(&process.map, 0, &event));
	cr_expect_eq(event.kind, told->kind, "%s", what);
	cr_expect_eq(event.verdict, told->verdict, "%s", what);
	cr_expect_eq(event.call, call, "%s", what);
	cr_expect_eq(event.protocol, protocol, "%s", what);
	cr_expect_eq(event.address.port, port, "%s", what);
	cr_expect_eq(event.pid, (uint32_t)getpid());
	cr_expect_str_eq(event.program, "redis-server");
	cr_expect_str_eq(event.rule, "default");
	cr_expect_gt(event.time_ns, UINT64_C(1600000000000000000));
	assert_counted(told->counter, 1);
}

Test(refusal, each_call_is_refused_or_passes_and_is_told)
{
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const uint32_t port = cases[i].port;
		const struct told *told = &cases[i].told;
		int result;

		teardown();
		setup();
		for (int setting = 0; setting < N_SETTINGS; setting++)
			if (cases[i].settings[setting] > 0)
				policy.settings[setting] =
					cases[i].settings[setting] - 1;
		result = port == 0 ? connect_to_itself() : bind_tcp(port);
		cr_assert_eq(result, told->result, "%s: %d", cases[i].sentence,
			     result);
		assert_told(cases[i].sentence, told,
			    port == 0 ? CALL_CONNECT : CALL_BIND, PROTOCOL_TCP,
			    port == 0 ? CONNECT_PORT : port);
	}
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
	assert_nothing_told("");
	cr_assert_eq(bind_in(PROTOCOL_SCTP, FOREIGN_PORT), -EACCES);
}

Test(refusal, without_any_sets_everything_passes)
{
	for (int protocol = 0; protocol < N_PROTOCOLS; protocol++)
		policy.owned[protocol] = policy.refused[protocol] =
			policy.dynamic[protocol] = NULL;
	policy.settings[SETTING_SERVER_IN_RANGE] = SERVER_REFUSE;
	cr_assert_eq(bind_tcp(FOREIGN_PORT), 0);
	cr_assert_eq(bind_tcp(CONNECT_PORT), 0);
	assert_nothing_told("");
}

Test(refusal, a_port_that_rests_was_handed_on)
{
	policy.settings[SETTING_SERVER_IN_RANGE] = SERVER_REFUSE;
	ledger_rest(&process.map, PROTOCOL_TCP, LISTEN_PORT, clock_now_ms());
	cr_assert_eq(bind_tcp(LISTEN_PORT), 0);
	assert_nothing_told("");
	cr_assert_eq(bind_tcp(LISTEN_PORT + 1), -EACCES);
	cr_assert_eq(bind_in(PROTOCOL_UDP, LISTEN_PORT), -EACCES);
	/* One that rests no more is one like others. */
	map_set_rest(&process.map, 1);
	ledger_rest(&process.map, PROTOCOL_TCP, LISTEN_PORT + 2,
		    clock_now_ms() - 1000);
	cr_assert_eq(bind_tcp(LISTEN_PORT + 2), -EACCES);
}

Test(refusal, a_port_that_is_leased_is_shared)
{
	static const enum use uses[] = { USE_WHOLE, USE_BOUND, USE_CONNECT };

	policy.settings[SETTING_SERVER_IN_RANGE] = SERVER_REFUSE;
	for (uint16_t i = 0; i < 3; i++) {
		const struct lease lease = {
			.protocol = PROTOCOL_TCP,
			.use = uses[i],
			.port = (uint16_t)(LISTEN_PORT + i),
			.plane = i,
		};

		cr_assert_eq(ledger_lease(&process.map, &lease), 0);
		cr_assert_eq(bind_tcp(lease.port), 0);
		assert_nothing_told("");
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

static int send_without_map(void)
{
	return refusal_without_map(&process, &policy, CALL_SEND, PROTOCOL_UDP);
}

/* What a send is told without the map, or the policy, that it is to follow. */
Test(refusal, without_map_or_policy_it_is_refused_where_that_is_set)
{
	static const struct {
		int error; /* of the shared map */
		bool is_guess;
		enum mode mode;
		enum on_error on_error;
		struct told told;
	} lacks[] = {
		{ 0, false, MODE_ENFORCE, ON_ERROR_REFUSE, NOTHING },
		{ -ENOSPC, false, MODE_ENFORCE, ON_ERROR_PRIVATE, NOTHING },
		{ -ENOSPC, false, MODE_ENFORCE, ON_ERROR_REFUSE,
		  REFUSED(-EACCES, NO_MAP) },
		{ -ENOSPC, false, MODE_OBSERVE, ON_ERROR_REFUSE,
		  OBSERVED(NO_MAP) },
		{ 0, true, MODE_ENFORCE, ON_ERROR_PRIVATE, NOTHING },
		{ 0, true, MODE_ENFORCE, ON_ERROR_REFUSE,
		  REFUSED(-EACCES, BAD_POLICY) },
	};

	for (size_t i = 0; i < sizeof(lacks) / sizeof(lacks[0]); i++) {
		teardown();
		setup();
		process.map.shared_error = lacks[i].error;
		policy.is_guess = lacks[i].is_guess;
		set_strict(lacks[i].mode);
		policy.settings[SETTING_ON_ERROR] = (uint8_t)lacks[i].on_error;
		cr_assert_eq(send_without_map(), lacks[i].told.result, "%zu",
			     i);
		assert_told("without a map", &lacks[i].told, CALL_SEND,
			    PROTOCOL_UDP, 0);
	}
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
