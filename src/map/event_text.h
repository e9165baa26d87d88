/* SPDX-License-Identifier: MIT */
#pragma once

/* How events read, for people. No heap, no stdio, async-signal-safe. */

struct endpoint;
struct event;

/* Room for any event, and for any address with its port. */
#define EVENT_TEXT_SIZE 256
#define ENDPOINT_TEXT_SIZE 64

/*
 * `redis-server[712]: bind to 0.0.0.0:8020/tcp refused: the port is reserved for
 * others; rule "default"`, without the time; `listen of tcp` without an address.
 */
void event_text(const struct event *event, char text[EVENT_TEXT_SIZE]);

/* `192.0.2.1:80`, `[2001:db8::1]:80` (RFC 5952 section 6), with %scope. */
void endpoint_text(const struct endpoint *endpoint,
		   char text[ENDPOINT_TEXT_SIZE]);
