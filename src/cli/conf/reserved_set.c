/* SPDX-License-Identifier: MIT */
#include "cli/conf/reserved_set.h"

#include <stdint.h>
#include <string.h>

#include "base/port_set.h"
#include "kernel/kernel.h"

#define N_ELEMENTS(array) (sizeof(array) / sizeof((array)[0]))

/* https://fetch.spec.whatwg.org/#bad-port, without 0. */
static const uint16_t browser_blocked[] = {
	1, 7, 9, 11, 13, 15, 17, 19, 20, 21, 22, 23, 25, 37, 42, 43, 53, 69, 77,
	79, 87, 95, 101, 102, 103, 104, 109, 110, 111, 113, 115, 117, 119, 123,
	135, 137, 139, 143, 161, 179, 389, 427, 465, 512, 513, 514, 515, 526,
	530, 531, 532, 540, 548, 554, 556, 563, 587, 601, 636, 989, 990, 993,
	995, 1719, 1720, 1723, 2049, 3659, 4045, 4190, 5060, 5061, 6000, 6566,
	6665, 6666, 6667, 6668, 6669, 6679, 6697, 10080,
};

enum reserved {
	RESERVED_SYSTEM,
	RESERVED_REGISTERED,
	RESERVED_NODEPORT,
	RESERVED_BROWSER_BLOCKED,
	RESERVED_KERNEL,
	RESERVED_SERVICES,
};

static const char *const names[] = {
	[RESERVED_SYSTEM] = "system",
	[RESERVED_REGISTERED] = "registered",
	[RESERVED_NODEPORT] = "nodeport",
	[RESERVED_BROWSER_BLOCKED] = "browser-blocked",
	[RESERVED_KERNEL] = "kernel",
	[RESERVED_SERVICES] = "services",
};

static void add_interval(struct port_set *set, uint32_t lo, uint32_t hi)
{
	if (set != NULL)
		port_set_add(set, lo, hi);
}

static void add_set(struct port_set *set, const struct port_set *other)
{
	for (uint32_t i = 0; set != NULL && i < N_PORT_WORDS; i++)
		set->words[i] |= other->words[i];
}

static const char *add_reserved(const struct reserved_sources *sources,
				enum reserved reserved, struct port_set *set)
{
	switch (reserved) {
	case RESERVED_SYSTEM:
		add_interval(set, 1, 1023);
		break;
	case RESERVED_REGISTERED:
		add_interval(set, 1024, 49151);
		break;
	case RESERVED_NODEPORT:
		add_interval(set, 30000, 32767);
		break;
	case RESERVED_BROWSER_BLOCKED:
		for (size_t i = 0; i < N_ELEMENTS(browser_blocked); i++)
			add_interval(set, browser_blocked[i],
				     browser_blocked[i]);
		break;
	case RESERVED_KERNEL:
		if (sources->kernel == NULL || !sources->kernel->reserved_known)
			return "is not known here: ip_local_reserved_ports "
			       "cannot be read";
		add_set(set, &sources->kernel->reserved);
		break;
	case RESERVED_SERVICES:
		if (sources->services == NULL)
			return "is for berth.conf only";
		add_set(set, sources->services);
		break;
	}
	return NULL;
}

static const char *add_name(const void *context, const char *name,
			    size_t length, struct port_set *set)
{
	for (size_t i = 0; i < N_ELEMENTS(names); i++)
		if (strlen(names[i]) == length &&
		    memcmp(names[i], name, length) == 0)
			return add_reserved(context, (enum reserved)i, set);
	return "is not a port, a range lo-hi or a set that can be reserved";
}

int reserved_set_parse(const char *text, const struct reserved_sources *sources,
		       struct port_set *set, struct range_error *errorp)
{
	const struct range_names set_names = { add_name, sources };

	return range_text_parse_names(text, &set_names, set, errorp);
}
