/* SPDX-License-Identifier: MIT */
#pragma once

/* seccomp(2), which libc has no function for, with libc's result and errno. */
long prctl_seccomp(unsigned int operation, unsigned int flags,
		   const void *argument);
