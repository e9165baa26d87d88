/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/memory.h"
#include "cli/program.h"
#include "cli/run/run.h"

#define PRELOAD_SEPARATORS ": " /* ld.so(8) */
#define PRELOAD_EXPANDED "$"	/* ld.so(8): $ORIGIN, ${LIB}, ... */

/* --- libberth.so ---------------------------------------------------------- */

/* Finds the library of the build tree in which berth itself lies. */
static bool find_built_library(char path[PATH_MAX])
{
	static const char name[] = "/../preload/libberth.so";
	char self[PATH_MAX + sizeof(name)];
	const ssize_t n = readlink("/proc/self/exe", self, PATH_MAX);
	char *slash;

	if (n <= 0 || n == PATH_MAX)
		return false;
	self[n] = '\0';
	slash = strrchr(self, '/');
	if (slash == NULL)
		return false;
	snprintf(slash, (size_t)(self + sizeof(self) - slash), "%s", name);
	return realpath(self, path) != NULL;
}

int run_find_library(char path[PATH_MAX])
{
	const char *named = getenv("BERTH_LIBRARY");

	if (named != NULL) {
		/* Absolute: programs change their working directory. */
		if (realpath(named, path) == NULL)
			return run_fail(named, strerror(errno));
	} else if (!find_built_library(path)) {
		snprintf(path, PATH_MAX, "%s", LIBBERTH_PATH);
	}
	if (access(path, R_OK) != 0)
		return run_fail(path, strerror(errno));
	if (strpbrk(path, PRELOAD_SEPARATORS PRELOAD_EXPANDED) != NULL)
		return run_fail(path, "LD_PRELOAD takes no path with a blank, "
				      "a colon or a dollar sign in it");
	return 0;
}

static bool is_listed(const char *list, const char *path)
{
	const size_t wanted = strlen(path);

	while (*list != '\0') {
		const size_t length = strcspn(list, PRELOAD_SEPARATORS);

		if (length == wanted && memcmp(list, path, length) == 0)
			return true;
		list += length;
		list += strspn(list, PRELOAD_SEPARATORS);
	}
	return false;
}

/* The length of a runtime of the address sanitizer in front of a list: it ends
 * programs in which it is not the first. */
static size_t sanitizer_length(const char *list)
{
	const size_t length = strcspn(list, PRELOAD_SEPARATORS);
	const char *name = memrchr(list, '/', length);

	name = name != NULL ? name + 1 : list;
	return strncmp(name, "libasan.so", strlen("libasan.so")) == 0 ||
			       strncmp(name, "libclang_rt.asan",
				       strlen("libclang_rt.asan")) == 0
		       ? length
		       : 0;
}

int run_preload(const char *path)
{
	const char *old = getenv("LD_PRELOAD");
	struct memory memory = { .blocks = NULL };
	int result;

	if (old != NULL && is_listed(old, path))
		return 0;
	if (old != NULL && old[0] != '\0') {
		const size_t n = sanitizer_length(old);

		path = memory_print(&memory, "%.*s%s%s:%s", (int)n, old,
				    n > 0 ? ":" : "", path, old + n);
	}
	result = setenv("LD_PRELOAD", path, 1);
	memory_free(&memory);
	return result == 0 ? 0 : run_fail("LD_PRELOAD", strerror(errno));
}

/* --- the arguments of a rule ---------------------------------------------- */

/* With %lo and %hi replaced. */
static char *expand(const char *argument, const struct port_set *range)
{
	char *text;
	size_t size;
	FILE *stream = memory_stream(&text, &size);
	uint32_t lo = 0, hi = 0;

	/* For a program that takes a single range. */
	port_set_longest_run(range, &lo, &hi);
	while (*argument != '\0') {
		const bool is_lo = strncmp(argument, "%lo", 3) == 0;

		if (is_lo || strncmp(argument, "%hi", 3) == 0) {
			fprintf(stream, "%u", is_lo ? lo : hi);
			argument += 3;
		} else {
			fputc(*argument++, stream);
		}
	}
	memory_stream_end(stream);
	return text;
}

/* The words are never freed: this process execs. */
static void append(struct run *run, char *word)
{
	static struct memory memory;
	size_t n = 0;
	char **words;

	while (run->command[n] != NULL)
		n++;
	words = memory_take(&memory, n + 2, sizeof(*words));
	memcpy(words, run->command, n * sizeof(*words));
	words[n] = word;
	run->command = words;
}

void run_append_arguments(struct run *run, const char *exe, const char *name)
{
	struct identity identity;
	const struct program program = program_of_command(exe, name, &identity);
	const struct policy *policy = &run->view.policy;
	const struct policy_rule *rule;
	const char *argument;

	if (view_settle(&run->view, &program, &rule) != SETTLED_RULE ||
	    policy_observes(policy))
		return;
	argument = policy_string(&run->view.in_force.tables, rule->arguments);
	for (; argument != NULL && *argument != '\0';
	     argument = policy_next_string(argument))
		append(run,
		       expand(argument,
			      policy->ranges[PROTOCOL_TCP][ROLE_OF_LISTEN]));
}
