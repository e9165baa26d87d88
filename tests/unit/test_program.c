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
#include <sys/wait.h>
#include <unistd.h>

/* A child that runs cat, with its input open until the test ends. */
static pid_t start_cat(char *const environment[])
{
	int in[2], out[2];
	char byte = 'x';
	pid_t pid;

	cr_assert_eq(pipe2(in, O_CLOEXEC), 0);
	cr_assert_eq(pipe2(out, O_CLOEXEC), 0);
	pid = fork();
	if (pid == 0) {
		dup2(in[0], 0);
		dup2(out[1], 1);
		execve("/bin/cat", (char *[]){ (char[]){ "cat" }, NULL },
		       environment);
		_exit(127);
	}
	close(out[1]);
	/* The kernel shows a process whole only after its exec. */
	cr_assert_eq(write(in[1], &byte, 1), 1);
	cr_assert_eq(read(out[0], &byte, 1), 1);
	close(out[0]);
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
	static struct identity identity;
	struct program program;
	const pid_t pid = start_cat((char *[]){ other, profile, NULL });

	cr_assert_not_null(realpath("/bin/cat", exe));
	snprintf(uid, sizeof(uid), "%u", geteuid());
	cr_assert_eq(program_of_process(pid, &identity, &program), 0);
	cr_assert_str_eq(program.values[CONDITION_EXE], exe);
	cr_assert_str_eq(program.values[CONDITION_NAME], "cat");
	cr_assert_str_eq(program.values[CONDITION_PROFILE], "web");
	cr_assert_str_eq(program.values[CONDITION_UID], uid);
	cr_assert_not(program_is_covered(pid));
	end(pid);
	cr_assert_eq(program_of_process(pid, &identity, &program), -ESRCH);
}

Test(program, has_its_first_environment)
{
	char empty[] = "EMPTY=", range[] = "BERTH_RANGE=1-2";
	const pid_t pid = start_cat((char *[]){ empty, range, NULL });

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
	const pid_t pid = start_cat((char *[]){ NULL });

	cr_assert_eq(prctl(PR_SET_NAME, "a\tb\nc"), 0);
	cr_assert_str_eq(program_label(getpid()).name, "a\tb\nc");
	cr_assert_eq(prctl(PR_SET_NAME, "0123456789abcdef"), 0);
	cr_assert_str_eq(program_label(getpid()).name, "0123456789abcde");
	cr_assert_eq(atoi(program_label(pid).pid), pid);
	end(pid);
	cr_assert_str_eq(program_label(pid).name, "?");
	cr_assert_str_eq(program_label(0).name, "?");
	cr_assert_str_eq(program_label(0).pid, "?");
}

Test(program, that_is_to_be_started_has_the_file_of_its_interpreter)
{
	char sh[PATH_MAX];
	static struct identity identity;
	struct program program;

	cr_assert_not_null(realpath("/bin/sh", sh));
	unsetenv("BERTH_PROFILE");
	program = program_of_command("/bin/sh", "a-script-of-a-long-name",
				     &identity);
	cr_assert_str_eq(program.values[CONDITION_EXE], sh);
	cr_assert_str_eq(program.values[CONDITION_NAME], "a-script-of-a-l");
	cr_assert_null(program.values[CONDITION_PROFILE]);
	setenv("BERTH_PROFILE", "web", 1);
	program = program_of_command("/bin/sh", "sh", &identity);
	cr_assert_str_eq(program.values[CONDITION_PROFILE], "web");
}
