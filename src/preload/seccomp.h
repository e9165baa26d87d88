/* SPDX-License-Identifier: MIT */
#pragma once

/* seccomp(2), which libc has no function for, with libc's result and errno. */
long seccomp_hooked(unsigned int operation, unsigned int flags,
		   const void *argument);
