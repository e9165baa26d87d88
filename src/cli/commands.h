/* SPDX-License-Identifier: MIT */
#pragma once

/* The commands of berth. Each gets its own words, with its name as argv[0],
 * answers --help, and returns the exit status. */

#define EXIT_USAGE 2
#define EXIT_BERTH_FAILED 125 /* of run, like env(1) and chroot(1) */
#define EXIT_CANNOT_RUN 126
#define EXIT_NOT_FOUND 127

int command_check(int argc, char *argv[]);
int command_explain(int argc, char *argv[]);
int command_load(int argc, char *argv[]);
int command_log(int argc, char *argv[]);
int command_port(int argc, char *argv[]);
int command_run(int argc, char *argv[]);
int command_status(int argc, char *argv[]);
int command_sweep(int argc, char *argv[]);
int command_unload(int argc, char *argv[]);
