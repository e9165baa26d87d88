/* SPDX-License-Identifier: MIT */
#include "cli/run/cover_clean.h"

#include <getopt.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "cli/run/cover_start.h"

#define TEXT_SIZE 1024

static bool is_one_of(const char *word, const char *const list[])
{
	for (size_t i = 0; list[i] != NULL; i++)
		if (strcmp(word, list[i]) == 0)
			return true;
	return false;
}

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
	char *words[COVER_WORDS_MAX];
	const int n = cover_begin_options(words, arguments);
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
	bool is_cleared;	/* "-", -i */
	bool is_unset;		/* -u LD_PRELOAD */
	bool moves;		/* -C */
	const char *split;	/* the text of -S */
	char *const *next;	/* the arguments behind the options */
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
	char *words[COVER_WORDS_MAX];
	const int n = cover_begin_options(words, arguments);
	struct env env = { .split = NULL };
	int option;

	while (env.split == NULL &&
	       (option = getopt_long(n, words, "+:a:C:iS:u:", options,
				     NULL)) != -1) {
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
	char text[TEXT_SIZE], *words[COVER_WORDS_MAX];
	char *left = text, *word;
	size_t n = 0;

	snprintf(text, sizeof(text), "%s", split);
	while ((word = strsep(&left, " \t")) != NULL && n < COVER_WORDS_MAX - 1)
		if (*word != '\0')
			words[n++] = word;
	for (size_t i = 0; rest[i] != NULL && n < COVER_WORDS_MAX - 1; i++)
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
		"sudo", "doas", "pkexec", "run0", "systemd-run", "cron",
		"crond", "atd", NULL,
	};
	static const char *const logins[] = { "su", "runuser", NULL };
	static const char *const others[] = { "setpriv", "bwrap", NULL };
	static const char *const options[] = {
		"--reset-env", "--clearenv", NULL,
	};
	const char *name = cover_file_name(cover_applet(path, &arguments));

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
	char *const *words = arguments;
	const char *name = cover_file_name(cover_applet(path, &words));

	return strcmp(name, "env") == 0 ? env_started(words)
					: cover_plain_started(path, arguments);
}
