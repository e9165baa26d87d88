/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The options and words of a command, read by getopt_long(3), and the usage
 * text that is made of their declaration.
 *
 * The name of an option is given in full. Abbreviations, which getopt_long(3)
 * would complete, are refused: a script that used one would fail when an option
 * is added.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cli/output.h"

#define EXIT_USAGE 2
#define EXIT_BERTH_FAILED 125 /* of run, like env(1) and chroot(1) */
#define EXIT_CANNOT_RUN 126
#define EXIT_NOT_FOUND 127

struct command_option {
	const char *name;  /* the long one; NULL = a letter only */
	const char *value; /* the usage's word for it; NULL = takes none */
	const char *help;  /* one line, or several */
	const char *(*names)(size_t i); /* values that the help lists */
	const char *(*standard)(void);	/* and of these, the default */
	const char *wanted;		/* of another number: "is not a port" */
	/* Where it is stored, one of these, but for help: */
	bool *flagp;
	const char **textp;
	enum output_format *formatp;
	uint64_t *numberp;
	uint64_t min, max;
	enum output_format format;
	char letter; /* 0 = a name only */
	bool is_help;
};

/* The last of each command. */
#define OPTION_HELP \
	{ \
		.name = "help", .letter = 'h', .help = "print this", \
		.is_help = true \
	}

#define OPTIONS_FORMAT(variable) \
	{ .name = "porcelain", \
	  .formatp = (variable), \
	  .format = OUTPUT_PORCELAIN, \
	  .help = "tab-separated records, see berth(1)" }, \
	{ \
		.name = "json", .formatp = (variable), .format = OUTPUT_JSON, \
		.help = "JSON, see berth(1)" \
	}

struct command_words {
	char **words; /* in argv, moved to its front */
	size_t n_words;
	char **command; /* the other command; NULL = none */
};

/* A command, its options and words. */
struct options {
	const char *command;
	const char *help; /* a line in the list of commands */
	/* Does it, and returns the exit status. */
	int (*run)(const struct command_words *words);
	const char *synopsis; /* behind "berth COMMAND [OPTION...]", or "" */
	const char *about;    /* lines that say what it does */
	const char *status;   /* lines below the options, or NULL */
	const struct command_option *list;
	size_t n_words_max; /* that are no option */
	/* Where the words of another command begin: there are none ("--" only
	 * ends the options), behind "--", or at the first word too. */
	enum { COMMAND_NOWHERE, COMMAND_BEHIND_DASHES, COMMAND_AT_WORD } begin;
	/* Exit status instead of EXIT_USAGE and EXIT_FAILURE; 0 = those */
	int failure;
	bool ignores_folder; /* BERTH_DIR */
};

#define OPTIONS_READ (-1)

/* Stores the options. Returns OPTIONS_READ; or the exit status after --help, or
 * after a message about a mistake. */
int options_read(const struct options *options, int argc, char *argv[],
		 struct command_words *wordsp);

/* Where the options of a command end: an index of argv. Nothing is stored. */
int options_end(const struct options *options, int argc, char *argv[]);

/* Reports what is wrong with a word. Returns the exit status. */
int options_refuse(const struct options *options, const char *word,
		   const char *reason);

/* Reads a decimal number. Returns false if it is none, or not of min to max. */
bool options_number(const char *word, uint64_t min, uint64_t max,
		    uint64_t *numberp);
