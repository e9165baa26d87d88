/* SPDX-License-Identifier: MIT */
#include "cli/report/explain.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/commands.h"
#include "cli/message.h"
#include "cli/options.h"

static struct {
	enum output_format format;
	uint64_t pid, port; /* 0 = none */
} request;

static const struct command_option list[] = {
	{ .name = "pid",
	  .value = "N",
	  .numberp = &request.pid,
	  .min = 1,
	  .max = INT32_MAX,
	  .wanted = "is not the number of a process",
	  .help = "N is a process" },
	{ .name = "port",
	  .value = "N",
	  .numberp = &request.port,
	  .min = 1,
	  .max = N_PORTS - 1,
	  .wanted = "is not a port",
	  .help = "N is a port" },
	OPTIONS_FORMAT(&request.format),
	OPTION_HELP,
};

static bool is_process(uint64_t number)
{
	return kill((pid_t)number, 0) == 0 || errno == EPERM;
}

/* A number by itself may be a process, a port, or both. Returns OPTIONS_READ or
 * the exit status. */
static int read_bare(const char *word)
{
	uint64_t number;

	if (!options_number(word, 1, INT32_MAX, &number))
		return options_refuse(&command_explain, word,
				      "is not the number of a "
				      "process or port; a COMMAND goes behind "
				      "--");
	if (is_process(number))
		request.pid = number;
	if (number < N_PORTS)
		request.port = number;
	return request.pid == 0 && request.port == 0
		       ? options_refuse(&command_explain, word,
					"is not a process, and too "
					"large for a port")
		       : OPTIONS_READ;
}

/* Returns OPTIONS_READ or the exit status. */
static int read_words(const struct command_words *words)
{
	int status = OPTIONS_READ;

	for (size_t i = 0; i < words->n_words && status == OPTIONS_READ; i++)
		status = read_bare(words->words[i]);
	if (status != OPTIONS_READ || words->command == NULL)
		return status;
	if (words->command[0] == NULL)
		return options_refuse(&command_explain, "--",
				      "has no COMMAND behind it");
	if (request.pid != 0 || request.port != 0)
		return options_refuse(&command_explain, words->command[0],
				      "is a COMMAND, and a process or port "
				      "is given too");
	return status;
}

static int complain(const char *what, int error)
{
	if (error < 0)
		message("%s: %s", what,
			error == -ENOENT ? "not found" : strerror(-error));
	return error;
}

static int explain(struct view *view, struct output *output,
		   const char *command)
{
	int result = 0;
	char text[32];

	if (request.pid == 0 && request.port == 0)
		return complain(command != NULL ? command : "berth",
				explain_command(view, output, command));
	if (request.pid != 0) {
		snprintf(text, sizeof(text), "process %d", (int)request.pid);
		result = complain(text, explain_process(view, output,
							(pid_t)request.pid));
	}
	if (result == 0 && request.port != 0)
		result = complain("the sockets",
				  explain_port(view, output,
					       (uint16_t)request.port));
	return result;
}

static int run(const struct command_words *words)
{
	static struct view view;
	struct output output;
	int result = read_words(words);

	if (result != OPTIONS_READ)
		return result;
	view_open(&view);
	view_read(&view, true);
	output_open(&output, request.format, stdout);
	result = explain(&view, &output,
			 words->command != NULL ? words->command[0] : NULL);
	if (output_close(&output) != EXIT_SUCCESS || !view_is_sound(&view))
		result = -EIO;
	view_close(&view);
	return result == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

const struct options command_explain = {
	.command = "explain",
	.help = "show which rule applies, and why",
	.run = run,
	.synopsis = "[NUMBER | -- COMMAND]",
	.list = list,
	.n_words_max = 1,
	.begin = COMMAND_BEHIND_DASHES,
	.about =
		"For the process NUMBER, for COMMAND as if it were started from here,\n"
		"or without either for a program in this environment: shows which\n"
		"rule of the policy in force applies, and why each rule before it\n"
		"does not. For the port NUMBER: shows the ranges and reservations\n"
		"that contain it, who holds it, and whether it could be assigned now.\n"
		"A NUMBER that is both is explained as both.\n",
};
