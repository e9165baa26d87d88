/* SPDX-License-Identifier: MIT */
#include "cli/program.h"

#include <elf.h>
#include <errno.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/memory.h"
#include "cli/message.h"
#include "kernel/users.h"

#define DELETED " (deleted)" /* d_path() in fs/d_path.c */

/* useradd(8) allows 32 bytes; a longer name is shown as the number. */
#define USER_NAME_SIZE 64

/* The number in the initial user namespace, if that is known. */
static void set_uid(struct identity *identity, const char *map,
		    unsigned long uid)
{
	struct users users;

	users_read_map(map, &users);
	if (!users_are_known(&users))
		message("the program is in a user namespace: its user outside "
			"is not known, and no section with uid matches");
	else
		snprintf(identity->uid, sizeof(identity->uid), "%lu", uid);
}

struct program program_of_command(const char *exe, const char *name,
				  struct identity *identity)
{
	const char *profile = getenv("BERTH_PROFILE");

	*identity = (struct identity){ .profile = NULL };
	if (realpath(exe, identity->exe) == NULL)
		identity->exe[0] = '\0';
	snprintf(identity->name, sizeof(identity->name), "%s", name);
	set_uid(identity, "/proc/self/uid_map", geteuid());
	if (profile != NULL && *profile != '\0')
		identity->profile = profile;
	return identity_program(identity);
}

static FILE *open_file(pid_t pid, const char *name)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, name);
	return fopen(path, "re");
}

static void read_exe(pid_t pid, struct identity *identity)
{
	const size_t suffix = sizeof(DELETED) - 1;
	char path[64];
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%d/exe", (int)pid);
	n = readlink(path, identity->exe, sizeof(identity->exe) - 1);
	if (n <= 0)
		return;
	if ((size_t)n > suffix &&
	    memcmp(identity->exe + n - suffix, DELETED, suffix) == 0)
		n -= (ssize_t)suffix;
	identity->exe[n] = '\0';
}

static bool read_name(pid_t pid, char name[IDENTITY_NAME_SIZE])
{
	FILE *file = open_file(pid, "comm");
	size_t length = 0;

	if (file == NULL)
		return false;
	length = fread(name, 1, IDENTITY_NAME_SIZE, file);
	fclose(file);
	/* The newline at the end is the kernel's. */
	if (length > 0)
		name[length - 1] = '\0';
	return length > 0;
}

struct program_label program_label(pid_t pid)
{
	struct program_label label = { "?", "?" };

	if (pid != 0) {
		snprintf(label.pid, sizeof(label.pid), "%d", (int)pid);
		if (!read_name(pid, label.name))
			memcpy(label.name, "?", sizeof("?"));
	}
	return label;
}

const char *user_name(uint32_t uid)
{
	static char text[USER_NAME_SIZE];
	static uint32_t last;
	const struct passwd *user;
	int length = -1;

	/* Callers often ask for one user several times in a row. */
	if (text[0] != '\0' && uid == last)
		return text;
	user = getpwuid(uid);
	if (user != NULL)
		length = snprintf(text, sizeof(text), "%s", user->pw_name);
	if (length <= 0 || length >= USER_NAME_SIZE)
		snprintf(text, sizeof(text), "%u", uid);
	last = uid;
	return text;
}

/* The effective uid at the start, which the process may have changed since. */
static bool read_uid(pid_t pid, struct identity *identity)
{
	FILE *file = open_file(pid, "auxv");
	unsigned long entry[2];
	char path[64];
	bool found = false;

	if (file == NULL)
		return false;
	while (!found && fread(entry, sizeof(entry), 1, file) == 1)
		found = entry[0] == AT_EUID;
	fclose(file);
	if (found) {
		snprintf(path, sizeof(path), "/proc/%d/uid_map", (int)pid);
		set_uid(identity, path, entry[1]);
	}
	return found;
}

/* The text of /proc/PID/environ, with one more NUL at the end. */
static char *opened_environment;

void program_open_environment(pid_t pid)
{
	FILE *file = open_file(pid, "environ");
	FILE *copy;
	size_t size;
	int byte;

	program_close_environment();
	if (file == NULL)
		return;
	copy = memory_stream(&opened_environment, &size);
	while ((byte = fgetc(file)) != EOF)
		fputc(byte, copy);
	fclose(file);
	fputc('\0', copy);
	fputc('\0', copy);
	memory_stream_end(copy);
}

void program_close_environment(void)
{
	free(opened_environment);
	opened_environment = NULL;
}

char *program_lookup(const char *name)
{
	const size_t length = strlen(name);

	for (char *entry = opened_environment; entry != NULL && *entry != '\0';
	     entry += strlen(entry) + 1)
		if (strncmp(entry, name, length) == 0 && entry[length] == '=')
			return entry + length + 1;
	return NULL;
}

bool program_is_covered(pid_t pid)
{
	FILE *file = open_file(pid, "maps");
	char *line = NULL;
	size_t size = 0;
	bool found = false;

	if (file == NULL)
		return false;
	while (!found && getline(&line, &size, file) > 0)
		found = strstr(line, "/libberth.so") != NULL;
	free(line);
	fclose(file);
	return found;
}

int program_of_process(pid_t pid, struct identity *identity,
		       struct program *programp)
{
	const char *profile;

	*identity = (struct identity){ .profile = NULL };
	if (!read_name(pid, identity->name))
		return -ESRCH;
	read_exe(pid, identity);
	program_open_environment(pid);
	profile = program_lookup("BERTH_PROFILE");
	if (profile != NULL && *profile != '\0')
		identity->profile = profile;

	const bool has_uid = read_uid(pid, identity);

	*programp = identity_program(identity);
	if (!has_uid)
		programp->values[CONDITION_UID] = NULL;
	return 0;
}
