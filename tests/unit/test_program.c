/* SPDX-License-Identifier: MIT */
#include "cli/program.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* A child that waits for its signal, after exec where path is one. */
static pid_t start(const char *path, char *const environment[])
{
	int ready[2];
	char byte;
	pid_t pid;

	cr_assert_eq(pipe2(ready, O_CLOEXEC), 0);
	pid = fork();
	if (pid == 0) {
		execve(path, (char *[]){ (char *)path, (char []){ "60" },
					 NULL }, environment);
		_exit(127);
	}
	close(ready[1]);
	/* The end of the pipe is closed by the exec. */
	cr_assert_eq(read(ready[0], &byte, 1), 0);
	close(ready[0]);
	return pid;
}

static void end(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

Test(program, that_runs_is_seen_as_it_was_started)
{
	char profile[] = "BERTH_PROFILE=web", other[] = "BERTH_PROFILES=x";
	char exe[PATH_MAX], uid[12];
	static struct program_texts texts;
	struct program program;
	const pid_t pid = start("/bin/sleep",
				(char *[]){ other, profile, NULL });

	cr_assert_not_null(realpath("/bin/sleep", exe));
	snprintf(uid, sizeof(uid), "%u", geteuid());
	cr_assert_eq(program_of_process(pid, &texts, &program), 0);
	cr_assert_str_eq(program.values[CONDITION_EXE], exe);
	cr_assert_str_eq(program.values[CONDITION_NAME], "sleep");
	cr_assert_str_eq(program.values[CONDITION_PROFILE], "web");
	cr_assert_str_eq(program.values[CONDITION_UID], uid);
	cr_assert_not(program_is_covered(pid));
	end(pid);
	cr_assert_eq(program_of_process(pid, &texts, &program), -ESRCH);
}

Test(program, has_its_first_environment)
{
	char empty[] = "EMPTY=", range[] = "BERTH_RANGE=1-2";
	const pid_t pid = start("/bin/sleep",
				(char *[]){ empty, range, NULL });

	program_open_environment(pid);
	cr_assert_str_eq(program_lookup("BERTH_RANGE"), "1-2");
	cr_assert_str_eq(program_lookup("EMPTY"), "");
	cr_assert_null(program_lookup("BERTH_RANG"));
	cr_assert_null(program_lookup("1-2"));
	program_close_environment();
	cr_assert_null(program_lookup("BERTH_RANGE"));
	end(pid);
}

Test(program, has_any_name)
{
	char name[PROGRAM_NAME_SIZE];
	const pid_t pid = start("/bin/sleep", (char *[]){ NULL });

	cr_assert_eq(prctl(PR_SET_NAME, "a\tb\nc"), 0);
	program_name(getpid(), name);
	cr_assert_str_eq(name, "a\tb\nc");
	cr_assert_eq(prctl(PR_SET_NAME, "0123456789abcdef"), 0);
	program_name(getpid(), name);
	cr_assert_str_eq(name, "0123456789abcde");
	end(pid);
	program_name(pid, name);
	cr_assert_str_eq(name, "?");
}

static void write_script(char path[], const char *line)
{
	const int fd = mkstemp(path);

	cr_assert_geq(fd, 0);
	dprintf(fd, "%s\n", line);
	close(fd);
}

Test(program, that_is_to_be_started_has_its_interpreter)
{
	char path[] = "/tmp/berth-programXXXXXX", sh[PATH_MAX];
	static struct program_texts texts;
	struct program program;

	cr_assert_not_null(realpath("/bin/sh", sh));
	unsetenv("BERTH_PROFILE");
	write_script(path, "#!/bin/sh");
	program = program_of_command(path, "/bin/sh", &texts);
	cr_assert_str_eq(program.values[CONDITION_EXE], sh);
	cr_assert_eq(strncmp(path + 5, program.values[CONDITION_NAME], 15), 0);
	cr_assert_null(program.values[CONDITION_PROFILE]);
	unlink(path);
}

Test(program, that_env_starts_has_the_name_of_what_is_started)
{
	char path[] = "/tmp/berth-programXXXXXX";
	static struct program_texts texts;
	struct program program;

	setenv("BERTH_PROFILE", "web", 1);
	write_script(path, "#! /usr/bin/env sh");
	program = program_of_command(path, "/bin/sh", &texts);
	cr_assert_str_eq(program.values[CONDITION_NAME], "sh");
	cr_assert_str_eq(program.values[CONDITION_PROFILE], "web");
	unlink(path);
}
