/* SPDX-License-Identifier: MIT */
#pragma once

/* The commands of berth. */

#include "cli/options.h"

#define EXIT_USAGE 2
#define EXIT_BERTH_FAILED 125 /* of run, like env(1) and chroot(1) */
#define EXIT_CANNOT_RUN 126
#define EXIT_NOT_FOUND 127

extern const struct options command_check, command_explain, command_load,
	command_log, command_port, command_run, command_status, command_sweep,
	command_unload;
