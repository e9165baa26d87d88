/* SPDX-License-Identifier: MIT */
#pragma once

/* The commands of berth. */

#include "cli/options.h"

extern const struct options command_check, command_explain, command_load,
	command_log, command_port, command_run, command_status, command_sweep,
	command_unload;
