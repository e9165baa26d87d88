/* SPDX-License-Identifier: MIT */
#include "ports.h"

#include <stdio.h>

#include "transcript.h"

#define MAX_SEEN 128
#define N_TEXTS 8

/* The named ports lie below the range of every mode. */
#define NAMED_LOW 1024
#define NAMED_END 32000
#define IN_RANGE_LOW 45000
#define IN_RANGE_END 60999

struct interval {
	uint16_t low, high;
};

static struct interval range;

/* Of the sequence. */
static uint16_t first_named, named_in_range;
static uint16_t seen[MAX_SEEN];
static unsigned int n_seen;
static struct interval allowed;

void ports_set_range(uint16_t low, uint16_t high)
{
	range = (struct interval){ low, high };
}

void ports_begin(uint64_t seed)
{
	first_named = (uint16_t)(NAMED_LOW +
				 seed * N_NAMED % (NAMED_END - NAMED_LOW));
	named_in_range = (uint16_t)(IN_RANGE_LOW +
				    seed % (IN_RANGE_END - IN_RANGE_LOW));
	n_seen = 0;
	allowed = (struct interval){ 0, 0 };
}

uint16_t ports_named(unsigned int i)
{
	return (uint16_t)(first_named + i);
}

uint16_t ports_named_in_range(void)
{
	return named_in_range;
}

void ports_allow(uint16_t low, uint16_t high)
{
	const bool is_first = allowed.high == 0;

	high = high ? high : UINT16_MAX;
	low = low ? low : 1;
	if (is_first || low < allowed.low)
		allowed.low = low;
	if (is_first || high > allowed.high)
		allowed.high = high;
}

static bool is_in(struct interval interval, uint16_t port)
{
	return interval.low <= port && port <= interval.high;
}

/* bindresvport() chooses below 1024 where the range has no such ports. */
static bool is_stray(uint16_t port)
{
	return range.high && !is_in(range, port) && !is_in(allowed, port) &&
	       port >= NAMED_LOW;
}

static unsigned int number_of(uint16_t port)
{
	unsigned int i;

	for (i = 0; i < n_seen; i++)
		if (seen[i] == port)
			return i;
	if (n_seen < MAX_SEEN)
		seen[n_seen++] = port;
	if (is_stray(port))
		transcript->n_strays++;
	return i;
}

const char *ports_symbol(uint16_t port)
{
	static char texts[N_TEXTS][16];
	static unsigned int next;
	char *text = texts[next++ % N_TEXTS];

	if (port == 0)
		return "0";
	if (port == named_in_range)
		return "f";
	if (port >= first_named && port < first_named + N_NAMED)
		snprintf(text, sizeof(texts[0]), "e%d", port - first_named);
	else
		snprintf(text, sizeof(texts[0]), "r%u", number_of(port));
	return text;
}
