/* SPDX-License-Identifier: MIT */
#include "cli/run/cover_start.h"

#include <getopt.h>
#include <stddef.h>
#include <string.h>

#include "cli/memory.h"

#define LONG_MAX_COUNT 15
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

/* What env(1) does before it starts a command. */
struct env {
	bool is_clean;	      /* the command has no LD_PRELOAD, or another */
	bool moves;	      /* -C */
	bool has_path;	      /* PATH=... */
	char *const *command; /* and its arguments; none = it prints */
};

char **cover_split(const char *text, char *const rest[])
{
	static struct memory memory;
	char *left = memory_copy(&memory, text, strlen(text)), *word;
	char **words = NULL;
	size_t n = 0;

	while ((word = strsep(&left, " \t")) != NULL)
		if (*word != '\0')
			*memory_add(&memory, &words, &n) = word;
	for (; *rest != NULL; rest++)
		*memory_add(&memory, &words, &n) = *rest;
	*memory_add(&memory, &words, &n) = NULL;
	return words;
}

/* Reads the options in front of the command. Returns the value of -S, which
 * takes the place of the option, or NULL. */
static const char *read_env_options(struct env *env)
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
	const int n = begin_options(words, env->command);
	const char *split = NULL;
	int option;

	while (split == NULL &&
	       (option = getopt_long(n, words, "+:a:C:iS:u:", options, NULL)) !=
		       -1) {
		if (option == 'i' || (option == 'u' && optarg != NULL &&
				      strcmp(optarg, "LD_PRELOAD") == 0))
			env->is_clean = true;
		else if (option == 'C')
			env->moves = true;
		else if (option == 'S')
			split = optarg;
	}
	if (words[optind] != NULL && strcmp(words[optind], "-") == 0) {
		env->is_clean = true;
		optind++;
	}
	env->command += optind - 1;
	return split;
}

static struct env read_env(char *const arguments[])
{
	static const char preload[] = "LD_PRELOAD=";
	struct env env = { .command = arguments };
	const char *split;

	while ((split = read_env_options(&env)) != NULL)
		env.command = cover_split(split, env.command);
	for (; *env.command != NULL && strchr(*env.command, '=') != NULL;
	     env.command++) {
		if (strncmp(*env.command, preload, strlen(preload)) == 0)
			env.is_clean = strstr(*env.command, "libberth.so") ==
				       NULL;
		env.has_path |= strncmp(*env.command,
					"PATH=", strlen("PATH=")) == 0;
	}
	return env;
}

static bool env_cleans(char *const arguments[])
{
	const struct env env = read_env(arguments);

	return *env.command != NULL &&
	       (env.is_clean || cover_cleans(*env.command, env.command + 1));
}

static char *const *env_started(char *const arguments[])
{
	const struct env env = read_env(arguments);
	const char *name = *env.command;

	if (name == NULL || (env.has_path && strchr(name, '/') == NULL) ||
	    (env.moves && *name != '/'))
		return NULL;
	return env.command;
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
		return env_cleans(arguments);
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
