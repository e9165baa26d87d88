/* SPDX-License-Identifier: MIT */
/*
 * inject_berth LIBBERTH BERTH TARGET: every system call of berth load, unload,
 * run, sweep, status and port fails once with some errnos of its manual page,
 * and is once cut short; and then each kind of call for good. Inside
 * in_namespace -t, and there in a pid namespace of its own, so that status
 * finds a few processes only.
 *
 * A command ends, and by itself. Its status is 0 only if it has done what it is
 * for, or says what is different; else it says why, and has changed nothing.
 *
 * As root without BERTH_DIR: WORLD_FOLDER is the default, /run/berth, and a
 * policy in another folder is one that nobody follows.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "plan.h"
#include "tracee.h"
#include "world.h"

#define STATUS_SKIP 77
#define MAX_WORDS 10
#define MAX_DETAILS 12

#define CONFIGURATION WORLD_FOLDER ".conf"
#define OTHER_CONFIGURATION WORLD_FOLDER "-other.conf"
#define RANGE_LO 20000
#define RANGE_HI 20099
#define RANGE "20000-20099"
#define MAP_MODE 0640
#define MODE "map-mode = \"0640\"\n"

/* What a command finds. */
enum beginning {
	BEGIN_EMPTY,		/* no file of Berth's */
	BEGIN_MAP,		/* no policy in force */
	BEGIN_POLICY,
};

/* What its status of 0 says. */
enum effect {
	EFFECT_NONE,
	EFFECT_LOADED,
	EFFECT_UNLOADED,
	EFFECT_PORT,		/* a port of the range in force is printed */
	EFFECT_BOUND_BY,	/* a program starts, and the policy is known */
};

struct command {
	const char *name;
	enum beginning beginning;
	enum effect effect;
	int n_skipped;		/* see plan.h */
	const char *setting;	/* of the environment, or NULL */
	const char *words[MAX_WORDS];
};

static const struct command commands[] = {
	{ "first load", BEGIN_EMPTY, EFFECT_LOADED, 5, NULL,
	  { "load", CONFIGURATION } },
	{ "load", BEGIN_POLICY, EFFECT_LOADED, 5, NULL,
	  { "load", OTHER_CONFIGURATION } },
	{ "unload", BEGIN_POLICY, EFFECT_UNLOADED, 3, NULL, { "unload" } },
	{ "run", BEGIN_MAP, EFFECT_NONE, 5, NULL,
	  { "run", "--range", "40000-40099", "--", "TARGET", "40000-40099",
	    "bind4", "connect4" } },
	{ "run, by a policy", BEGIN_POLICY, EFFECT_NONE, 5, NULL,
	  { "run", "--", "TARGET", RANGE, "bind4", "connect4" } },
	{ "run, which refuses", BEGIN_POLICY, EFFECT_BOUND_BY, 5,
	  "BERTH_ON_ERROR=refuse", { "run", "--", "true" } },
	{ "sweep", BEGIN_POLICY, EFFECT_NONE, 6, NULL, { "sweep" } },
	{ "sweep --proc", BEGIN_POLICY, EFFECT_NONE, 7, NULL,
	  { "sweep", "--proc" } },
	{ "status", BEGIN_POLICY, EFFECT_NONE, 6, NULL, { "status" } },
	{ "port", BEGIN_POLICY, EFFECT_PORT, 3, NULL, { "port" } },
};

/* One command under way. */
struct injecting {
	const struct command *command;
	struct world world;
	struct tracee tracee;
	const char *argv[MAX_WORDS + 2];
	struct outcome sound, outcome;
	struct plan plan;
	unsigned long edition;		/* of the policy before */
	unsigned int n_details;
};

static const char *berth, *target;
static const char *environment[4];

/* --- a run --------------------------------------------------------------- */

static void write_file(const char *path, const char *text)
{
	const int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC,
			    0644);

	if (fd < 0 || write(fd, text, strlen(text)) < 0) {
		perror(path);
		exit(99);
	}
	close(fd);
}

static void run(struct injecting *self, const struct fault *fault,
		struct outcome *outcome)
{
	if (self->command->beginning == BEGIN_EMPTY)
		world_clear(&self->world);
	else
		world_restore(&self->world);
	if (!tracee_run(&self->tracee, fault, outcome)) {
		printf("1..0 # SKIP no ptrace(2) here\n");
		exit(STATUS_SKIP);
	}
	if (self->command->beginning == BEGIN_EMPTY)
		world_keep(&self->world);
}

/* Runs berth without a fault, before the command. */
static void run_berth(struct injecting *self, const char *command,
		      const char *word)
{
	const char *const argv[] = { berth, command, word, NULL };
	const struct fault none = { .nth = 0 };
	struct tracee tracee = { .argv = argv, .environment = environment,
				 .span = SPAN_COMMAND, .text = "/berth" };

	tracee_run(&tracee, &none, &self->outcome);
	if (self->outcome.status != 0) {
		printf("Bail out! berth %s: %s\n", command,
		       self->outcome.errors);
		exit(99);
	}
}

/* A map and a policy, as every run is to find them. */
static void prepare(struct injecting *self)
{
	const enum beginning beginning = self->command->beginning;

	world_clear(&self->world);
	self->edition = 0;
	if (beginning == BEGIN_EMPTY)
		return;
	run_berth(self, "load", CONFIGURATION);
	if (beginning == BEGIN_MAP)
		run_berth(self, "unload", NULL);
	world_keep(&self->world);
	self->edition = world_edition(&self->world);
	if (self->edition % 2 != (beginning == BEGIN_POLICY)) {
		printf("Bail out! edition %lu\n", self->edition);
		exit(99);
	}
}

/* --- what came of it ------------------------------------------------------ */

static bool is_write_to(const struct fault *fault)
{
	return fault->call.number == SYS_write ||
	       fault->call.number == SYS_writev;
}

static size_t count_lines(const char *text)
{
	size_t n = 0;

	for (; *text != '\0'; text++)
		n += *text == '\n';
	return n;
}

/* What a command does not find is not there, as far as it can tell. */
static bool is_absence(const struct fault *fault)
{
	return fault->error == ENOENT && (fault->call.number == SYS_openat ||
					  fault->call.number == SYS_newfstatat);
}

/* On standard error; or by status, where it shows why there is no map. */
static bool is_told(const struct injecting *self)
{
	return strcmp(self->outcome.errors, self->sound.errors) != 0 ||
	       strstr(self->outcome.output, strerror(EACCES)) != NULL;
}

static mode_t mode_of_map(const struct injecting *self)
{
	struct stat status = { .st_mode = 0 };

	stat(self->world.files[FILE_MAP].path, &status);
	return status.st_mode & 0777;
}

/* A folder that cannot be for want of its parent: no program uses it. */
static bool is_without_parent(const struct fault *fault)
{
	return fault->error == ENOENT && fault->call.number == SYS_mkdirat;
}

/* A folder that is full, is not to be written, or is none: for good. */
static bool is_lasting(const struct fault *fault)
{
	static const int lasting[] = { EACCES, EROFS, ENOSPC, EDQUOT, ELOOP,
				       ENOTDIR, ENAMETOOLONG };

	for (size_t i = 0; i < sizeof(lasting) / sizeof(lasting[0]); i++)
		if (fault->error == lasting[i])
			return true;
	return false;
}

static const char *judge_loaded(const struct injecting *self,
				const struct fault *fault)
{
	const bool has_moved = world_has_moved(&self->world);
	const unsigned long edition = has_moved ? world_edition_moved()
						: world_edition(&self->world);

	if (is_without_parent(fault))
		return NULL;
	if ((edition == self->edition && !has_moved) || edition % 2 == 0)
		return "status 0, and nothing was done";
	if (has_moved && !is_lasting(fault) && fault->error != EPERM &&
	    fault->error != EFBIG && fault->error != ENOENT)
		return "the policy has moved for a failure that may pass";
	/* Without a map, or with one that not all look for, the policy binds
	 * all the same: prepare_map() says which of the two it is. */
	return mode_of_map(self) == MAP_MODE ||
	       strstr(self->outcome.errors, "shared map") != NULL
		? NULL : "status 0, and the map has another mode";
}

static const char *judge_unloaded(const struct injecting *self,
				  const struct fault *fault)
{
	const unsigned long edition = world_edition(&self->world);

	if (edition != self->edition && edition % 2 == 0)
		return NULL;
	return is_absence(fault) && strstr(self->outcome.output,
					   "no policy is in force") != NULL
		? NULL : "status 0, and nothing was done";
}

static const char *judge_port(const struct injecting *self)
{
	const long port = strtol(self->outcome.output, NULL, 10);

	return port >= RANGE_LO && port <= RANGE_HI
		? NULL : "a port outside the range, and nobody is told";
}

/* What lasts, nobody's programs would start with: there it is only told. */
static const char *judge_bound(const struct injecting *self,
			       const struct fault *fault)
{
	if (is_lasting(fault))
		return NULL;
	return strstr(self->outcome.errors, "policy") == NULL
		? NULL : "a program starts, whatever the policy says";
}

static const char *judge_effect(const struct injecting *self,
				const struct fault *fault)
{
	switch (self->command->effect) {
	case EFFECT_LOADED:
		return judge_loaded(self, fault);
	case EFFECT_UNLOADED:
		return judge_unloaded(self, fault);
	case EFFECT_PORT:
		return is_told(self) || is_absence(fault) ? NULL
							  : judge_port(self);
	case EFFECT_BOUND_BY:
		return judge_bound(self, fault);
	default:
		return NULL;
	}
}

static const char *judge_success(const struct injecting *self,
				 const struct fault *fault)
{
	const char *complaint = judge_effect(self, fault);

	if (complaint != NULL || is_told(self))
		return complaint;
	/* status and sweep count, port chooses: the numbers differ. */
	if (!is_absence(fault) && count_lines(self->outcome.output) !=
				  count_lines(self->sound.output))
		return "status 0, another output, and nothing is told";
	if (strstr(self->outcome.output, " ok kept out") != NULL)
		return "a port outside the range, and nobody is told";
	return NULL;
}

static const char *judge_failure(const struct injecting *self,
				 const struct fault *fault)
{
	if (self->outcome.errors[0] == '\0' && !is_write_to(fault))
		return "it fails and does not say why";
	if (!is_write_to(fault) && world_edition(&self->world) != self->edition)
		return "it fails, and has changed the policy";
	return NULL;
}

static const char *judge(const struct injecting *self,
			 const struct fault *fault)
{
	const struct outcome *outcome = &self->outcome;
	const char *complaint = world_complaint(&self->world);

	if (outcome->hung)
		return "it hangs";
	if (!WIFEXITED(outcome->status))
		return "it is killed";
	if (complaint != NULL)
		return complaint;
	return outcome->status == 0 ? judge_success(self, fault)
				    : judge_failure(self, fault);
}

static enum verdict try(void *context, const struct fault *fault)
{
	struct injecting *self = context;
	const char *complaint;

	run(self, fault, &self->outcome);
	complaint = judge(self, fault);
	if (complaint == NULL && world_has_moved(&self->world))
		prepare(self);
	if (complaint == NULL)
		return self->outcome.injected ? VERDICT_WELL : VERDICT_MISSED;
	if (++self->n_details <= MAX_DETAILS)
		printf("# %s: %s: %s (status %d)\n#   %.*s\n",
		       self->command->name, plan_text(fault), complaint,
		       WEXITSTATUS(self->outcome.status),
		       (int)strcspn(self->outcome.errors, "\n"),
		       self->outcome.errors);
	prepare(self);
	return VERDICT_BAD;
}

/* --- the commands --------------------------------------------------------- */

static void set_up(struct injecting *self, const struct command *command)
{
	*self = (struct injecting){
		.command = command,
		.world = self->world,
		.plan = { .n_skipped = command->n_skipped, .try = try,
			  .context = self },
		.tracee = { .argv = self->argv, .environment = environment,
			    .span = SPAN_COMMAND, .text = "/berth" },
	};
	environment[2] = command->setting;
	self->argv[0] = berth;
	for (int i = 0; command->words[i] != NULL; i++)
		self->argv[i + 1] = strcmp(command->words[i], "TARGET") == 0
			? target : command->words[i];
}

static void play(struct injecting *self, const struct command *command)
{
	const struct fault none = { .nth = 0 };

	set_up(self, command);
	prepare(self);
	run(self, &none, &self->sound);
	if (self->sound.status != 0) {
		printf("# %s", self->sound.errors);
		plan_ok(false, command->name, "it works without a fault");
		return;
	}
	plan_try_calls(&self->plan, &self->sound);
	plan_report(&self->plan, command->name);
}

/* Goes on in a child that is pid 1, with a /proc of its own. */
static void enter_pid_namespace(void)
{
	int status;

	if (unshare(CLONE_NEWPID) != 0) {
		perror("unshare");
		exit(STATUS_SKIP);
	}

	const pid_t pid = fork();

	if (pid != 0) {
		waitpid(pid, &status, 0);
		exit(WIFEXITED(status) ? WEXITSTATUS(status) : 99);
	}
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (mount("none", "/proc", "proc", 0, NULL) != 0) {
		perror("/proc");
		exit(STATUS_SKIP);
	}
}

int main(int argc, char **argv)
{
	static struct injecting injecting;
	static char library[4096];

	if (argc != 4)
		return 2;
	setvbuf(stdout, NULL, _IOLBF, 0);
	snprintf(library, sizeof(library), "BERTH_LIBRARY=%s", argv[1]);
	berth = argv[2];
	target = argv[3];
	environment[0] = library;
	environment[1] = "BERTH_LOG=stderr";
	enter_pid_namespace();
	world_open_servers(&injecting.world);
	write_file(CONFIGURATION, "range = \"" RANGE "\"\n" MODE);
	write_file(OTHER_CONFIGURATION,
		   "range = \"20100-20199\"\nreserve r { ports = \"8020\" }\n"
		   MODE);
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		play(&injecting, &commands[i]);
	plan_end();
	return 0;
}
