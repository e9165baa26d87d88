/* SPDX-License-Identifier: MIT */
#include "cli/conf/reserved_set.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/kernel.h"

#define N_ELEMENTS(array) (sizeof(array) / sizeof((array)[0]))

/* https://fetch.spec.whatwg.org/#bad-port, without 0. */
/* clang-format off */
static const uint16_t browser_blocked[] = {
	1, 7, 9, 11, 13, 15, 17, 19, 20, 21, 22, 23, 25, 37, 42, 43, 53, 69, 77,
	79, 87, 95, 101, 102, 103, 104, 109, 110, 111, 113, 115, 117, 119, 123,
	135, 137, 139, 143, 161, 179, 389, 427, 465, 512, 513, 514, 515, 526,
	530, 531, 532, 540, 548, 554, 556, 563, 587, 601, 636, 989, 990, 993,
	995, 1719, 1720, 1723, 2049, 3659, 4045, 4190, 5060, 5061, 6000, 6566,
	6665, 6666, 6667, 6668, 6669, 6679, 6697, 10080,
};
/* clang-format on */

static const struct {
	const char *name;
	uint32_t lo, hi;
} intervals[] = {
	{ "system", 1, 1023 },
	{ "registered", 1024, 49151 },
	{ "nodeport", 30000, 32767 },
};

static bool is_word(const char *text, size_t length, const char *word)
{
	return strlen(word) == length && memcmp(text, word, length) == 0;
}

/* Without a set, the name is only checked. */
static const char *add(const void *context, const char *name, size_t length,
		       struct port_set *set)
{
	static struct port_set unused;
	const struct reserved_sources *sources = context;

	if (set == NULL)
		set = &unused;
	for (size_t i = 0; i < N_ELEMENTS(intervals); i++) {
		if (!is_word(name, length, intervals[i].name))
			continue;
		port_set_add(set, intervals[i].lo, intervals[i].hi);
		return NULL;
	}
	if (is_word(name, length, "browser-blocked")) {
		for (size_t i = 0; i < N_ELEMENTS(browser_blocked); i++)
			port_set_add(set, browser_blocked[i],
				     browser_blocked[i]);
	} else if (is_word(name, length, "kernel")) {
		if (sources->kernel == NULL || !sources->kernel->reserved_known)
			return "is not known here: ip_local_reserved_ports "
			       "cannot be read";
		port_set_unite(set, &sources->kernel->reserved);
	} else if (is_word(name, length, "services")) {
		if (sources->services == NULL)
			return "is for berth.conf only";
		port_set_unite(set, sources->services);
	} else {
		return "is not a port, a range lo-hi or a set that can be "
		       "reserved";
	}
	return NULL;
}

int reserved_set_parse(const char *text, const struct reserved_sources *sources,
		       struct port_set *set, struct range_error *errorp)
{
	const struct range_names set_names = { add, sources };

	return range_text_parse_names(text, &set_names, set, errorp);
}

/* --- services(5) ---------------------------------------------------------- */

/* "http 80/tcp www # World Wide Web" */
static void add_line(const char *line, struct port_set sets[N_PROTOCOLS])
{
	char number[6], name[16];
	uint32_t port;

	if (sscanf(line, "%*[^# \t\r\n] %5[0-9]/%15[^# \t\r\n]", number,
		   name) != 2)
		return;
	port = (uint32_t)strtoul(number, NULL, 10);
	if (port == 0 || port >= N_PORTS)
		return;
	for (int protocol = 0; protocol < N_PROTOCOLS; protocol++)
		if (strcmp(name, protocol_name(protocol)) == 0)
			port_set_add(&sets[protocol], port, port);
	if (strcmp(name, protocol_name(PROTOCOL_UDP)) == 0)
		port_set_add(&sets[PROTOCOL_UDPLITE], port, port);
}

int services_read(const char *path, struct port_set sets[N_PROTOCOLS])
{
	FILE *file = fopen(path, "re");
	char *line = NULL;
	size_t size = 0;
	int result = 0;

	memset(sets, 0, N_PROTOCOLS * sizeof(*sets));
	if (file == NULL)
		return -errno;
	while (getline(&line, &size, file) >= 0)
		add_line(line, sets);
	if (ferror(file))
		result = -EIO;
	free(line);
	fclose(file);
	for (int protocol = 0; protocol < N_PROTOCOLS; protocol++)
		port_set_finish(&sets[protocol]);
	return result;
}
