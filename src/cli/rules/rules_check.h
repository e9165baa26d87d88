/* SPDX-License-Identifier: MIT */
#pragma once

#include "cli/rules/maker.h"

/* Finds what is wrong with rules that have been made. */
void rules_check(struct maker *maker);
