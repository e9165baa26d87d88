/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdint.h>

/* The name of a user, or the number without one; until the next call. */
const char *user_name(uint32_t uid);
