/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The words behind the name of a step: numbers and addresses, in the forms that
 * play.c describes. A word that cannot be read ends the program.
 */

#include "probe.h"

/* An address as it is handed to a call. */
struct place {
	struct address address;
	const void *pointer;
	socklen_t length;
	char odd[sizeof(struct address) + 1];
};

/* Memory that a step has filled, and may have unmapped: the address "kept". */
extern char *kept_page;

/* Reads words that are separated by spaces. text is changed, and has to live
 * until the next call. NULL: no words. */
void words_read(char *text);

int words_count(void);

/* The word at i, from 0; "" where there is none. */
const char *word(int i);

/* The word as a number; 0 where there is none. */
long number(int i);

bool is_address(int i);
const struct place *place_at(int i);

/* The address in a word that belongs to no step. */
struct address address_of_word(const char *text);

/* Ends the program. */
_Noreturn void refuse_word(const char *what, const char *word);
