/* SPDX-License-Identifier: MIT */
/*
 * inject LIBBERTH BERTH TARGET start|calls: every system call that Berth makes
 * fails once with each errno of its manual page, and is once cut short where
 * that is allowed; and then each kind of call for good. A TAP line for each
 * kind of call of each scenario. Inside in_namespace -t.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "judge.h"
#include "plan.h"
#include "target.h"
#include "tracee.h"
#include "world.h"

#define STATUS_SKIP 77
#define MAX_SCENES 32
#define MAX_VARIABLES 8
/* Where the coarse clock ticks, a connect looks where its pin lies. */
#define MAX_ATTEMPTS 4

#define MAX_DETAILS 12

#define INSIDE "40000-40099"	/* of in_namespace's ip_local_port_range */
#define OUTSIDE "20000-20099"

struct scenario {
	const char *name;
	enum tracee_span span;
	const char *range;
	const char *policy;	/* text of a berth.conf that is in force */
	bool is_fresh;		/* no run finds a file of Berth's */
	bool refuses;
	bool is_together;	/* all scenes in one run, else each in its own */
	int n_skipped;		/* of the errors, this many out of each + 1 */
	const char *variables[MAX_VARIABLES];
	const char *scenes[MAX_SCENES];
};

#define TOLD "BERTH_LOG=stderr"

#define START_SCENES { "bind4", "connect4", "send_udp" }
#define CALL_SCENES \
	{ "bind4", "bind6", "bind_udp", "bind_named", "bind_shared", \
	  "bind_no_port", "connect4", "connect6", "connect_mptcp", \
	  "connect_bound", "connect_refused", "connect_later", "connect_udp", \
	  "disconnect", "listen4", "listen6", "send_udp", "send_message", \
	  "send_messages", "fast_open", "copies", "close_many", "resvport", \
	  "self_connect", "own_range", "by_number" }
#define USE_UP_SCENES { "use_up_binds", "use_up_sends", "use_up_connects" }

static const struct scenario starts[] = {
	{ .name = "first start", .span = SPAN_START, .range = INSIDE,
	  .is_fresh = true, .is_together = true,
	  .variables = { TOLD, "BERTH_RANGE=" INSIDE },
	  .scenes = START_SCENES },
	{ .name = "first start, on-error = refuse", .span = SPAN_START,
	  .range = INSIDE, .is_fresh = true, .refuses = true,
	  .is_together = true, .n_skipped = 3,
	  .variables = { TOLD, "BERTH_RANGE=" INSIDE,
			 "BERTH_ON_ERROR=refuse" },
	  .scenes = START_SCENES },
	{ .name = "later start", .span = SPAN_START, .range = INSIDE,
	  .policy = "range = \"" INSIDE "\"\n", .variables = { TOLD },
	  .is_together = true, .scenes = START_SCENES },
};

static const struct scenario calls[] = {
	{ .name = "inside", .span = SPAN_PASS, .range = INSIDE,
	  .variables = { TOLD, "BERTH_RANGE=" INSIDE }, .scenes = CALL_SCENES },
	{ .name = "outside", .span = SPAN_PASS, .range = OUTSIDE,
	  .variables = { TOLD, "BERTH_RANGE=" OUTSIDE }, .scenes = CALL_SCENES },
	{ .name = "policy, log = syslog", .span = SPAN_PASS, .range = INSIDE,
	  .policy = "range = \"" INSIDE "\"\nlog = \"syslog\"\n"
		    "reserve others { ports = \"7990\" owners = {\"x\"} }\n"
		    "process x { name = {\"x\"} }\n",
	  .scenes = { "bind_reserved", "self_connect", "bind4", "connect4" } },
	{ .name = "two ports inside", .span = SPAN_PASS,
	  .range = "40000-40001",
	  .variables = { TOLD, "BERTH_RANGE=40000-40001" },
	  .scenes = USE_UP_SCENES },
	{ .name = "two ports outside", .span = SPAN_PASS,
	  .range = "20000-20001",
	  .variables = { TOLD, "BERTH_RANGE=20000-20001" },
	  .scenes = USE_UP_SCENES },
};

/* One scenario under way. */
struct injecting {
	const struct scenario *scenario;
	struct world *world;
	struct tracee tracee;
	const char *argv[MAX_SCENES + 4];
	const char *environment[MAX_VARIABLES + 8];
	struct outcome sound, outcome;
	unsigned int n_sound_leases;
	uint64_t sound_counters[N_COUNTERS];
	struct plan plan;
	unsigned int n_details;
};

static char *library, *berth, *target;

/* --- a run ---------------------------------------------------------------------- */

static void run(struct injecting *self, const struct fault *fault,
		struct outcome *outcome)
{
	if (self->scenario->is_fresh)
		world_clear(self->world);
	else
		world_restore(self->world);
	if (!tracee_run(&self->tracee, fault, outcome)) {
		printf("1..0 # SKIP no ptrace(2) here\n");
		exit(STATUS_SKIP);
	}
}

static void put_policy(const struct injecting *self, const char *text)
{
	static char path[] = "/dev/shm/faults.conf";
	static char word[] = "load";
	char *const argv[] = { berth, word, path, NULL };
	const int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
	int status;

	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		perror(path);
	close(fd);

	const pid_t pid = fork();

	if (pid == 0) {
		dup2(open("/dev/null", O_WRONLY), STDOUT_FILENO);
		dup2(STDOUT_FILENO, STDERR_FILENO);
		execve(berth, argv, (char *const *)self->environment);
		_exit(127);
	}
	waitpid(pid, &status, 0);
	unlink(path);
	if (status != 0) {
		printf("Bail out! the policy of %s is refused\n",
		       self->scenario->name);
		exit(1);
	}
}

/* Makes the files that each run is to find. */
static void prepare(struct injecting *self)
{
	const struct fault none = { .nth = 0 };

	tracee_end(&self->tracee);
	world_clear(self->world);
	if (self->scenario->is_fresh)
		return;
	if (self->scenario->policy != NULL)
		put_policy(self, self->scenario->policy);
	run(self, &none, &self->outcome);
	world_keep(self->world);
}

/* --- a fault ---------------------------------------------------------------------- */

static void print_lines(const char *text)
{
	while (*text != '\0') {
		const size_t length = strcspn(text, "\n");

		printf("#     %.*s\n", (int)length, text);
		text += length + (text[length] == '\n');
	}
}

static void tell(struct injecting *self, const struct fault *fault,
		 const char *complaint, const char *line)
{
	if (++self->n_details > MAX_DETAILS)
		return;
	printf("# %s, %s: %s: %s\n", self->scenario->name, self->argv[3],
	       plan_text(fault), complaint);
	if (line != NULL)
		printf("#   %.*s\n", (int)strcspn(line, "\n"), line);
	print_lines(self->outcome.errors);
	if (strstr(complaint, "afterwards") != NULL)
		print_lines(self->outcome.output);
}

/* ENOPROTOOPT, EOPNOTSUPP: Berth does not ask for the option again. */
static bool is_lasting(const struct injecting *self, const struct fault *fault)
{
	return fault->always || self->scenario->span == SPAN_START ||
	       (fault->call.number == SYS_setsockopt &&
		fault->call.origin == ORIGIN_BERTH &&
		(fault->error == ENOPROTOOPT || fault->error == EOPNOTSUPP));
}

/* Whether an event was counted that there is none of without the fault. */
static bool is_counted(const struct injecting *self)
{
	uint64_t counters[N_COUNTERS];

	world_read_counters(self->world, counters);
	for (int i = 0; i < N_COUNTERS; i++)
		if (i != COUNTER_KERNEL_ASKED && i != COUNTER_FOREIGN &&
		    i != COUNTER_SWEPT && counters[i] > self->sound_counters[i])
			return true;
	return false;
}

/*
 * Who has no table of descriptors leaves all leases to the sweep; and so does who
 * has lost sight of a socket by the fault and meets its port in a search.
 */
static bool may_leave_leases(const struct injecting *self)
{
	uint64_t counters[N_COUNTERS];

	world_read_counters(self->world, counters);
	return self->scenario->span != SPAN_PASS ||
	       counters[COUNTER_FOREIGN] > 0;
}

/* NULL, or what is wrong with the run or with what it has left. */
static const char *judge_run(const struct injecting *self,
			     const struct fault *fault, const char **linep)
{
	const struct expectation expectation = {
		.sound = &self->sound, .is_counted = is_counted(self),
		.refuses = self->scenario->refuses,
		.lasts = is_lasting(self, fault),
	};
	const char *complaint = judge(&expectation, fault, &self->outcome,
				      linep);

	if (complaint == NULL)
		complaint = world_complaint(self->world);
	if (complaint == NULL && !may_leave_leases(self) &&
	    world_count_leases(self->world) > self->n_sound_leases)
		complaint = "a lease is left";
	return complaint;
}

static enum verdict try(void *context, const struct fault *fault)
{
	struct injecting *self = context;
	const char *line, *complaint;

	for (int i = 0; i < MAX_ATTEMPTS; i++) {
		run(self, fault, &self->outcome);
		if (self->outcome.injected)
			break;
	}
	complaint = judge_run(self, fault, &line);
	if (complaint == NULL)
		return self->outcome.injected ? VERDICT_WELL : VERDICT_MISSED;
	tell(self, fault, complaint, line);
	prepare(self);
	return VERDICT_BAD;
}

/* --- a scenario ------------------------------------------------------------------- */

static void set_up(struct injecting *self, const struct scenario *scenario,
		   struct world *world)
{
	static char preload[4096];
	int n = 0;

	*self = (struct injecting){
		.scenario = scenario, .world = world,
		.plan = { .n_skipped = scenario->n_skipped, .try = try,
			  .context = self },
	};
	snprintf(preload, sizeof(preload), "LD_PRELOAD=%s", library);
	self->environment[n++] = preload;
	self->environment[n++] = "BERTH_DIR=" WORLD_FOLDER;
	for (int i = 0; scenario->variables[i] != NULL; i++)
		self->environment[n++] = scenario->variables[i];
	self->argv[0] = target;
	self->argv[1] = scenario->span == SPAN_PASS ? "-f" : "-s";
	self->argv[2] = scenario->range;
	self->tracee = (struct tracee){
		.argv = self->argv, .environment = self->environment,
		.span = scenario->span, .text = "/libberth.so",
	};
}

static void try_scenes(struct injecting *self)
{
	const struct fault none = { .nth = 0 };

	prepare(self);
	run(self, &none, &self->sound);
	self->n_sound_leases = world_count_leases(self->world);
	world_read_counters(self->world, self->sound_counters);
	if (self->sound.status != 0 || self->sound.hung) {
		plan_ok(false, self->scenario->name, "it runs without a fault");
		return;
	}
	plan_try_calls(&self->plan, &self->sound);
}

static void play(const struct scenario *scenario, struct world *world)
{
	static struct injecting injecting;
	const char *const *scenes = scenario->scenes;

	set_up(&injecting, scenario, world);
	for (int i = 0; scenes[i] != NULL; i++) {
		injecting.argv[3 + (scenario->is_together ? i : 0)] =
			scenes[i];
		if (!scenario->is_together || scenes[i + 1] == NULL)
			try_scenes(&injecting);
	}
	plan_report(&injecting.plan, scenario->name);
}

int main(int argc, char **argv)
{
	static struct world world;
	const bool is_start = argc == 5 && strcmp(argv[4], "start") == 0;
	const struct scenario *first = is_start ? starts : calls;
	const size_t n = is_start ? sizeof(starts) / sizeof(starts[0])
				  : sizeof(calls) / sizeof(calls[0]);

	if (argc != 5)
		return 2;
	setvbuf(stdout, NULL, _IOLBF, 0);
	library = argv[1];
	berth = argv[2];
	target = argv[3];
	world_open_servers(&world);
	for (size_t i = 0; i < n; i++)
		play(&first[i], &world);
	plan_end();
	return 0;
}
