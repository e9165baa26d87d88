/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/commands.h"
#include "cli/message.h"

static const struct options *const commands[] = {
	&command_run,	 &command_check,   &command_load,
	&command_unload, &command_explain, &command_log,
	&command_status, &command_sweep,   &command_port,
};

#define N_COMMANDS (sizeof(commands) / sizeof(commands[0]))

static void usage(FILE *stream)
{
	fprintf(stream, "Usage: berth COMMAND [ARG...]\n"
			"       berth help [COMMAND]\n"
			"       berth --version\n"
			"\n"
			"Commands:\n");
	for (size_t i = 0; i < N_COMMANDS; i++)
		fprintf(stream, "  %-8s %s\n", commands[i]->command,
			commands[i]->help);
	fprintf(stream, "\nSee berth COMMAND --help.\n");
}

static const struct options *command_by_name(const char *name)
{
	for (size_t i = 0; i < N_COMMANDS; i++)
		if (strcmp(name, commands[i]->command) == 0)
			return commands[i];
	return NULL;
}

static int unknown(const char *word)
{
	message("unknown %s \"%s\"; see berth --help",
		word[0] == '-' ? "option" : "command", word);
	return EXIT_USAGE;
}

/* A relative path would name another folder in each program that changes its
 * working directory. */
static int refuse_folder(const struct options *command)
{
	const char *folder = getenv("BERTH_DIR");

	if (folder == NULL || *folder == '\0' || *folder == '/' ||
	    command->ignores_folder)
		return 0;
	message("BERTH_DIR=\"%s\" is not an absolute path", folder);
	return command->failure != 0 ? command->failure : EXIT_FAILURE;
}

/* argv[0] is the command's name. */
static int run(const struct options *command, int argc, char *argv[])
{
	struct command_words words;
	const int status = options_read(command, argc, argv, &words);

	return status == OPTIONS_READ ? command->run(&words) : status;
}

static int help(char *name)
{
	static char option[] = "--help";
	const struct options *command;

	if (name == NULL) {
		usage(stdout);
		return message_written();
	}
	command = command_by_name(name);
	if (command == NULL)
		return unknown(name);
	return run(command, 2, (char *[]){ name, option, NULL });
}

/*
 * If a descriptor from 0 to 2 were closed, the next file would get its number,
 * and a message might be written into the policy. /dev/null, opened the wrong
 * way round, makes each read and write fail; a program that berth run starts
 * still finds the descriptor closed.
 */
static void keep_standard_descriptors(void)
{
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if (fcntl(fd, F_GETFD) < 0 && errno == EBADF)
			(void)!open("/dev/null",
				    O_CLOEXEC |
					    (fd == STDIN_FILENO ? O_WRONLY
								: O_RDONLY));
}

int main(int argc, char *argv[])
{
	keep_standard_descriptors();
	if (argc < 2) {
		usage(stderr);
		return EXIT_USAGE;
	}

	const char *word = argv[1];
	const struct options *command = command_by_name(word);

	if (command != NULL) {
		const int status = refuse_folder(command);

		return status != 0 ? status : run(command, argc - 1, argv + 1);
	}
	if (strcmp(word, "--version") == 0) {
		puts("berth " BERTH_VERSION);
		return message_written();
	}
	if (strcmp(word, "help") == 0)
		return help(argv[2]);
	if (strcmp(word, "-h") == 0 || strcmp(word, "--help") == 0)
		return help(NULL);
	return unknown(word);
}
