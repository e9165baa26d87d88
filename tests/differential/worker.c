/* SPDX-License-Identifier: MIT */
/*
 * worker [-k PORT] [-r LOW-HIGH]: makes sequences of socket calls, each in a
 * fresh child. -k: there is one port to choose, and the library has the choice
 * always: no port range of the program's own, no port by a raw call, no
 * descriptor that it has not seen being made.
 * -r: the range of the policy; a port that was chosen outside it counts as a
 * stray.
 *
 * Reads a line for each task:
 *
 *	hash FIRST END		prints "SEED HASH STRAYS" for each seed; where there
 *				are strays, "# SEED LINE" for each line of the
 *				transcript before
 *	show SEED KEEP PLAIN [PAUSE]
 *				prints the transcript of the steps whose bits
 *				are set in KEEP (hexadecimal); those that are
 *				set in PLAIN are calls of libc, in no child,
 *				thread or handler. PAUSE: milliseconds before
 *				each, for what the kernel does by itself
 *	steps SEED		prints their number
 *
 * A line of "." ends each answer.
 */
#include <errno.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "address.h"
#include "call.h"
#include "option.h"
#include "plan.h"
#include "ports.h"
#include "slots.h"
#include "state.h"
#include "transcript.h"
#include "way.h"

#define ALL_STEPS UINT64_MAX
#define HANG_SECONDS 20
#define END_SECONDS 70 /* of what the kernel has still to end */

static volatile sig_atomic_t n_sigpipes;

static void count_sigpipe(int number)
{
	(void)number;
	n_sigpipes++;
}

static bool keeps_to_library;
static uint16_t only_port;

static void prepare(struct step *step, bool is_plain)
{
	if (is_plain)
		plan_simplify(step);
	if (keeps_to_library && step->kind == KIND_PASS)
		step->kind = KIND_DUP;
	if (keeps_to_library && step->form == FORM_RAW &&
	    (plan_takes_port(step->kind) || plan_makes_descriptor(step->kind)))
		step->form = FORM_LIBC;
}

static void pause_for(unsigned int ms)
{
	const struct timespec time = { .tv_nsec = ms * 1000000L };

	if (ms)
		nanosleep(&time, NULL);
}

static void run(struct plan *plan, uint64_t keep, uint64_t plain,
		unsigned int pause_ms)
{
	ports_begin(plan->seed);
	slots_begin();
	address_begin();
	alarm(HANG_SECONDS);
	for (size_t i = 0; i < plan->n_steps; i++) {
		const sig_atomic_t n_before = n_sigpipes;

		if (!(keep >> i & 1))
			continue;
		pause_for(pause_ms);
		prepare(&plan->steps[i], plain >> i & 1);
		say("%zu\t", i);
		call_make(&plan->steps[i]);
		if (n_sigpipes != n_before)
			say(" SIGPIPE");
		state_say();
	}
	slots_end();
	state_say_end();
}

static bool is_only_port_free(void)
{
	const struct sockaddr_in6 in6 = {
		.sin6_family = AF_INET6,
		.sin6_port = htons(only_port),
	};
	const long fd = way_raw(
		SYS_socket, (long[6]){ AF_INET6, SOCK_STREAM | SOCK_CLOEXEC });
	const long bound = way_raw(SYS_bind,
				   (long[6]){ fd, (long)&in6, sizeof(in6) });

	way_raw(SYS_close, (long[6]){ fd });
	return bound != -EADDRINUSE;
}

/* What a sequence has closed may be in FIN_WAIT1 for a while. */
static void await_only_port(void)
{
	const time_t end = time(NULL) + END_SECONDS;

	while (only_port && !is_only_port_free() && time(NULL) < end)
		pause_for(1);
}

/* In a child, so that nothing of it outlives the sequence. */
static void run_fresh(uint64_t seed, uint64_t keep, uint64_t plain,
		      unsigned int pause_ms)
{
	struct plan plan;
	int status = 0;

	plan_make(&plan, seed);
	transcript_clear();

	const pid_t pid = fork();

	if (pid == 0) {
		run(&plan, keep, plain, pause_ms);
		_exit(0);
	}
	waitpid(pid, &status, 0);
	await_only_port();
	/* In the middle of a line, that of the call. */
	if (WIFSIGNALED(status))
		say("died of signal %d\t\n", WTERMSIG(status));
	else if (status)
		say("ended with %d\t\n", WEXITSTATUS(status));
}

/* It may not come again. */
static void print_strayed(uint64_t seed)
{
	const char *line = transcript->text;
	const char *end = line + transcript->length;

	while (line < end) {
		const int length = (int)strcspn(line, "\n");

		printf("# %" PRIu64 " %.*s\n", seed, length, line);
		line += length + 1;
	}
}

static void answer_hash(uint64_t first, uint64_t end)
{
	for (uint64_t seed = first; seed < end; seed++) {
		run_fresh(seed, ALL_STEPS, 0, 0);
		if (transcript->n_strays)
			print_strayed(seed);
		printf("%" PRIu64 " %016" PRIx64 " %u\n", seed,
		       transcript_hash(), transcript->n_strays);
	}
}

static void answer_show(uint64_t seed, uint64_t keep, uint64_t plain,
			unsigned int pause_ms)
{
	run_fresh(seed, keep, plain, pause_ms);
	fwrite(transcript->text, 1, transcript->length, stdout);
	if (transcript->n_strays)
		printf("# strays\t%u\n", transcript->n_strays);
}

static void answer_steps(uint64_t seed)
{
	struct plan plan;

	plan_make(&plan, seed);
	printf("%zu\n", plan.n_steps);
}

static void answer(const char *line)
{
	unsigned int pause_ms = 0;
	uint64_t a, b, c;

	if (sscanf(line, "hash %" SCNu64 " %" SCNu64, &a, &b) == 2)
		answer_hash(a, b);
	else if (sscanf(line, "show %" SCNu64 " %" SCNx64 " %" SCNx64 " %u", &a,
			&b, &c, &pause_ms) >= 3)
		answer_show(a, b, c, pause_ms);
	else if (sscanf(line, "steps %" SCNu64, &a) == 1)
		answer_steps(a);
	puts(".");
	fflush(stdout);
}

int main(int argc, char **argv)
{
	unsigned int low, high;
	char line[128];
	int option;

	while ((option = getopt(argc, argv, "k:r:")) != -1) {
		if (option == 'k') {
			keeps_to_library = true;
			only_port = (uint16_t)atoi(optarg);
			option_keep_range();
		} else if (option == 'r' &&
			   sscanf(optarg, "%u-%u", &low, &high) == 2)
			ports_set_range((uint16_t)low, (uint16_t)high);
		else
			return 2;
	}
	signal(SIGPIPE, count_sigpipe);
	transcript_init();
	way_init();
	address_init();
	while (fgets(line, sizeof(line), stdin))
		answer(line);
	return 0;
}
