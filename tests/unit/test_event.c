/* SPDX-License-Identifier: MIT */
#include "map/event.h"

#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "map_here.h"

TestSuite(event, .init = open_map_here, .fini = close_map_here);

/* 0.0.0.0:8020, which redis-server may not bind. */
static struct event sample(void)
{
	return (struct event){
		.time_ns = UINT64_C(1700000000123456789),
		.pid = 712,
		.kind = EVENT_RESERVED,
		.verdict = EVENT_REFUSED,
		.call = CALL_BIND,
		.protocol = PROTOCOL_TCP,
		.address = {
			.address = { [10] = 0xff, [11] = 0xff },
			.port = 8020, .family = AF_INET,
		},
		.program = "redis-server",
		.rule = "default",
	};
}

static void put_numbered(uint32_t first, uint32_t end)
{
	for (uint32_t i = first; i < end; i++) {
		struct event event = sample();

		event.pid = i;
		event_put(&map, &event);
	}
}

static struct event_slot *slot_of(uint64_t index)
{
	return &map.memory->event.slots[index % N_EVENTS];
}

Test(event, what_is_put_is_got)
{
	const struct event event = sample();
	struct event got;

	cr_assert_eq(event_end(&map), 0);
	cr_assert_eq(event_begin(&map), 0);
	cr_assert_not(event_get(&map, 0, &got));
	event_put(&map, &event);
	cr_assert_eq(event_end(&map), 1);
	cr_assert_eq(event_begin(&map), 0);
	memset(&got, 0xa5, sizeof(got));
	cr_assert(event_get(&map, 0, &got));
	cr_assert_eq(memcmp(&got, &event, sizeof(got)), 0);
	cr_assert_not(event_get(&map, 1, &got));
}

Test(event, a_full_ring_keeps_the_last)
{
	struct event event;

	put_numbered(0, N_EVENTS);
	cr_assert_eq(event_begin(&map), 0);
	cr_assert(event_get(&map, 0, &event));
	put_numbered(N_EVENTS, 2 * N_EVENTS + 100);
	cr_assert_eq(event_end(&map), 2 * N_EVENTS + 100);
	cr_assert_eq(event_begin(&map), N_EVENTS + 100);
	for (uint64_t i = 0; i < N_EVENTS + 100; i++)
		cr_assert_not(event_get(&map, i, &event), "%d", (int)i);
	for (uint64_t i = event_begin(&map); i < event_end(&map); i++) {
		cr_assert(event_get(&map, i, &event));
		cr_assert_eq(event.pid, i);
	}
	cr_assert_not(event_get(&map, event_end(&map), &event));
	cr_assert_not(event_get(&map, UINT64_MAX - 1, &event));
}

Test(event, without_a_map_nothing_is_put_or_got)
{
	const struct map none = { .memory = NULL };
	const struct event event = sample();
	struct event got;

	event_put(&none, &event);
	cr_assert_eq(event_end(&none), 0);
	cr_assert_eq(event_begin(&none), 0);
	cr_assert_not(event_get(&none, 0, &got));
}

Test(event, an_entry_that_was_never_completed_is_passed_over)
{
	struct event event;

	put_numbered(0, 3);
	/* A writer died while it wrote, and one before it did. */
	store_release_u64(&slot_of(1)->sequence, 0);
	add_relaxed_u64(&map.memory->event.end, 1);
	put_numbered(4, 5);
	cr_assert_eq(event_end(&map), 5);
	cr_expect(event_get(&map, 0, &event));
	cr_expect_not(event_get(&map, 1, &event));
	cr_expect(event_get(&map, 2, &event));
	cr_expect_not(event_get(&map, 3, &event));
	cr_expect(event_get(&map, 4, &event));
	cr_expect_eq(event.pid, 4);
}

Test(event, an_old_entry_is_not_taken_for_the_one_that_died_in_its_place)
{
	struct event event;

	put_numbered(0, N_EVENTS);
	add_relaxed_u64(&map.memory->event.end, 1);
	cr_expect_eq(event_begin(&map), 1);
	cr_expect_not(event_get(&map, N_EVENTS, &event));
	cr_expect(event_get(&map, 1, &event));
}

/* Whether an event is got that differs from the sample in so many bytes. */
static bool is_got(size_t offset, const void *bytes, size_t n_bytes)
{
	struct event event = sample(), got;

	memcpy((char *)&event + offset, bytes, n_bytes);
	store_relaxed_u64(&map.memory->event.end, 0);
	event_put(&map, &event);
	return event_get(&map, 0, &got);
}

Test(event, numbers_out_of_range_are_rejected)
{
	static const struct {
		size_t offset;
		int n;
	} enums[] = {
		{ offsetof(struct event, kind), N_EVENT_KINDS },
		{ offsetof(struct event, verdict), N_EVENT_VERDICTS },
		{ offsetof(struct event, call), N_EVENT_CALLS },
		{ offsetof(struct event, protocol), N_PROTOCOLS },
	};

	for (size_t i = 0; i < 4; i++)
		for (int value = 0; value < 256; value++)
			cr_assert_eq(is_got(enums[i].offset,
					    &(uint8_t){ (uint8_t)value }, 1),
				     value < enums[i].n, "%d: %d", (int)i,
				     value);
	for (int family = 0; family < 65536; family++)
		cr_assert_eq(is_got(offsetof(struct event, address.family),
				    &(uint16_t){ (uint16_t)family }, 2),
			     family == AF_INET || family == AF_INET6);
}

Test(event, texts_are_terminated_and_without_control_characters)
{
	struct event event = sample(), got;

	memset(event.program, 'p', sizeof(event.program));
	memset(event.rule, 'r', sizeof(event.rule));
	memcpy(event.program, "a\n\x1b\x7f\t\x01", 6);
	memcpy(event.rule, "\r \xc3\xa9", 4);
	event_put(&map, &event);
	cr_assert(event_get(&map, 0, &got));
	cr_assert_eq(strnlen(got.program, sizeof(got.program)),
		     EVENT_NAME_SIZE - 1);
	cr_assert_eq(strnlen(got.rule, sizeof(got.rule)), EVENT_RULE_SIZE - 1);
	cr_assert_eq(strncmp(got.program, "a?????ppp", 9), 0, "%s",
		     got.program);
	cr_assert_eq(strncmp(got.rule, "? \xc3\xa9rrr", 7), 0, "%s", got.rule);
}

static bool is_one_plain_line(const char *text, size_t size)
{
	const size_t length = strnlen(text, size);

	for (size_t i = 0; i < length; i++)
		if ((unsigned char)text[i] < ' ' || text[i] == '\x7f')
			return false;
	return length > 0 && length < size;
}

Test(event, random_bytes_are_rejected_or_harmless)
{
	unsigned char *bytes = (unsigned char *)&map.memory->event;
	char text[EVENT_TEXT_SIZE];
	struct event event;
	int n_got = 0;

	srand(1);
	for (size_t i = 0; i < sizeof(map.memory->event); i++)
		bytes[i] = (unsigned char)rand();
	for (uint64_t i = event_begin(&map); i < event_end(&map); i++)
		cr_assert_not(event_get(&map, i, &event));
	/* Complete, and likely in range: else hardly any would be got. */
	for (uint64_t i = 0; i < N_EVENTS; i++) {
		struct event inside;

		memcpy(&inside, slot_of(i)->words, sizeof(inside));
		inside.kind %= N_EVENT_KINDS + 1;
		inside.verdict %= N_EVENT_VERDICTS + 1;
		inside.call %= N_EVENT_CALLS + 1;
		inside.protocol %= N_PROTOCOLS + 1;
		inside.address.family = i % 2 == 0 ? AF_INET : AF_INET6;
		event_put(&map, &inside);
		if (!event_get(&map, event_end(&map) - 1, &event))
			continue;
		n_got++;
		memset(text, '\n', sizeof(text));
		event_text(&event, text);
		cr_assert(is_one_plain_line(text, sizeof(text)), "%s", text);
	}
	cr_assert_gt(n_got, 1000);
	cr_assert_lt(n_got, 4000);
}

Test(event, many_writers_lose_none)
{
	enum { N_WRITERS = 4, N_EACH = 1000 };
	static bool found[N_WRITERS * N_EACH];
	struct event event;

	for (uint32_t i = 0; i < N_WRITERS; i++)
		if (fork() == 0) {
			put_numbered(i * N_EACH, (i + 1) * N_EACH);
			_exit(0);
		}
	for (int i = 0; i < N_WRITERS; i++)
		wait(NULL);
	cr_assert_eq(event_end(&map), N_WRITERS * N_EACH);
	for (uint64_t i = 0; i < N_WRITERS * N_EACH; i++) {
		cr_assert(event_get(&map, i, &event));
		cr_assert_lt(event.pid, N_WRITERS * N_EACH);
		cr_assert_not(found[event.pid]);
		found[event.pid] = true;
	}
}

#define ASSERT_NAMES_DIFFER(name, type, n) \
	for (int i = 0; i < (n); i++) { \
		cr_assert_str_not_empty(name((enum type)i)); \
		for (int j = 0; j < i; j++) \
			cr_assert_str_neq(name((enum type)i), \
					  name((enum type)j)); \
	}

Test(event, every_number_has_a_name_of_its_own)
{
	ASSERT_NAMES_DIFFER(event_kind_name, event_kind, N_EVENT_KINDS);
	ASSERT_NAMES_DIFFER(event_verdict_name, event_verdict,
			    N_EVENT_VERDICTS);
	ASSERT_NAMES_DIFFER(event_call_name, event_call, N_EVENT_CALLS);
	cr_expect_str_eq(event_kind_name(EVENT_RESERVED), "reserved");
	cr_expect_str_eq(event_verdict_name(EVENT_REFUSED), "refused");
	cr_expect_str_eq(event_call_name(CALL_BIND), "bind");
	cr_expect_str_eq(event_call_name(CALL_NONE), "-");
}

/* As it is told before and after the reason. */
static void assert_told(enum event_verdict verdict, enum event_call call,
			enum protocol protocol, struct endpoint address,
			const char *begin, const char *end)
{
	struct event event = sample();
	char text[EVENT_TEXT_SIZE], first[EVENT_TEXT_SIZE];

	event.verdict = (uint8_t)verdict;
	event.call = (uint8_t)call;
	event.protocol = (uint8_t)protocol;
	event.address = address;
	snprintf(first, sizeof(first), "redis-server[712]: %s", begin);
	event_text(&event, text);
	cr_assert_eq(strncmp(text, first, strlen(first)), 0, "%s", text);
	cr_assert_str_eq(text + strlen(text) - strlen(end), end, "%s", text);
	cr_assert_gt(strlen(text), strlen(first) + strlen(end));
}

Test(event, a_text_tells_who_did_what_and_under_which_rule)
{
	const struct endpoint six = {
		.address = { 0x20, 0x01, 0x0d, 0xb8, [15] = 1 },
		.port = 53,
		.family = AF_INET6,
	};
	struct endpoint four = sample().address;

	assert_told(EVENT_REFUSED, CALL_BIND, PROTOCOL_TCP, four,
		    "bind to 0.0.0.0:8020/tcp refused: ",
		    "reserved for others; rule \"default\"");
	assert_told(EVENT_ALLOWED, CALL_LISTEN, PROTOCOL_SCTP, four,
		    "listen on 0.0.0.0:8020/sctp: ", "; rule \"default\"");
	assert_told(EVENT_OBSERVED, CALL_SEND, PROTOCOL_UDPLITE, six,
		    "send to [2001:db8::1]:53/udplite observed", "\"default\"");
	assert_told(EVENT_OBSERVED, CALL_CONNECT, PROTOCOL_UDP, six,
		    "connect to [2001:db8::1]:53/udp observed", "\"default\"");
	/* An address of nothing is left out. */
	four.port = 0;
	assert_told(EVENT_REFUSED, CALL_LISTEN, PROTOCOL_TCP, four,
		    "listen of tcp refused: ", "; rule \"default\"");
	four.address[15] = 1;
	assert_told(EVENT_REFUSED, CALL_LISTEN, PROTOCOL_TCP, four,
		    "listen on 0.0.0.1:0/tcp refused: ", "; rule \"default\"");
}

Test(event, a_text_without_a_call_has_no_address)
{
	struct event event = sample();
	char text[EVENT_TEXT_SIZE];

	event.kind = EVENT_BAD_POLICY;
	event.pid = UINT32_MAX;
	event.verdict = EVENT_ALLOWED;
	event.call = CALL_NONE;
	event_text(&event, text);
	cr_assert_null(strstr(text, "0.0.0.0"), "%s", text);
	cr_assert_null(strstr(text, "8020"), "%s", text);
	cr_assert_not_null(strstr(text,
				  "redis-server[4294967295]: bad-policy: "),
			   "%s", text);
}

/* The longest of everything. */
static struct event longest(void)
{
	struct event event = sample();

	event.pid = UINT32_MAX;
	memset(event.program, 'p', sizeof(event.program) - 1);
	memset(event.rule, 'r', sizeof(event.rule) - 1);
	memset(&event.address, 0xff, sizeof(event.address));
	event.address.family = AF_INET6;
	return event;
}

Test(event, every_combination_has_a_text_of_its_own_that_fits)
{
	enum { N = N_EVENT_KINDS * N_EVENT_VERDICTS * N_EVENT_CALLS };
	static char texts[N][EVENT_TEXT_SIZE];
	struct event event = longest();

	event.protocol = PROTOCOL_UDPLITE;
	for (int i = 0; i < N; i++) {
		event.kind = (uint8_t)(i % N_EVENT_KINDS);
		event.verdict = (uint8_t)(i / N_EVENT_KINDS % N_EVENT_VERDICTS);
		event.call = (uint8_t)(i / N_EVENT_KINDS / N_EVENT_VERDICTS);
		memset(texts[i], '\n', sizeof(texts[i]));
		event_text(&event, texts[i]);
		cr_assert(is_one_plain_line(texts[i], sizeof(texts[i])));
		cr_assert_str_eq(texts[i] + strlen(texts[i]) - 3, "rr\"",
				 "cut: %s", texts[i]);
		cr_assert_null(strstr(texts[i], "(null)"));
		for (int j = 0; j < i; j++)
			cr_assert_str_neq(texts[i], texts[j]);
	}
}
