/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Finds programs that a preloaded library cannot cover, before they start.
 *
 * The dynamic linker preloads. Out of reach are: programs without one, those
 * that it starts in secure mode (ld.so(8): setuid, setgid, file capabilities),
 * those with the linker of another libc or machine, and Go programs, which make
 * their system calls without libc. For a script its interpreter counts.
 * Commands that start others in a clean environment are covered, but what they
 * start is not (cover_start.h).
 */

#include <limits.h>
#include <link.h>
#include <stdbool.h>

/* What was found, and why it is not covered. */
struct cover_gap {
	char program[PATH_MAX]; /* the file itself, or its interpreter */
	/* That the kernel gives the process: of a script, but not of one for
	 * env(1) */
	char name[NAME_MAX + 1];
	/* "", or the first command met that starts others in a clean
	 * environment */
	char cleaner[PATH_MAX];
	/* "", or the file that is not covered, which program starts
	 * (cover_start.h) */
	char started[PATH_MAX];
	const char *reason; /* "statically linked"; static */
	bool certain;	    /* false: the file could not be read */
	bool only_starts;   /* only what cleaner starts is not covered */
	/* NULL; or of an interpreter, up to NULL: those of the first line, and
	 * the script */
	char **arguments;
};

/*
 * Finds the file that execvp(3) would start for a name, by its rules.
 * Returns 0; -ENOENT when there is none; -EACCES when there is, but none that
 * this user may execute; -ENAMETOOLONG.
 */
int cover_find(const char *name, char path[PATH_MAX]);

/*
 * Looks at a program that cover_find() gave, and at its arguments, up to NULL.
 * Follows "#!" as often as the kernel does (exec_binprm() in fs/exec.c),
 * through env(1) too, and looks at what a command of cover_start.h starts.
 * Returns whether Berth covers it; if not, *gapp has the reason. A missing file
 * is no gap: execvp(3) has an error for it.
 */
bool cover_check(const char *path, char *const arguments[],
		 struct cover_gap *gapp);

/* Whether a file is that of berth itself. */
bool cover_is_own(const char *path);

/*
 * Whether a segment of an ELF file shows that Go made it. If it is also linked
 * with C, it has a dynamic linker, but its sockets are raw system calls all the
 * same. Go's linker leaves a note, among those of other linkers; when that was
 * stripped, there is still the block of runtime/debug.BuildInfo at the start of
 * the data.
 */
bool cover_is_go(int fd, const ElfW(Phdr) * header);
