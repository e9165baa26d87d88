/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdint.h>

/* The name of a user, or without one the number. Valid until the next call. */
const char *user_name(uint32_t uid);
