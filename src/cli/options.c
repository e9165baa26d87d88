/* SPDX-License-Identifier: MIT */
#include "cli/options.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/memory.h"
#include "cli/message.h"

#define N_OPTIONS_MAX 12
#define N_NAMES_IN_LINE 3

/* What getopt(3) returns when it has found no option. */
enum { END = -1, WORD = 1, NO_VALUE = ':', UNKNOWN = '?' };

/* What it returns for the first long option; letters are lower. */
#define FIRST_NAME 256

struct tables {
	struct option names[N_OPTIONS_MAX + 1];
	char letters[2 * N_OPTIONS_MAX + 3];
};

/* --- usage ---------------------------------------------------------------- */

/* "-f, --follow", "-n N" */
static void write_label(char *label, size_t size,
			const struct command_option *option)
{
	const char letter[] = { '-', option->letter, '\0' };
	const bool has_letter = option->letter != 0;
	const bool has_name = option->name != NULL;

	snprintf(label, size, "%s%s%s%s%s", has_letter ? letter : "",
		 !has_name    ? ""
		 : has_letter ? ", --"
			      : "--",
		 has_name ? option->name : "", option->value ? " " : "",
		 option->value ? option->value : "");
}

static void print_option(const struct command_option *option)
{
	const int indent = 17;
	char label[64];
	const char *name;

	write_label(label, sizeof(label), option);
	printf("  %-*s ", indent - 3, label);
	for (const char *text = option->help; *text != '\0'; text++)
		if (*text == '\n')
			printf("\n%*s", indent, "");
		else
			putchar(*text);
	if (option->standard != NULL)
		printf(" (default: %s):", option->standard());
	for (size_t i = 0;
	     option->names != NULL && (name = option->names(i)) != NULL; i++)
		if (i % N_NAMES_IN_LINE == 0)
			printf("%s\n%*s%s", i > 0 ? "," : "", indent, "", name);
		else
			printf(", %s", name);
	putchar('\n');
}

static int help(const struct options *options)
{
	const struct command_option *option = options->list;

	printf("Usage: berth %s [OPTION...]%s%s\n\n%s\n", options->command,
	       *options->synopsis != '\0' ? " " : "", options->synopsis,
	       options->about);
	do
		print_option(option);
	while (!(option++)->is_help);
	if (options->status != NULL)
		printf("\n%s", options->status);
	return message_written() == EXIT_SUCCESS ? EXIT_SUCCESS
						 : memory_exit_status;
}

/* --- mistakes ------------------------------------------------------------- */

static int complain(const struct options *options, const char *before,
		    const char *word, const char *reason)
{
	message_to(stderr, "berth %s: %s\"%s\"%s%s; see berth %s --help\n",
		   options->command, before, word, *reason != '\0' ? " " : "",
		   reason, options->command);
	return options->failure != 0 ? options->failure : EXIT_USAGE;
}

int options_refuse(const struct options *options, const char *word,
		   const char *reason)
{
	return complain(options, "", word, reason);
}

/* The word of the option that was just read, perhaps with "=" and its value. */
static const char *written(char *argv[])
{
	const char *last = argv[optind - 1];

	return optarg != NULL && optarg == last ? argv[optind - 2] : last;
}

static int complain_option(const struct options *options, int result,
			   char *argv[])
{
	const char letter[] = { '-', (char)optopt, '\0' };
	const bool is_letter = optopt != 0 && optopt < FIRST_NAME;

	return complain(options,
			result == NO_VALUE ? "no value for "
					   : "unknown option ",
			is_letter ? letter : written(argv), "");
}

/* --- reading -------------------------------------------------------------- */

static void prepare(const struct options *options, struct tables *tables)
{
	const struct command_option *option = options->list;
	char *letter = tables->letters;
	int n = 0, i = 0;

	*letter++ = options->begin == COMMAND_AT_WORD ? '+' : '-';
	*letter++ = ':';
	do {
		const bool has_value = option->value != NULL;

		if (option->letter != 0)
			*letter++ = option->letter;
		if (option->letter != 0 && has_value)
			*letter++ = ':';
		if (option->name != NULL)
			tables->names[n++] =
				(struct option){ .name = option->name,
						 .has_arg = has_value,
						 .val = FIRST_NAME + i };
		i++;
	} while (!(option++)->is_help);
	*letter = '\0';
	tables->names[n] = (struct option){ .name = NULL };
	optind = 0; /* getopt(3) begins anew */
}

/* As getopt_long(3), but an abbreviation is an unknown option. */
static int next(const struct options *options, const struct tables *tables,
		int argc, char *argv[])
{
	const int result = getopt_long(argc, argv, tables->letters,
				       tables->names, NULL);
	const int option = result == NO_VALUE ? optopt : result;

	if (option < FIRST_NAME ||
	    strlen(options->list[option - FIRST_NAME].name) ==
		    strcspn(written(argv) + 2, "="))
		return result;
	optopt = 0;
	return UNKNOWN;
}

static const struct command_option *option_of(const struct options *options,
					      int result)
{
	const struct command_option *option = options->list;

	if (result >= FIRST_NAME)
		return option + (result - FIRST_NAME);
	while (option->letter != result)
		option++;
	return option;
}

bool options_number(const char *word, uint64_t min, uint64_t max,
		    uint64_t *numberp)
{
	char *end;

	if (*word < '0' || *word > '9')
		return false;
	errno = 0;
	*numberp = strtoull(word, &end, 10);
	return errno == 0 && *end == '\0' && *numberp >= min && *numberp <= max;
}

static bool store(const struct command_option *option)
{
	if (option->flagp != NULL)
		*option->flagp = true;
	if (option->textp != NULL)
		*option->textp = optarg;
	if (option->formatp != NULL)
		*option->formatp = option->format;
	return option->numberp == NULL ||
	       options_number(optarg, option->min, option->max,
			      option->numberp);
}

/* Takes the words behind "--", or from the first that is no option. */
static void take_rest(const struct options *options, int n, char *rest[],
		      struct command_words *words)
{
	if (options->begin != COMMAND_NOWHERE) {
		words->command = rest;
		return;
	}
	memmove(words->words + words->n_words, rest, (size_t)n * sizeof(*rest));
	words->n_words += (size_t)n;
}

int options_read(const struct options *options, int argc, char *argv[],
		 struct command_words *wordsp)
{
	const struct command_option *option;
	struct tables tables;
	int result, behind = 1;

	if (options->failure != 0)
		memory_exit_status = options->failure;
	*wordsp = (struct command_words){ .words = argv + 1 };
	prepare(options, &tables);
	while ((result = next(options, &tables, argc, argv)) != END) {
		behind = optind;
		if (result == WORD) {
			wordsp->words[wordsp->n_words++] = optarg;
			continue;
		}
		if (result == UNKNOWN || result == NO_VALUE)
			return complain_option(options, result, argv);
		option = option_of(options, result);
		if (option->is_help)
			return help(options);
		if (!store(option))
			return options_refuse(options, optarg, option->wanted);
	}
	if (behind < argc)
		take_rest(options, argc - optind, argv + optind, wordsp);
	if (wordsp->n_words <= options->n_words_max)
		return OPTIONS_READ;
	return complain(options, "unknown word ",
			wordsp->words[options->n_words_max], "");
}

int options_end(const struct options *options, int argc, char *argv[])
{
	struct tables tables;

	prepare(options, &tables);
	while (next(options, &tables, argc, argv) != END)
		continue;
	return optind;
}
