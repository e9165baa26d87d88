/* SPDX-License-Identifier: MIT */
#include "cli/explain.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/commands.h"
#include "cli/message.h"
#include "cli/netns.h"
#include "map/place.h"

static const char usage[] =
	"Usage: berth explain [OPTION...] [NUMBER... | -- COMMAND]\n"
	"\n"
	"Tells which rule of the policy in force applies, and why the others do\n"
	"not: to the process NUMBER, to COMMAND if it were started from here, or\n"
	"without either to a program of this environment. Of a port NUMBER: in\n"
	"which ranges and reservations it lies, who holds it, and whether it would\n"
	"be given out now. A NUMBER that is both is explained as both.\n"
	"\n"
	"  --pid N      N is a process\n"
	"  --port N     N is a port\n"
	"  --porcelain  tab-separated records, see berth(1)\n"
	"  --json       one JSON object\n";

/* What is to be explained. */
struct request {
	long pid, port;		/* -1 = none */
	const char *command;
	bool help;
	enum output_format format;
};

static bool read_number(const char *word, long max, long *numberp)
{
	char *end;

	if (word == NULL || *word < '0' || *word > '9')
		return false;
	errno = 0;
	*numberp = strtol(word, &end, 10);
	return errno == 0 && *end == '\0' && *numberp >= 1 && *numberp <= max;
}

static int refuse(const char *word, const char *reason)
{
	message("berth explain: \"%s\" %s; see berth explain --help\n",
		word, reason);
	return -EINVAL;
}

static bool is_process(long number)
{
	return kill((pid_t)number, 0) == 0 || errno == EPERM;
}

/* A number by itself may be a process, a port, or both. */
static int read_bare(const char *word, struct request *request)
{
	long number;

	if (!read_number(word, INT32_MAX, &number))
		return refuse(word, "is no number of a process or port; a "
			      "COMMAND goes behind --");
	if (is_process(number))
		request->pid = number;
	if (number < (long)N_PORTS)
		request->port = number;
	return request->pid < 0 && request->port < 0
		? refuse(word, "is no process, and too large for a port") : 0;
}

/* Returns the words taken, or -EINVAL for a mistake, which is said. */
static int read_option(char *argv[], struct request *request)
{
	const char *word = argv[0];

	if (strcmp(word, "--pid") == 0)
		return read_number(argv[1], INT32_MAX, &request->pid)
			? 2 : refuse(argv[1] != NULL ? argv[1] : word,
				     "is no number of a process");
	if (strcmp(word, "--port") == 0)
		return read_number(argv[1], N_PORTS - 1, &request->port)
			? 2 : refuse(argv[1] != NULL ? argv[1] : word,
				     "is no port");
	if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0)
		request->help = true;
	else if (strcmp(word, "--porcelain") == 0)
		request->format = OUTPUT_PORCELAIN;
	else if (strcmp(word, "--json") == 0)
		request->format = OUTPUT_JSON;
	else
		return refuse(word, "is no option");
	return 1;
}

static int read_request(char *argv[], struct request *request)
{
	*request = (struct request){ .pid = -1, .port = -1 };
	argv++;
	while (*argv != NULL && !request->help) {
		int n = 1;

		if (strcmp(*argv, "--") == 0) {
			request->command = argv[1];
			return argv[1] != NULL
				? 0 : refuse("--", "has no COMMAND behind it");
		}
		if ((*argv)[0] == '-')
			n = read_option(argv, request);
		else if (read_bare(*argv, request) < 0)
			n = -EINVAL;
		if (n < 0)
			return n;
		argv += n;
	}
	return 0;
}

static int complain(const char *what, int error)
{
	if (error < 0)
		message("berth: %s: %s\n", what,
			error == -ENOENT ? "not found" : strerror(-error));
	return error;
}

static int explain(struct explaining *explaining,
		   const struct place *place,
		   const struct request *request)
{
	int result = 0;
	char text[32];

	if (request->pid >= 0) {
		snprintf(text, sizeof(text), "process %ld", request->pid);
		result = complain(text, explain_process(
			explaining, (pid_t)request->pid));
	}
	if (result == 0 && request->port >= 0)
		result = complain("the sockets", explain_port(
			explaining, place, (uint16_t)request->port));
	if (request->pid < 0 && request->port < 0)
		result = complain(request->command != NULL ? request->command
							   : "berth",
				  explain_command(explaining,
						  request->command));
	return result;
}

char *explain_ports(const struct port_set *set)
{
	const size_t size = range_text_format(set, NULL, 0) + 1;
	char *text = malloc(size);

	if (text != NULL)
		range_text_format(set, text, size);
	return text;
}

int command_explain(int argc, char *argv[])
{
	static struct explaining explaining;
	struct place place;
	struct request request;
	int result;

	(void)argc;
	if (read_request(argv, &request) < 0)
		return EXIT_USAGE;
	if (request.help)
		return message_usage(usage);
	kernel_read(&explaining.kernel);
	netns_place(&explaining.kernel, &place);
	published_read(&place, &explaining.published);
	published_tell_missed(&place, explaining.published.missed);
	output_open(&explaining.output, request.format, stdout);
	result = explain(&explaining, &place, &request);
	if (output_finish(&explaining.output) != EXIT_SUCCESS)
		result = -EIO;
	if (published_is_unknown(explaining.published.missed) ||
	    explaining.published.is_damaged)
		result = -EIO;
	published_deinit(&explaining.published);
	return result == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
