/* SPDX-License-Identifier: MIT */
#include "cli/run/cover_start.h"

#include <getopt.h>
#include <stddef.h>
#include <string.h>

#define LONG_MAX_COUNT 15

struct starter {
	const char *name;
	const char *letters;	/* as getopt(3) takes them */
	/* The long options that have an argument; others need not be known. */
	const char *longs[LONG_MAX_COUNT];
	size_t n_words;		/* before the command, behind the options */
};

/* Of coreutils, util-linux, GNU time and busybox. */
static const struct starter starters[] = {
	{ "nice", "+n:0123456789", { "adjustment" }, 0 },
	{ "nohup", "+", { NULL }, 0 },
	{ "stdbuf", "+i:o:e:", { "input", "output", "error" }, 0 },
	{ "timeout", "+fk:ps:v", { "kill-after", "signal" }, 1 },
	{ "setsid", "+cfw", { NULL }, 0 },
	{ "ionice", "+c:n:t", { "class", "classdata" }, 0 },
	{ "taskset", "+ac", { NULL }, 1 },
	{ "chrt", "+abdfioRrT:P:D:v",
	  { "sched-runtime", "sched-period", "sched-deadline" }, 1 },
	{ "time", "+af:o:pv", { "format", "output" }, 0 },
	{ "setpriv", "+d",
	  { "ambient-caps", "apparmor-profile", "bounding-set", "egid", "euid",
	    "groups", "inh-caps", "landlock-access", "landlock-rule",
	    "pdeathsig", "regid", "reuid", "rgid", "ruid", "securebits" }, 0 },
};

const char *cover_file_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash != NULL ? slash + 1 : path;
}

static const struct starter *find_starter(const char *name)
{
	for (size_t i = 0; i < sizeof(starters) / sizeof(starters[0]); i++)
		if (strcmp(starters[i].name, name) == 0)
			return &starters[i];
	return NULL;
}

int cover_begin_options(char *words[COVER_WORDS_MAX], char *const arguments[])
{
	static char name[] = "";
	int n = 1;

	words[0] = name;
	for (; n < COVER_WORDS_MAX - 1 && arguments[n - 1] != NULL; n++)
		words[n] = arguments[n - 1];
	words[n] = NULL;
	optind = 0;	/* getopt(3) of glibc begins anew */
	opterr = 0;
	return n;
}

/* Returns how many of the arguments are options and theirs. */
static size_t count_options(const struct starter *starter,
			    char *const arguments[])
{
	struct option options[LONG_MAX_COUNT + 1] = { { 0 } };
	char *words[COVER_WORDS_MAX];
	const int n = cover_begin_options(words, arguments);

	for (size_t i = 0; i < LONG_MAX_COUNT && starter->longs[i] != NULL; i++)
		options[i] = (struct option){ starter->longs[i],
					      required_argument, NULL, 'x' };
	while (getopt_long(n, words, starter->letters, options, NULL) != -1)
		continue;
	return (size_t)optind - 1;
}

const char *cover_applet(const char *path, char *const **argumentsp)
{
	const char *name = cover_file_name(path);
	char *const *arguments = *argumentsp;

	if ((strcmp(name, "busybox") != 0 && strcmp(name, "toybox") != 0) ||
	    arguments[0] == NULL)
		return path;
	*argumentsp = arguments + 1;
	return arguments[0];
}

char *const *cover_plain_started(const char *path, char *const arguments[])
{
	const char *name = cover_file_name(cover_applet(path, &arguments));
	const struct starter *starter = find_starter(name);

	if (starter == NULL)
		return NULL;
	arguments += count_options(starter, arguments);
	for (size_t n = 0; n < starter->n_words && *arguments != NULL; n++)
		arguments++;
	return *arguments != NULL ? arguments : NULL;
}
