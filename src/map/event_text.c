/* SPDX-License-Identifier: MIT */
#include "map/event_text.h"

#include <stddef.h>
#include <stdint.h>

#include "base/text.h"
#include "map/event.h"

#define N_GROUPS 8

static uint32_t group(const struct endpoint *endpoint, size_t i)
{
	return (uint32_t)endpoint->address[2 * i] << 8 |
	       endpoint->address[2 * i + 1];
}

/* The first longest run of zero groups of two or more: RFC 5952 section 4.2. */
static void find_zeros(const struct endpoint *endpoint, int *beginp, int *np)
{
	*beginp = N_GROUPS;
	*np = 1;
	for (int i = 0; i < N_GROUPS; i++) {
		int n = 0;

		while (i + n < N_GROUPS && group(endpoint, (size_t)i + (size_t)n) == 0)
			n++;
		if (n > *np) {
			*beginp = i;
			*np = n;
		}
	}
}

static void put_ipv6(struct text *text, const struct endpoint *endpoint)
{
	int begin, n;

	find_zeros(endpoint, &begin, &n);
	for (int i = 0; i < N_GROUPS; i++) {
		if (i == begin) {
			text_put(text, "::");
			i += n - 1;
			continue;
		}
		if (i > 0 && i != begin + n)
			text_put_char(text, ':');
		text_put_hex(text, group(endpoint, (size_t)i));
	}
	if (endpoint->scope != 0) {
		text_put_char(text, '%');
		text_put_number(text, endpoint->scope);
	}
}

static void put_endpoint(struct text *text, const struct endpoint *endpoint)
{
	if (endpoint_is_ipv4(endpoint)) {
		for (int i = 12; i < 16; i++) {
			if (i > 12)
				text_put_char(text, '.');
			text_put_number(text, endpoint->address[i]);
		}
	} else {
		text_put_char(text, '[');
		put_ipv6(text, endpoint);
		text_put_char(text, ']');
	}
	text_put_char(text, ':');
	text_put_number(text, endpoint->port);
}

void endpoint_text(const struct endpoint *endpoint,
		   char buffer[ENDPOINT_TEXT_SIZE])
{
	struct text text = { buffer, ENDPOINT_TEXT_SIZE, 0 };

	put_endpoint(&text, endpoint);
	text_end(&text);
}

static const char *reason(enum event_kind kind)
{
	static const char *const reasons[N_EVENT_KINDS] = {
		[EVENT_RESERVED] = "the port is reserved for others",
		[EVENT_SERVER_IN_RANGE] = "the port is in a range that is "
					  "assigned from",
		[EVENT_OUTSIDE] = "the port is outside the program's range",
		[EVENT_SELF_CONNECT] = "the socket would connect to itself",
		[EVENT_EXHAUSTED] = "no port of the range is left",
		[EVENT_NO_MAP] = "there is no shared map",
		[EVENT_PIN_IGNORED] = "the kernel chose a port outside the "
				      "range, though pinned: "
				      "ip_local_port_range has changed",
		[EVENT_UNCOVERED] = "the kernel chose a port outside the range",
		[EVENT_BAD_POLICY] = "the policy in force, or the environment, "
				     "cannot be followed",
	};

	return reasons[kind];
}

static const char *verdict(enum event_verdict verdict)
{
	static const char *const words[N_EVENT_VERDICTS] = {
		[EVENT_REFUSED] = " refused: ",
		[EVENT_ALLOWED] = ": ",
		[EVENT_OBSERVED] = " observed only: ",
	};

	return words[verdict];
}

/* That of a listen() or a first send is often none. */
static void put_address(struct text *text, const struct event *event)
{
	const struct endpoint *address = &event->address;

	if (address->port == 0 && endpoint_is_wildcard(address)) {
		text_put(text, " of ");
	} else {
		text_put(text, event->call == CALL_LISTEN ? " on " : " to ");
		put_endpoint(text, address);
		text_put_char(text, '/');
	}
	text_put(text, protocol_name(event->protocol));
}

void event_text(const struct event *event, char buffer[EVENT_TEXT_SIZE])
{
	struct text text = { buffer, EVENT_TEXT_SIZE, 0 };

	text_put_printable(&text, event->program, sizeof(event->program));
	text_put_char(&text, '[');
	text_put_number(&text, event->pid);
	text_put(&text, "]: ");
	if (event->call != CALL_NONE) {
		text_put(&text, event_call_name(event->call));
		put_address(&text, event);
	} else {
		text_put(&text, event_kind_name(event->kind));
	}
	text_put(&text, verdict(event->verdict));
	text_put(&text, reason(event->kind));
	text_put(&text, "; rule \"");
	text_put_printable(&text, event->rule, sizeof(event->rule));
	text_put_char(&text, '"');
	text_end(&text);
}
