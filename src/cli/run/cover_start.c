/* SPDX-License-Identifier: MIT */
#include "cli/run/cover_start.h"

#include <getopt.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#define LONG_MAX_COUNT 15
#define TEXT_SIZE 1024
#define WORDS_MAX 256

const char *cover_file_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash != NULL ? slash + 1 : path;
}

static bool is_one_of(const char *word, const char *const list[])
{
	for (size_t i = 0; list[i] != NULL; i++)
		if (strcmp(word, list[i]) == 0)
			return true;
	return false;
}

/* busybox(1) is many commands, chosen by its first argument. Returns that word,
 * and the words behind it; for other files path and arguments as they are. */
static const char *applet(const char *path, char *const **argumentsp)
{
	const char *name = cover_file_name(path);
	char *const *arguments = *argumentsp;

	if ((strcmp(name, "busybox") != 0 && strcmp(name, "toybox") != 0) ||
	    arguments[0] == NULL)
		return path;
	*argumentsp = arguments + 1;
	return arguments[0];
}

/*
 * Begins to read the options among arguments by getopt(3). words are for it: a
 * name, and the arguments, up to NULL. Returns their number.
 */
static int begin_options(char *words[WORDS_MAX], char *const arguments[])
{
	static char name[] = "";
	int n = 1;

	words[0] = name;
	for (; n < WORDS_MAX - 1 && arguments[n - 1] != NULL; n++)
		words[n] = arguments[n - 1];
	words[n] = NULL;
	optind = 0; /* getopt(3) of glibc begins anew */
	opterr = 0;
	return n;
}

/* --- commands that start another one with their own environment ----------- */

struct starter {
	const char *name;
	const char *letters; /* as getopt(3) takes them */
	/* The long options that have an argument; others need not be known. */
	const char *longs[LONG_MAX_COUNT];
	size_t n_words; /* before the command, behind the options */
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
	{ "chrt",
	  "+abdfioRrT:P:D:v",
	  { "sched-runtime", "sched-period", "sched-deadline" },
	  1 },
	{ "time", "+af:o:pv", { "format", "output" }, 0 },
	{ "setpriv",
	  "+d",
	  { "ambient-caps", "apparmor-profile", "bounding-set", "egid", "euid",
	    "groups", "inh-caps", "landlock-access", "landlock-rule",
	    "pdeathsig", "regid", "reuid", "rgid", "ruid", "securebits" },
	  0 },
};

static const struct starter *find_starter(const char *name)
{
	for (size_t i = 0; i < sizeof(starters) / sizeof(starters[0]); i++)
		if (strcmp(starters[i].name, name) == 0)
			return &starters[i];
	return NULL;
}

/* Returns how many of the arguments are options and theirs. */
static size_t count_options(const struct starter *starter,
			    char *const arguments[])
{
	struct option options[LONG_MAX_COUNT + 1] = { { 0 } };
	char *words[WORDS_MAX];
	const int n = begin_options(words, arguments);

	for (size_t i = 0; i < LONG_MAX_COUNT && starter->longs[i] != NULL; i++)
		options[i] = (struct option){ starter->longs[i],
					      required_argument, NULL, 'x' };
	while (getopt_long(n, words, starter->letters, options, NULL) != -1)
		continue;
	return (size_t)optind - 1;
}

/* Where the command begins that this one starts, or NULL. */
static char *const *plain_started(const char *name, char *const arguments[])
{
	const struct starter *starter = find_starter(name);

	if (starter == NULL)
		return NULL;
	arguments += count_options(starter, arguments);
	for (size_t n = 0; n < starter->n_words && *arguments != NULL; n++)
		arguments++;
	return *arguments != NULL ? arguments : NULL;
}

/* --- su(1) ---------------------------------------------------------------- */

/*
 * su(1) and runuser(1) of util-linux clean the environment with "-", -l and
 * --login; runuser -u keeps it. The "-" before the letters makes getopt(3) keep
 * the order of words, and return 1 for each that is no option.
 */
static bool login_cleans(char *const arguments[])
{
	static const struct option options[] = {
		{ "command", required_argument, NULL, 'c' },
		{ "session-command", required_argument, NULL, 'c' },
		{ "group", required_argument, NULL, 'g' },
		{ "supp-group", required_argument, NULL, 'G' },
		{ "login", no_argument, NULL, 'l' },
		{ "shell", required_argument, NULL, 's' },
		{ "user", required_argument, NULL, 'u' },
		{ "whitelist-environment", required_argument, NULL, 'w' },
		{ NULL, 0, NULL, 0 },
	};
	char *words[WORDS_MAX];
	const int n = begin_options(words, arguments);
	int option;

	while ((option = getopt_long(n, words, "-:c:g:G:ls:u:w:", options,
				     NULL)) != -1) {
		if (option == 'u')
			return false;
		if (option == 'l' || (option == 1 && !strcmp(optarg, "-")))
			return true;
	}
	return false;
}

/* --- env(1) --------------------------------------------------------------- */

struct env {
	bool is_cleared;   /* "-", -i */
	bool is_unset;	   /* -u LD_PRELOAD */
	bool moves;	   /* -C */
	const char *split; /* the text of -S */
	char *const *next; /* the arguments behind the options */
};

static struct env read_env_options(char *const arguments[])
{
	static const struct option options[] = {
		{ "argv0", required_argument, NULL, 'a' },
		{ "chdir", required_argument, NULL, 'C' },
		{ "ignore-environment", no_argument, NULL, 'i' },
		{ "split-string", required_argument, NULL, 'S' },
		{ "unset", required_argument, NULL, 'u' },
		{ NULL, 0, NULL, 0 },
	};
	char *words[WORDS_MAX];
	const int n = begin_options(words, arguments);
	struct env env = { .split = NULL };
	int option;

	while (env.split == NULL &&
	       (option = getopt_long(n, words, "+:a:C:iS:u:", options, NULL)) !=
		       -1) {
		if (option == 'i')
			env.is_cleared = true;
		else if (option == 'u' && optarg != NULL &&
			 strcmp(optarg, "LD_PRELOAD") == 0)
			env.is_unset = true;
		else if (option == 'C')
			env.moves = true;
		else if (option == 'S')
			env.split = optarg;
	}
	if (words[optind] != NULL && strcmp(words[optind], "-") == 0) {
		env.is_cleared = true;
		optind++;
	}
	env.next = arguments + optind - 1;
	return env;
}

static bool env_cleans(char *const arguments[], bool is_clean);

/* env replaces the option -S by the words of its value. They are split at
 * blanks only: quotes and escapes are not looked at. */
static bool split_cleans(const char *split, char *const rest[], bool is_clean)
{
	char text[TEXT_SIZE], *words[WORDS_MAX];
	char *left = text, *word;
	size_t n = 0;

	snprintf(text, sizeof(text), "%s", split);
	while ((word = strsep(&left, " \t")) != NULL && n < WORDS_MAX - 1)
		if (*word != '\0')
			words[n++] = word;
	for (size_t i = 0; rest[i] != NULL && n < WORDS_MAX - 1; i++)
		words[n++] = rest[i];
	words[n] = NULL;
	return env_cleans(words, is_clean);
}

/* is_clean: LD_PRELOAD is gone already. */
static bool env_cleans(char *const arguments[], bool is_clean)
{
	static const char preload[] = "LD_PRELOAD=";
	const struct env env = read_env_options(arguments);
	char *const *next = env.next;

	is_clean = is_clean || env.is_cleared || env.is_unset;
	if (env.split != NULL)
		return split_cleans(env.split, next, is_clean);
	for (; *next != NULL && strchr(*next, '=') != NULL; next++)
		if (strncmp(*next, preload, strlen(preload)) == 0)
			is_clean = strstr(*next, "libberth.so") == NULL;
	/* Without a command it prints the environment. */
	return *next != NULL && (is_clean || cover_cleans(*next, next + 1));
}

static char *const *env_started(char *const arguments[])
{
	const struct env env = read_env_options(arguments);
	char *const *next = env.next;
	bool has_path = false;

	if (env.split != NULL)
		return NULL;
	for (; *next != NULL && strchr(*next, '=') != NULL; next++)
		has_path |= strncmp(*next, "PATH=", strlen("PATH=")) == 0;
	if (*next == NULL || (has_path && strchr(*next, '/') == NULL) ||
	    (env.moves && **next != '/'))
		return NULL;
	return next;
}

/* --- all of them ---------------------------------------------------------- */

static bool any_is_one_of(char *const words[], const char *const list[])
{
	for (; *words != NULL && strcmp(*words, "--") != 0; words++)
		if (is_one_of(*words, list))
			return true;
	return false;
}

bool cover_cleans(const char *path, char *const arguments[])
{
	static const char *const always[] = {
		"sudo", "doas",	 "pkexec", "run0", "systemd-run",
		"cron", "crond", "atd",	   NULL,
	};
	static const char *const logins[] = { "su", "runuser", NULL };
	static const char *const others[] = { "setpriv", "bwrap", NULL };
	static const char *const options[] = {
		"--reset-env",
		"--clearenv",
		NULL,
	};
	const char *name = cover_file_name(applet(path, &arguments));

	if (strcmp(name, "env") == 0)
		return env_cleans(arguments, false);
	if (is_one_of(name, logins))
		return login_cleans(arguments);
	if (is_one_of(name, others))
		return any_is_one_of(arguments, options);
	return is_one_of(name, always);
}

char *const *cover_started(const char *path, char *const arguments[])
{
	const char *name = cover_file_name(applet(path, &arguments));

	return strcmp(name, "env") == 0 ? env_started(arguments)
					: plain_started(name, arguments);
}
