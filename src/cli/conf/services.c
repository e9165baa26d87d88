/* SPDX-License-Identifier: MIT */
#include "cli/conf/services.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BLANKS " \t\r\n"

static bool is_word(const char *text, size_t length, const char *word)
{
	return strlen(word) == length && memcmp(text, word, length) == 0;
}

/* "http 80/tcp www # World Wide Web" */
static void add_line(const char *line, struct port_set sets[N_PROTOCOLS])
{
	const char *number = line + strcspn(line, BLANKS "#");
	const char *name;
	char *end;
	size_t length;
	unsigned long port;

	number += strspn(number, BLANKS);
	if (*number < '0' || *number > '9')
		return;
	port = strtoul(number, &end, 10);
	if (*end != '/' || port == 0 || port >= N_PORTS)
		return;
	name = end + 1;
	length = strcspn(name, BLANKS "#");
	for (int protocol = 0; protocol < N_PROTOCOLS; protocol++)
		if (is_word(name, length,
			    protocol_name((enum protocol)protocol)))
			port_set_add(&sets[protocol], (uint32_t)port,
				     (uint32_t)port);
	if (is_word(name, length, protocol_name(PROTOCOL_UDP)))
		port_set_add(&sets[PROTOCOL_UDPLITE], (uint32_t)port,
			     (uint32_t)port);
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
