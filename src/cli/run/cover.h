/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Which programs a preloaded library cannot cover, told before they start.
 *
 * The dynamic linker preloads; so a program without one, one that it starts in
 * secure mode (ld.so(8): setuid, setgid, file capabilities) and one with the
 * linker of another libc or machine are out of reach, and Go programs make
 * their system calls without libc. For a script its interpreter counts. Commands
 * that start others in a clean environment are covered, but what they start is
 * not (cover_clean.h).
 */

#include <limits.h>
#include <stdbool.h>

#define COVER_LINE_SIZE 257	/* the kernel looks at 256 bytes of a line */

/* What was found, and why it is not covered. */
struct cover_gap {
	char program[PATH_MAX];	/* the file itself, or its interpreter */
	char name[NAME_MAX + 1];	/* of the process, as the kernel gives it:
				   a script's own, but not behind env(1) */
	char cleaner[PATH_MAX];	/* "", or the file of cover_clean.h met first */
	char started[PATH_MAX];	/* "", or the file that is not covered, which
				   program starts (cover_start.h) */
	const char *reason;	/* "statically linked"; static */
	bool certain;		/* false: it could not be read, or the next */
	bool only_starts;	/* program is covered, what cleaner starts not */
	bool is_script;		/* of which program is the interpreter */
	char arguments[COVER_LINE_SIZE];	/* of the interpreter, as they
				   stand in the script's first line */
};

/*
 * Finds the file that execvp(3) would start for a name, by its rules.
 * Returns 0; -ENOENT when there is none; -EACCES when there is, but none that
 * this user may execute; -ENAMETOOLONG.
 */
int cover_find(const char *name, char path[PATH_MAX]);

/*
 * Looks at a program that cover_find() gave, and at the arguments that it would
 * get, up to NULL. Follows "#!" as often as the kernel does (exec_binprm() in
 * fs/exec.c), through env(1) too, and looks at what a command of cover_start.h
 * starts. Returns whether Berth covers it; if not, *gapp tells why. What does not
 * exist is no gap: execvp(3) has an error for it.
 */
bool cover_check(const char *path, char *const arguments[],
		 struct cover_gap *gapp);

/* Whether a file is that of this command. */
bool cover_is_own(const char *path);
