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

/* Makes the order in the step's way. "text" has the arguments. Returns the
 * result, or -errno. */
long call_order(const struct step *step, struct order *order, const char *text);

/* The call of a step that makes no order: its text and result. */
void call_say(const struct step *step, const char *text, long result);

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
