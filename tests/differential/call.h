/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The calls of a sequence. Each is made, and written into the transcript: the
 * call with its arguments, a tab, and its result.
 */

#include "address.h"
#include "plan.h"
#include "way.h"

/* Any call: by its kind. */
void call_make(const struct step *step);

/* SYS_bind, say, and its arguments. */
#define ORDER(which, ...) \
	((struct order){ .number = (which), .arguments = { __VA_ARGS__ } })

/* Makes the order in the step's way; the rest are its arguments as text. Returns
 * the result, or -errno. */
__attribute__((format(printf, 3, 4))) long call_order(const struct step *step,
						      struct order order,
						      const char *format, ...);

/* The result, and the text, of a step that makes no order. */
__attribute__((format(printf, 3, 4))) void call_say(const struct step *step,
						    long result,
						    const char *format, ...);

/* A send without an address, or with a wrong one, may fail and leave a port. */
void call_allow_unseen(const struct step *step, const struct address *address);

/* Calls that send and receive (call_data.c). */
void call_send(const struct step *step);
void call_send_message(const struct step *step);
void call_receive(const struct step *step);

/* Calls that make and close descriptors (call_descriptor.c). */
void call_socket(const struct step *step);
void call_close(const struct step *step);
void call_accept(const struct step *step);
void call_duplicate(const struct step *step);
void call_pass(const struct step *step);
