/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/commands.h"
#include "cli/message.h"

struct command {
	const char *name;
	int (*function)(int argc, char *argv[]);
	const char *help;
	/* Its status with a BERTH_DIR that is no absolute path; 0 = it does
	 * not look */
	int bad_folder;
};

static const struct command commands[] = {
	{ "run", command_run, "start a program whose ports Berth assigns",
	  EXIT_BERTH_FAILED },
	{ "check", command_check, "report errors and risks in a policy file",
	  0 },
	{ "load", command_load, "put a policy in force", EXIT_FAILURE },
	{ "unload", command_unload, "take the policy out of force",
	  EXIT_FAILURE },
	{ "explain", command_explain, "show which rule applies, and why",
	  EXIT_FAILURE },
	{ "log", command_log, "show which calls were refused", EXIT_FAILURE },
	{ "status", command_status, "show which processes hold which ports",
	  EXIT_FAILURE },
	{ "sweep", command_sweep, "repair the map, from the kernel's sockets",
	  EXIT_FAILURE },
	{ "port", command_port, "print free ports, kept free for a while",
	  EXIT_FAILURE },
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
		fprintf(stream, "  %-8s %s\n", commands[i].name,
			commands[i].help);
	fprintf(stream, "\nSee berth COMMAND --help.\n");
}

static const struct command *command_by_name(const char *name)
{
	for (size_t i = 0; i < N_COMMANDS; i++)
		if (strcmp(name, commands[i].name) == 0)
			return &commands[i];
	return NULL;
}

static int unknown(const char *word)
{
	message("berth: unknown %s \"%s\"; see berth --help\n",
		word[0] == '-' ? "option" : "command", word);
	return EXIT_USAGE;
}

/* A relative path would name another folder in each program that changes its
 * working directory. */
static int refuse_folder(const struct command *command)
{
	const char *folder = getenv("BERTH_DIR");

	if (folder == NULL || *folder == '\0' || *folder == '/' ||
	    command->bad_folder == 0)
		return 0;
	message("berth: BERTH_DIR=\"%s\" is not an absolute path\n", folder);
	return command->bad_folder;
}

static int help(char *name)
{
	static char option[] = "--help";
	const struct command *command;

	if (name == NULL) {
		usage(stdout);
		return message_written();
	}
	command = command_by_name(name);
	if (command == NULL)
		return unknown(name);
	return command->function(2, (char *[]){ name, option, NULL });
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
	const struct command *command = command_by_name(word);

	if (command != NULL) {
		const int status = refuse_folder(command);

		return status != 0 ? status
				   : command->function(argc - 1, argv + 1);
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
