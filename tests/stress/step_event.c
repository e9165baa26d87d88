/* SPDX-License-Identifier: MIT */
/* The ring of events. */
#include <netinet/in.h>
#include <string.h>

#include "map/event.h"
#include "map/map.h"
#include "step_parts.h"
#include "stepper.h"

/* Every word of it is of its number alone. */
static struct event event_of(uint32_t number)
{
	struct event event = {
		.time_ns = number,
		.pid = number,
		.kind = EVENT_RESERVED,
		.verdict = EVENT_REFUSED,
		.call = CALL_BIND,
		.protocol = PROTOCOL_TCP,
		.address = { .scope = number,
			     .port = (uint16_t)number,
			     .family = AF_INET },
	};

	memset(event.address.address, (int)(number & 255), 16);
	for (size_t i = 0; i < sizeof(event.program) - 1; i++)
		event.program[i] = (char)('a' + (number >> i % 8 * 4 & 15));
	for (size_t i = 0; i < sizeof(event.rule) - 1; i++)
		event.rule[i] = (char)('A' + (number >> i % 8 * 4 & 15));
	return event;
}

static void put_event(void)
{
	const struct event event =
		event_of(1000000 + add_relaxed_u32(&trial->n_taken, 1));

	event_put(operation_map(), &event);
}

void act_event(const struct operation *operation)
{
	const struct event event = event_of(1);

	(void)operation;
	stepped_begin();
	event_put(operation_map(), &event);
	stepped_end();
}

/* The ring once around, and once more into the entry of the stopped one. */
void others_put_events(void)
{
	for (unsigned int i = 0; i < N_EVENTS + 1; i++)
		put_event();
}

/* Whole once more: the trial before has left one that is not. */
void prepare_events(const struct operation *operation)
{
	(void)operation;
	others_put_events();
}

void check_events(const struct operation *operation)
{
	const uint64_t end = event_end(operation_map());
	unsigned int n_missing = 0;

	(void)operation;
	for (uint64_t at = event_begin(operation_map()); at < end; at++) {
		struct event event, whole;

		if (!event_get(operation_map(), at, &event)) {
			n_missing++;
			continue;
		}
		whole = event_of(event.pid);
		if (memcmp(&whole, &event, sizeof(whole)) != 0)
			fail("event %llu is of two: pid %u, rule %s",
			     (unsigned long long)at, event.pid, event.rule);
	}
	if (n_missing > 1)
		fail("%u events are missing", n_missing);
}
