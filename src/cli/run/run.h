/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The parts of berth run. Each says on standard error what goes wrong, and
 * returns 0 or the exit status.
 */

#include <limits.h>
#include <stdbool.h>

#include "cli/view.h"

/* Settings that have both an option and a variable of the environment. */
enum run_option { RUN_RANGE, RUN_RESERVE, RUN_ALGORITHM, N_RUN_OPTIONS };

struct run {
	const char *options[N_RUN_OPTIONS]; /* NULL = not given */
	const char *config_path;	    /* --config, or NULL */
	const char *profile;		    /* --profile, or NULL */
	bool strict;
	char **command;
	struct view view; /* as it is when COMMAND starts */
};

/* Says why Berth fails. Returns EXIT_BERTH_FAILED. */
int run_fail(const char *what, const char *why);

/*
 * Settles what the program will find: options go into the environment, and a
 * configuration file into force, where that is due. view_close() is
 * due in any case.
 */
int run_settle_policy(struct run *run);

/*
 * Appends the arguments that the rule of a program has for it: see
 * program_of_command().
 */
void run_append_arguments(struct run *run, const char *exe, const char *name);

/* Finds libberth.so: BERTH_LIBRARY, of the build tree, or installed. */
int run_find_library(char path[PATH_MAX]);

/* Puts it before what LD_PRELOAD has. */
int run_preload(const char *path);
