/* SPDX-License-Identifier: MIT */
#include "map/event.h"

#include <netinet/in.h>
#include <string.h>

#include "base/text.h"
#include "map/layout.h"
#include "map/map.h"

#define N_EVENT_WORDS (sizeof(struct event) / sizeof(uint64_t))

struct wording {
	const char *name;
	const char *text; /* in a line, see event_text() */
};

static const struct wording kinds[N_EVENT_KINDS] = {
	[EVENT_RESERVED] = { "reserved", "the port is reserved for others" },
	[EVENT_SERVER_IN_RANGE] = { "server-in-range",
				    "some rule assigns the port" },
	[EVENT_OUTSIDE] = { "outside",
			    "the port is outside the program's range" },
	[EVENT_SELF_CONNECT] = { "self-connect",
				 "the socket would connect to itself" },
	[EVENT_EXHAUSTED] = { "exhausted", "no port of the range is left" },
	[EVENT_NO_MAP] = { "no-map", "there is no shared map" },
	[EVENT_PIN_IGNORED] = { "pin-ignored",
				"the kernel chose a port outside the range, though pinned: "
				"ip_local_port_range has changed" },
	[EVENT_UNCOVERED] = { "uncovered",
			      "the kernel chose a port outside the range" },
	[EVENT_BAD_POLICY] = { "bad-policy",
			       "the policy in force, or the environment, cannot be followed" },
};

static const struct wording verdicts[N_EVENT_VERDICTS] = {
	[EVENT_REFUSED] = { "refused", " refused: " },
	[EVENT_ALLOWED] = { "allowed", ": " },
	[EVENT_OBSERVED] = { "observed", " observed only: " },
};

const char *event_kind_name(enum event_kind kind)
{
	return kinds[kind].name;
}

const char *event_verdict_name(enum event_verdict verdict)
{
	return verdicts[verdict].name;
}

const char *event_call_name(enum event_call call)
{
	static const char *const names[N_EVENT_CALLS] = {
		[CALL_BIND] = "bind",	  [CALL_CONNECT] = "connect",
		[CALL_LISTEN] = "listen", [CALL_SEND] = "send",
		[CALL_NONE] = "-",
	};

	return names[call];
}

/*
 * An entry's sequence: its number plus 1 in the low half, the sum of its words
 * in the high half. A writer that is stopped for a whole round of the ring and
 * then goes on writes into an entry of another writer: the sum shows that.
 */
static uint64_t sequence_of(uint64_t number,
			    const uint64_t words[N_EVENT_WORDS])
{
	uint64_t sum = 0;

	for (size_t i = 0; i < N_EVENT_WORDS; i++) {
		/* An odd number of many bits: 2^64 over the golden ratio. */
		sum = (sum ^ words[i]) * UINT64_C(0x9e3779b97f4a7c15);
		sum ^= sum >> 32;
	}
	return sum << 32 | (uint32_t)(number + 1);
}

void event_put(const struct map *map, const struct event *event)
{
	if (map->memory == NULL)
		return;

	struct event_memory *memory = &map->memory->event;
	/* Relaxed: gives each writer a number of its own, orders nothing. */
	const uint64_t number = add_relaxed_u64(&memory->end, 1);
	struct event_slot *slot = &memory->slots[number % N_EVENTS];
	uint64_t words[N_EVENT_WORDS];

	memcpy(words, event, sizeof(words));
	/* Acq_rel: readers see that it is being written, before any word. */
	swap_acq_rel_u64(&slot->sequence, 0);
	for (size_t i = 0; i < N_EVENT_WORDS; i++)
		/* Relaxed: between the two that readers compare. */
		store_relaxed_u64(&slot->words[i], words[i]);
	/* Release: all words, before a reader finds the entry complete. */
	store_release_u64(&slot->sequence, sequence_of(number, words));
}

uint64_t event_end(const struct map *map)
{
	/* Relaxed: a hint; each entry shows by itself whether it is
	 * complete. */
	return map->memory != NULL ? load_relaxed_u64(&map->memory->event.end)
				   : 0;
}

uint64_t event_begin(const struct map *map)
{
	const uint64_t end = event_end(map);

	return end > N_EVENTS ? end - N_EVENTS : 0;
}

static void clean_text(char *text, size_t size)
{
	text[size - 1] = '\0';
	text_make_printable(text);
}

/* Any process may have written any value. */
static bool clean(struct event *event)
{
	if (event->kind >= N_EVENT_KINDS ||
	    event->verdict >= N_EVENT_VERDICTS ||
	    event->call >= N_EVENT_CALLS || event->protocol >= N_PROTOCOLS ||
	    (event->address.family != AF_INET &&
	     event->address.family != AF_INET6))
		return false;
	clean_text(event->program, sizeof(event->program));
	clean_text(event->rule, sizeof(event->rule));
	return true;
}

bool event_get(const struct map *map, uint64_t index, struct event *eventp)
{
	if (map->memory == NULL)
		return false;

	struct event_slot *slot = &map->memory->event.slots[index % N_EVENTS];
	uint64_t words[N_EVENT_WORDS];

	/* Acquire: pairs with the release of the writer, for these words. */
	const uint64_t sequence = load_acquire_u64(&slot->sequence);

	for (size_t i = 0; i < N_EVENT_WORDS; i++)
		/* Acquire: before the sequence is read again. */
		words[i] = load_acquire_u64(&slot->words[i]);
	/* Relaxed: after the words, by their acquire; nothing follows. */
	if (sequence != sequence_of(index, words) ||
	    load_relaxed_u64(&slot->sequence) != sequence)
		return false;
	memcpy(eventp, words, sizeof(words));
	return clean(eventp);
}

/* The address of a listen() or a first send is often empty. */
static void put_address(struct text *text, const struct event *event)
{
	const struct endpoint *address = &event->address;

	if (address->port == 0 && endpoint_is_wildcard(address)) {
		text_put(text, " of ");
	} else {
		text_put(text, event->call == CALL_LISTEN ? " on " : " to ");
		endpoint_put_text(text, address);
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
	text_put(&text, verdicts[event->verdict].text);
	text_put(&text, kinds[event->kind].text);
	text_put(&text, "; rule \"");
	text_put_printable(&text, event->rule, sizeof(event->rule));
	text_put_char(&text, '"');
	text_end(&text);
}
