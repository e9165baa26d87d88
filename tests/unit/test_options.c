/* SPDX-License-Identifier: MIT */
#include "cli/options.h"

#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <criterion/redirect.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct {
	bool is_dry;
	const char *range;
	enum output_format format;
	uint64_t n;
} request;

static const char *colour(size_t i)
{
	static const char *const names[] = { "red", "green", "blue", "white",
					     "black" };

	return i < 5 ? names[i] : NULL;
}

static const struct command_option list[] = {
	{ .name = "dry-run",
	  .letter = 'd',
	  .flagp = &request.is_dry,
	  .help = "change nothing" },
	{ .name = "range",
	  .value = "R",
	  .textp = &request.range,
	  .help = "one of\nthese:",
	  .names = colour },
	{ .letter = 'n',
	  .value = "N",
	  .numberp = &request.n,
	  .min = 1,
	  .max = 9,
	  .wanted = "is not a number from 1 to 9",
	  .help = "the last N" },
	OPTIONS_FORMAT(&request.format),
	OPTION_HELP,
};

static struct options options;
static struct command_words words;

static void start(void)
{
	cr_redirect_stdout();
	cr_redirect_stderr();
	memset(&request, 0, sizeof(request));
	options = (struct options){
		.command = "paint",
		.synopsis = "[FILE]",
		.list = list,
		.about = "Paints.\n",
		.status = "Exit status: 0.\n",
		.n_words_max = 2,
	};
}

TestSuite(options, .init = start);

/* Of words that are separated by one blank. */
static int read_line(const char *line)
{
	static char text[256];
	static char *argv[32];
	char *left = text, *word;
	int argc = 0;

	strcpy(text, line);
	while ((word = strsep(&left, " ")) != NULL)
		argv[argc++] = word;
	argv[argc] = NULL;
	return options_read(&options, argc, argv, &words);
}

Test(options, are_stored)
{
	cr_assert_eq(read_line("paint -d --range 1-2 -n 5 --json"),
		     OPTIONS_READ);
	cr_assert(request.is_dry);
	cr_assert_str_eq(request.range, "1-2");
	cr_assert_eq(request.n, 5);
	cr_assert_eq(request.format, OUTPUT_JSON);
	cr_assert_eq(words.n_words, 0);
}

Test(options, have_their_values_in_both_forms)
{
	cr_assert_eq(read_line("paint --range=1-2 -n5"), OPTIONS_READ);
	cr_assert_str_eq(request.range, "1-2");
	cr_assert_eq(request.n, 5);
	cr_assert_eq(read_line("paint --range="), OPTIONS_READ);
	cr_assert_str_eq(request.range, "");
	cr_assert_eq(read_line("paint --range --range"), OPTIONS_READ);
	cr_assert_str_eq(request.range, "--range");
}

Test(options, stand_before_and_behind_words)
{
	cr_assert_eq(setenv("POSIXLY_CORRECT", "1", 1), 0);
	cr_assert_eq(read_line("paint a --dry-run b --json"), OPTIONS_READ);
	cr_assert(request.is_dry);
	cr_assert_eq(request.format, OUTPUT_JSON);
	cr_assert_eq(words.n_words, 2);
	cr_assert_str_eq(words.words[0], "a");
	cr_assert_str_eq(words.words[1], "b");
	cr_assert_null(words.command);
}

Test(options, end_at_dashes)
{
	cr_assert_eq(read_line("paint a -- --dry-run"), OPTIONS_READ);
	cr_assert_not(request.is_dry);
	cr_assert_eq(words.n_words, 2);
	cr_assert_str_eq(words.words[1], "--dry-run");
}

Test(options, leave_a_command_behind_dashes)
{
	options.begin = COMMAND_BEHIND_DASHES;
	cr_assert_eq(read_line("paint a -- b -d"), OPTIONS_READ);
	cr_assert_eq(words.n_words, 1);
	cr_assert_str_eq(words.command[0], "b");
	cr_assert_str_eq(words.command[1], "-d");
	cr_assert_eq(read_line("paint a"), OPTIONS_READ);
	cr_assert_null(words.command);
	cr_assert_eq(read_line("paint --"), OPTIONS_READ);
	cr_assert_null(words.command[0]);
}

Test(options, end_at_the_first_word_of_a_command)
{
	options.begin = COMMAND_AT_WORD;
	cr_assert_eq(read_line("run -n 3 true -d --json"), OPTIONS_READ);
	cr_assert_not(request.is_dry);
	cr_assert_eq(words.n_words, 0);
	cr_assert_str_eq(words.command[0], "true");
	cr_assert_str_eq(words.command[1], "-d");
	cr_assert_eq(read_line("run -d -- -n"), OPTIONS_READ);
	cr_assert_str_eq(words.command[0], "-n");
}

Test(options, are_passed_over_to_find_their_end)
{
	char *argv[] = { (char[]){ "run" },
			 (char[]){ "--range" },
			 (char[]){ "R" },
			 (char[]){ "--wrong" },
			 (char[]){ "true" },
			 (char[]){ "-d" },
			 NULL };

	options.begin = COMMAND_AT_WORD;
	cr_assert_eq(options_end(&options, 6, argv), 4);
	cr_assert_eq(options_end(&options, 4, argv), 4);
	cr_assert_null(request.range);
}

/* What is said of it, between "berth paint: " and the hint. */
static const char *const mistakes[][2] = {
	{ "paint --jason", "unknown option \"--jason\"" },
	{ "paint -dx", "unknown option \"-x\"" },
	/* No option is completed. */
	{ "paint --dry", "unknown option \"--dry\"" },
	{ "paint --rang 5", "unknown option \"--rang\"" },
	{ "paint --rang", "unknown option \"--rang\"" },
	{ "paint --range", "no value for \"--range\"" },
	{ "paint -dn", "no value for \"-n\"" },
	{ "paint --json=1", "unknown option \"--json=1\"" },
	{ "paint -n 10", "\"10\" is not a number from 1 to 9" },
	{ "paint a b -- c", "unknown word \"c\"" },
};
static int numbers[sizeof(mistakes) / sizeof(mistakes[0])];

ParameterizedTestParameters(options, that_are_mistakes_are_quoted)
{
	for (int i = 0; i < (int)(sizeof(numbers) / sizeof(numbers[0])); i++)
		numbers[i] = i;
	return cr_make_param_array(int, numbers,
				   sizeof(numbers) / sizeof(numbers[0]));
}

/* In a process each, since standard error is read once. */
ParameterizedTest(const int *numberp, options, that_are_mistakes_are_quoted,
		  .init = start)
{
	const char *const *mistake = mistakes[*numberp];
	char expected[128];

	snprintf(expected, sizeof(expected),
		 "berth paint: %s; see berth paint --help\n", mistake[1]);
	cr_assert_eq(read_line(mistake[0]), 2, "%s", mistake[0]);
	cr_assert_stderr_eq_str(expected);
	cr_assert_not(request.is_dry && strstr(mistake[0], "--dry") != NULL);
	cr_assert_null(request.range);
}

Test(options, that_are_mistakes_end_run_with_its_status)
{
	options.failure = 125;
	cr_assert_eq(read_line("paint -x"), 125);
}

Test(options, make_the_usage)
{
	cr_assert_eq(read_line("paint a --help --jason"), EXIT_SUCCESS);
	cr_assert_stdout_eq_str(
		"Usage: berth paint [OPTION...] [FILE]\n"
		"\n"
		"Paints.\n"
		"\n"
		"  -d, --dry-run  change nothing\n"
		"  --range R      one of\n"
		"                 these:\n"
		"                 red, green, blue,\n"
		"                 white, black\n"
		"  -n N           the last N\n"
		"  --porcelain    tab-separated records, see berth(1)\n"
		"  --json         JSON, see berth(1)\n"
		"  -h, --help     print this\n"
		"\n"
		"Exit status: 0.\n");
}

Test(options, have_numbers_of_digits_only)
{
	uint64_t n;

	cr_assert(options_number("18446744073709551615", 0, UINT64_MAX, &n));
	cr_assert_eq(n, UINT64_MAX);
	cr_assert_not(
		options_number("18446744073709551616", 0, UINT64_MAX, &n));
	cr_assert_not(options_number("", 0, 9, &n));
	cr_assert_not(options_number("-1", 0, UINT64_MAX, &n));
	cr_assert_not(options_number("+1", 0, 9, &n));
	cr_assert_not(options_number(" 1", 0, 9, &n));
	cr_assert_not(options_number("1x", 0, 9, &n));
	cr_assert_not(options_number("1", 2, 9, &n));
}
