/* SPDX-License-Identifier: MIT */
/*
 * play FILE [KIND [RANGE]]: makes the calls of a file of scenes and prints a
 * line for each: the call, its result, errno, and what the socket looks like
 * then. With RANGE, the configured one, a line is a verdict: each step of a
 * scene succeeds, unless "-" stands before it; with "=ERRNO" behind it, it fails
 * so, and with "=NUMBER" it returns that. KIND "any" is all.
 *
 *	for KIND...		plays what follows with sockets of each kind; or
 *				"for" one of "streams", "datagrams", "v6", "all"
 *	serve ADDRESS...	servers of the kind, up to the next "for"
 *	NAME: STEP; STEP; ...	a scene; lines that begin with a space go on
 *
 * {A|B} plays the scene once with A and once with B. $1 stands for what the
 * first of these braces has then, $2 for what the second one has; $RANGE for all
 * ports of the range, with "|" between.
 *
 * A step is the name of a call and its arguments; step.c has the list. The
 * descriptor is never named: it is the one that was opened last. "use 0" takes
 * the first one of the scene again, "fd 77" any number. Before a step,
 *
 *	-	says nothing of the socket, which keeps its pending error
 *	!	makes the call in a child, which may crash
 *	^	makes the call in a child and says nothing
 *	sys.	makes the call by syscall(2)
 *
 * Arguments are numbers, names from the list in words.c, several of both with
 * "+" between, and "@0" for the first descriptor of the scene. Addresses are
 * "any:PORT" and "here:PORT", the wildcard and the loopback address of the
 * kind, "[TEXT]:PORT", "unspec", "unix:NAME", "netlink", "packet", "vsock", and
 * "null", "ptr:NUMBER" or "kept" for memory that may be no address. PORT may be
 * "@0": the local port of that descriptor. An address is changed by
 *
 *	/len=N /len=+N	another length
 *	/family=N	another family
 *	/odd		at an odd place in memory
 *	/page		read-only, and nothing may be read behind it
 */
#include "step.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "words.h"

#define MAX_LINES 200
#define TEXT_SIZE 4096
#define N_SHOWN 5 /* of what is wrong in one scene */

static const struct {
	const char *name, *kinds;
} groups[] = {
	{ "all", "tcp4 tcp6 mptcp4 mptcp6 udp4 udp6 udplite4 udplite6" },
	{ "streams", "tcp4 tcp6 mptcp4 mptcp6" },
	{ "datagrams", "udp4 udp6 udplite4 udplite6" },
	{ "v6", "tcp6 mptcp6 udp6 udplite6" },
};

static char *lines[MAX_LINES];
static int n_lines;
static const char *only_kind;
static int n_wrong; /* in the scene */

static void judge_step(const char *scene, const char *text, bool may_fail)
{
	const char *said = step_judge(text);

	if (said != NULL && !may_fail && n_wrong++ < N_SHOWN)
		check(false, "%s %s: %s: %s, port %u", stage.kind->name, scene,
		      text, said, local_port(stage.fd));
}

static void report_step(const char *scene, const char *text, bool has_socket)
{
	const long result = step_make(text);
	const int error = errno;

	report_call(has_socket ? stage.fd : -1, result, error, "%s %s: %s",
		    stage.kind->name, scene, text);
}

static void play_step(const char *scene, const char *text)
{
	pid_t child;
	int status;

	text += strspn(text, " ");
	if (*text == '\0')
		return;
	if (*text != '!' && *text != '^') {
		(stage.range != NULL ? judge_step : report_step)(
			scene, text + (*text == '-'),
			(*text == '-') == (stage.range != NULL));
		return;
	}
	child = must(fork(), "fork");
	if (child == 0) {
		if (*text == '!')
			report_step(scene, text + 1, true);
		else
			step_make(text + 1 + (text[1] == '-'));
		_exit(0);
	}
	must(waitpid(child, &status, 0), "waitpid");
	if (WIFSIGNALED(status))
		report_text("%s %s: %s: killed by SIG%s", stage.kind->name,
			    scene, text, sigabbrev_np(WTERMSIG(status)));
}

static void put_value(char *text, const char *reference, const char *value)
{
	char *at;

	while ((at = strstr(text, reference)) != NULL) {
		char rest[TEXT_SIZE];

		snprintf(rest, sizeof(rest), "%s", at + strlen(reference));
		snprintf(at, TEXT_SIZE - (size_t)(at - text), "%s%s", value,
			 rest);
	}
}

static void play_scene(const char *name, const char *text, int n_groups)
{
	const char *open = strchr(text, '{'), *close = strchr(text, '}');
	char copy[TEXT_SIZE], group[TEXT_SIZE], *rest = copy, *word;
	char reference[16];

	snprintf(copy, sizeof(copy), "%s", text);
	if (open == NULL) {
		while ((word = strsep(&rest, ";")) != NULL)
			play_step(name, word);
		step_end();
		return;
	}
	snprintf(group, sizeof(group), "%.*s", (int)(close - open - 1),
		 open + 1);
	rest = group;
	while ((word = strsep(&rest, "|")) != NULL) {
		snprintf(copy, sizeof(copy), "%.*s%s%s", (int)(open - text),
			 text, word, close + 1);
		snprintf(reference, sizeof(reference), "$%d", n_groups + 1);
		put_value(copy, reference, word);
		play_scene(name, copy, n_groups + 1);
	}
}

/* Puts all ports of the range for $RANGE. */
static void put_range(char *text)
{
	char list[TEXT_SIZE] = "";
	size_t length = 0;

	if (strstr(text, "$RANGE") == NULL)
		return;
	for (uint32_t port = 1; port < 65536 && length < sizeof(list); port++)
		if (range_has(stage.range, (uint16_t)port))
			length += (size_t)snprintf(
				list + length, sizeof(list) - length,
				length > 0 ? "|%u" : "%u", port);
	put_value(text, "$RANGE", list);
}

static void play_kind(const char *name, int line)
{
	char copy[TEXT_SIZE], *rest = copy, *word;

	stage.kind = step_kind(name);
	for (; line < n_lines && strncmp(lines[line], "for ", 4) != 0; line++) {
		snprintf(copy, sizeof(copy), "%s", lines[line]);
		rest = copy;
		if (strncmp(copy, "serve ", 6) == 0) {
			strsep(&rest, " ");
			while ((word = strsep(&rest, " ")) != NULL)
				step_serve(word);
			continue;
		}
		put_range(copy);
		word = strsep(&rest, ":");
		n_wrong = 0;
		play_scene(word, rest, 0);
		if (stage.range != NULL && n_wrong == 0)
			check(true, "%s %s", name, word);
	}
	step_close_servers();
}

/* "for KIND..." and what follows up to the next. */
static int play_block(int line)
{
	char copy[TEXT_SIZE], *rest = copy + 4, *word;
	int end = line + 1;

	snprintf(copy, sizeof(copy), "%s", lines[line]);
	if (strncmp(copy, "for ", 4) != 0)
		refuse_word("\"for\" before", copy);
	for (size_t i = 0; i < sizeof(groups) / sizeof(*groups); i++)
		if (strcmp(rest, groups[i].name) == 0)
			strcpy(rest, groups[i].kinds);
	while (end < n_lines && strncmp(lines[end], "for ", 4) != 0)
		end++;
	while ((word = strsep(&rest, " ")) != NULL)
		if ((only_kind == NULL || strcmp(word, only_kind) == 0) &&
		    kind_present(step_kind(word)))
			play_kind(word, line + 1);
	return end;
}

static void read_lines(const char *path)
{
	static char text[TEXT_SIZE];
	FILE *file = fopen(path, "re");

	must(file == NULL ? -1 : 0, path);
	while (fgets(text, sizeof(text), file) != NULL) {
		text[strcspn(text, "\n")] = '\0';
		if (text[0] == '#' || text[0] == '\0')
			continue;
		if (text[0] != ' ') {
			lines[n_lines++] = strdup(text);
			continue;
		}

		char **last = &lines[n_lines - 1];

		*last = realloc(*last, strlen(*last) + strlen(text) + 1);
		strcat(*last, text + strspn(text, " ") - 1);
	}
	fclose(file);
}

int main(int argc, char **argv)
{
	if (argc < 2)
		return 2;
	if (argc > 2 && strcmp(argv[2], "any") != 0)
		only_kind = argv[2];
	if (argc > 3)
		stage.range = argv[3];
	read_lines(argv[1]);
	for (int line = 0; line < n_lines;)
		line = play_block(line);
	return 0;
}
