/* SPDX-License-Identifier: MIT */
#include "cli/run/cover.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <paths.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "cli/run/cover_start.h"

#define SCRIPT_HEAD_SIZE 256 /* BINPRM_BUF_SIZE in linux/binfmts.h */
#define SCRIPTS_MAX 5	     /* exec_binprm() in fs/exec.c */

/* --- what berth itself is, and so libberth.so ----------------------------- */

extern const ElfW(Ehdr) own_header __asm__("__ehdr_start")
	__attribute__((visibility("hidden")));

static const char *own_interpreter(void)
{
	const uintptr_t start = (uintptr_t)&own_header;
	const ElfW(Phdr) *header = (const void *)(start + own_header.e_phoff);

	for (unsigned int i = 0; i < own_header.e_phnum; i++)
		if (header[i].p_type == PT_INTERP)
			return (const char *)(start + header[i].p_offset);
	return NULL;
}

static bool is_same_file(const char *path, const struct stat *status)
{
	struct stat other;

	return path != NULL && stat(path, &other) == 0 &&
	       other.st_dev == status->st_dev && other.st_ino == status->st_ino;
}

/* --- ELF ------------------------------------------------------------------ */

struct program {
	const char *path;
	int fd;
	struct stat status;
	size_t n_head;
	union {
		ElfW(Ehdr) elf;
		char text[SCRIPT_HEAD_SIZE + 1];
	} head;
};

/*
 * Whether it starts in secure mode, in which LD_PRELOAD is not followed: when
 * the effective user or group becomes another one, or capabilities are gained
 * by someone who is not root (cap_bprm_creds_from_file() in
 * security/commoncap.c).
 */
static const char *secure_reason(const struct program *program)
{
	const mode_t mode = program->status.st_mode;
	struct statvfs mount;

	if (statvfs(program->path, &mount) == 0 && mount.f_flag & ST_NOSUID)
		return NULL;
	if (getuid() != 0 &&
	    getxattr(program->path, "security.capability", NULL, 0) > 0)
		return "has file capabilities";
	if (prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1)
		return NULL;
	if (mode & S_ISUID && program->status.st_uid != getuid())
		return "setuid";
	/* Without the group's x bit, setgid once meant mandatory locks. */
	if (mode & S_ISGID && mode & S_IXGRP &&
	    program->status.st_gid != getgid())
		return "setgid";
	return NULL;
}

static bool is_own_libc(const struct program *program,
			const ElfW(Phdr) * header)
{
	const char *own = own_interpreter();
	char theirs[PATH_MAX];
	size_t size = header->p_filesz;

	if (size == 0 || size > sizeof(theirs) ||
	    pread(program->fd, theirs, size, (off_t)header->p_offset) !=
		    (ssize_t)size)
		return true; /* broken: execve(2) says so */
	theirs[size - 1] = '\0';
	return own == NULL ||
	       !strcmp(cover_file_name(own), cover_file_name(theirs));
}

static const char *linker_reason(const struct program *program)
{
	const ElfW(Ehdr) *elf = &program->head.elf;
	bool is_linked = false, is_foreign = false;

	for (unsigned int i = 0; i < elf->e_phnum; i++) {
		ElfW(Phdr) header;
		const off_t at = (off_t)(elf->e_phoff + i * sizeof(header));

		if (pread(program->fd, &header, sizeof(header), at) !=
		    sizeof(header))
			return NULL;
		if (cover_is_go(program->fd, &header))
			return "a Go program, which does not use libc";
		if (header.p_type != PT_INTERP)
			continue;
		is_linked = true;
		is_foreign |= !is_own_libc(program, &header);
	}
	if (is_foreign)
		return "linked with another libc";
	if (is_linked || is_same_file(own_interpreter(), &program->status))
		return NULL;
	return "statically linked";
}

static const char *elf_reason(const struct program *program)
{
	const ElfW(Ehdr) *elf = &program->head.elf;
	const char *reason = secure_reason(program);

	if (reason != NULL)
		return reason;
	if (elf->e_ident[EI_CLASS] != own_header.e_ident[EI_CLASS])
		return "of another word size";
	if (elf->e_ident[EI_DATA] != own_header.e_ident[EI_DATA] ||
	    elf->e_machine != own_header.e_machine)
		return "for another machine";
	return linker_reason(program);
}

/* --- scripts -------------------------------------------------------------- */

static void note_name(const char *path, struct cover_gap *gapp)
{
	snprintf(gapp->name, sizeof(gapp->name), "%s", cover_file_name(path));
}

static void note_cleaner(const char *path, char *const arguments[],
			 struct cover_gap *gapp)
{
	if (gapp->cleaner[0] == '\0' && cover_cleans(path, arguments))
		snprintf(gapp->cleaner, sizeof(gapp->cleaner), "%s", path);
}

/* Cuts the first line of a script into words, and finds the interpreter in it.
 * Returns false when there is none. */
static bool script_interpreter(struct program *program, char path[PATH_MAX],
			       struct cover_gap *gapp)
{
	static char script[] = "";
	char *const none[] = { script, NULL };
	char *word = program->head.text + 2, *rest;
	char *const *started;

	word += strspn(word, " \t");
	word[strcspn(word, "\n")] = '\0';
	rest = word + strcspn(word, " \t");
	if (*rest != '\0')
		*rest++ = '\0';
	rest += strspn(rest, " \t");
	for (size_t n = strlen(rest); n > 0 && strchr(" \t", rest[n - 1]); n--)
		rest[n - 1] = '\0';

	/* The kernel passes all that follows as one word, and the script. */
	char *const words[] = { *rest != '\0' ? rest : script,
				*rest != '\0' ? script : NULL, NULL };

	note_cleaner(word, words, gapp);
	gapp->arguments = cover_split(rest, none);
	started = strcmp(cover_file_name(word), "env") == 0
			  ? cover_started(word, words)
			  : NULL;
	/* Not found: then env runs, and reports it. */
	if (started != NULL && cover_find(*started, path) == 0) {
		note_name(path, gapp);
		gapp->arguments = cover_split("", started + 1);
		return true;
	}
	if (word[0] == '\0')
		return false;
	snprintf(path, PATH_MAX, "%s", word);
	return true;
}

/* --- the whole ----------------------------------------------------------- */

/* Returns 0, or -errno: -EACCES also when it may be executed but not read. */
static int program_open(struct program *program, const char *path)
{
	ssize_t n;

	*program = (struct program){ .path = path, .fd = -1 };
	if (stat(path, &program->status) != 0)
		return -errno;
	program->fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (program->fd < 0)
		return -errno;
	n = pread(program->fd, program->head.text, SCRIPT_HEAD_SIZE, 0);
	program->n_head = n > 0 ? (size_t)n : 0;
	return 0;
}

static bool is_elf(const struct program *program)
{
	return program->n_head >= sizeof(program->head.elf) &&
	       memcmp(program->head.text, ELFMAG, SELFMAG) == 0;
}

static void unread_reason(const struct program *program, int error,
			  struct cover_gap *gapp)
{
	if (error != -EACCES)
		return;
	gapp->reason = secure_reason(program);
	gapp->certain = gapp->reason != NULL;
	if (!gapp->certain)
		gapp->reason = "not readable";
}

/* Returns true, and the interpreter to look at, for a script. */
static bool look(const char *path, struct cover_gap *gapp,
		 char interpreter[PATH_MAX])
{
	struct program program;
	const int error = program_open(&program, path);
	bool is_script = false;

	gapp->reason = NULL;
	gapp->certain = true;
	snprintf(gapp->program, sizeof(gapp->program), "%s", path);
	if (error != 0) {
		unread_reason(&program, error, gapp);
	} else if (is_elf(&program)) {
		gapp->reason = elf_reason(&program);
	} else if (memcmp(program.head.text, "#!", 2) == 0) {
		is_script = script_interpreter(&program, interpreter, gapp);
	} else {
		/* ENOEXEC: execvp(3) runs it by the shell, if it is text. */
		is_script = !is_same_file(_PATH_BSHELL, &program.status);
		snprintf(interpreter, PATH_MAX, "%s", _PATH_BSHELL);
		gapp->arguments = NULL;
		note_name(_PATH_BSHELL, gapp);
	}
	if (program.fd >= 0)
		close(program.fd);
	return is_script;
}

static bool check_one(const char *path, char *const arguments[],
		      struct cover_gap *gapp)
{
	char interpreter[PATH_MAX], next[PATH_MAX];

	*gapp = (struct cover_gap){ .certain = true };
	note_name(path, gapp);
	note_cleaner(path, arguments, gapp);
	for (unsigned int n = 0; look(path, gapp, next); n++) {
		if (n == SCRIPTS_MAX)
			break;
		snprintf(interpreter, sizeof(interpreter), "%s", next);
		path = interpreter;
	}
	if (gapp->reason == NULL && gapp->cleaner[0] != '\0') {
		gapp->reason = "starts programs without LD_PRELOAD";
		gapp->certain = false;
		gapp->only_starts = true;
	}
	return gapp->reason == NULL;
}

static void note_started(const struct cover_gap *gap, struct cover_gap *gapp)
{
	gapp->reason = gap->reason;
	gapp->certain = gap->certain;
	gapp->only_starts = gap->only_starts;
	memcpy(gapp->started, gap->only_starts ? gap->cleaner : gap->program,
	       sizeof(gapp->started));
}

bool cover_check(const char *path, char *const arguments[],
		 struct cover_gap *gapp)
{
	bool is_covered = check_one(path, arguments, gapp);
	char *const *words = cover_started(path, arguments);
	struct cover_gap gap;
	char started[PATH_MAX];

	/* Not found: the program that would start it reports that. */
	for (; is_covered && words != NULL && cover_find(*words, started) == 0;
	     words = cover_started(*words, words + 1)) {
		is_covered = check_one(started, words + 1, &gap);
		if (!is_covered)
			note_started(&gap, gapp);
	}
	return is_covered;
}

bool cover_is_own(const char *path)
{
	struct stat own;

	return stat("/proc/self/exe", &own) == 0 && is_same_file(path, &own);
}
