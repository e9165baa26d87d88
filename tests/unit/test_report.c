/* SPDX-License-Identifier: MIT */
/* Edge case 44 is among them. */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "map/event.h"
#include "map/map.h"
#include "policy/policy.h"
#include "process/report.h"

#define N_MANY 25u

static struct map map;
static struct standard_error standard_error;
static struct reporter reporter = {
	.map = &map,
	.standard_error = &standard_error,
	.program = (const char[EVENT_NAME_SIZE]){ "redis-server" },
};
static struct policy policy;
static struct endpoint address = {
	.address = { [10] = 0xff, [11] = 0xff, 192, 0, 2, 1 },
	.port = 8020,
	.family = AF_INET,
};

/* What standard error leads to meanwhile. */
static int log_fd, saved_stderr;
static char lines[65536];

static void setup(void)
{
	char path[] = "/tmp/berth-test-report-XXXXXX";

	cr_assert_eq(map_open_private(0, &map), 0);
	strcpy(policy.rule, "default");
	policy.settings[SETTING_LOG] = LOG_STDERR;
	log_fd = mkstemp(path);
	cr_assert_geq(log_fd, 0);
	unlink(path);
	cr_assert_eq(fcntl(log_fd, F_SETFL, O_APPEND), 0);
	saved_stderr = dup(STDERR_FILENO);
	cr_assert_geq(dup2(log_fd, STDERR_FILENO), 0);
	standard_error_note(&standard_error);
}

static void teardown(void)
{
	dup2(saved_stderr, STDERR_FILENO);
	close(log_fd);
	map_close(&map);
}

TestSuite(report, .init = setup, .fini = teardown, .timeout = 900);

/* The lines since the last call. */
static uint32_t take_lines(void)
{
	const ssize_t n = pread(log_fd, lines, sizeof(lines) - 1, 0);
	uint32_t n_lines = 0;

	cr_assert_geq(n, 0);
	lines[n] = '\0';
	cr_assert_eq(ftruncate(log_fd, 0), 0);
	for (const char *at = lines; (at = strchr(at, '\n')) != NULL; at++)
		n_lines++;
	return n_lines;
}

static time_t second_now(long *nsp)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME_COARSE, &now);
	*nsp = now.tv_nsec;
	return now.tv_sec;
}

/* Waits for the beginning of the next second, so that much fits into it. */
static void wait_for_second(void)
{
	long ns;
	const time_t second = second_now(&ns);

	while (second_now(&ns) == second)
		usleep(1000);
}

static void report_as(enum event_verdict verdict, enum event_kind kind,
		      uint32_t n)
{
	const struct report report = {
		.kind = kind,
		.verdict = verdict,
		.call = CALL_BIND,
		.protocol = PROTOCOL_TCP,
		.address = &address,
	};

	for (uint32_t i = 0; i < n; i++)
		report_event(&reporter, &policy, &report);
}

static void report_many(enum event_kind kind, uint32_t n)
{
	report_as(EVENT_REFUSED, kind, n);
}

/* Reports so many within one second, and returns how many lines that makes.
 * What takes longer on a busy machine is done again, from the start. */
static uint32_t lines_of_a_second(uint32_t n)
{
	for (;;) {
		long ns;

		wait_for_second();

		const time_t second = second_now(&ns);

		report_many(EVENT_RESERVED, n);
		if (second_now(&ns) == second)
			return take_lines();
		teardown();
		reporter.second = 0;
		reporter.n_lines = 0;
		setup();
	}
}

static uint64_t count_of(enum counter counter)
{
	return map.memory->counter.counters[counter];
}

Test(report, an_event_is_counted_entered_and_written)
{
	char text[EVENT_TEXT_SIZE], expected[EVENT_TEXT_SIZE + 16];
	struct event event;

	report_many(EVENT_OUTSIDE, 1);
	cr_assert_eq(count_of(COUNTER_OUTSIDE), 1);
	cr_assert_eq(event_end(&map), 1);
	cr_assert(event_get(&map, 0, &event));
	cr_assert_eq(event.kind, EVENT_OUTSIDE);
	cr_assert_eq(event.pid, (uint32_t)getpid());
	event_text(&event, text);
	snprintf(expected, sizeof(expected), "berth: %s\n", text);
	take_lines();
	cr_assert_str_eq(lines, expected, "%s", lines);
}

/* But for EVENT_UNCOVERED: a port outside the range, as EVENT_PIN_IGNORED. */
Test(report, every_kind_has_a_counter_of_its_own)
{
	policy.settings[SETTING_LOG] = LOG_NONE;
	for (int kind = 0; kind < N_EVENT_KINDS; kind++) {
		uint64_t before[N_COUNTERS];
		int n_changed = 0;

		for (int i = 0; i < N_COUNTERS; i++)
			before[i] = count_of((enum counter)i);
		report_many((enum event_kind)kind, 1);
		for (int i = 0; i < N_COUNTERS; i++) {
			const uint64_t n = count_of((enum counter)i);

			cr_assert_leq(n, before[i] + 1);
			n_changed += n == before[i] + 1;
			if (n == before[i] + 1)
				cr_assert_eq(before[i], kind == EVENT_UNCOVERED,
					     "%d", kind);
		}
		cr_assert_eq(n_changed, 1, "%d", kind);
	}
}

Test(report, what_was_observed_only_is_counted_apart)
{
	report_as(EVENT_OBSERVED, EVENT_RESERVED, 1);
	cr_assert_eq(count_of(COUNTER_RESERVED), 0);
	cr_assert_eq(count_of(COUNTER_OBSERVED), 1);
}

Test(report, nothing_is_written_unless_events_are_asked_for)
{
	policy.settings[SETTING_LOG] = LOG_NONE;
	report_many(EVENT_RESERVED, 3);
	policy.settings[SETTING_LOG] = LOG_START;
	report_many(EVENT_RESERVED, 3);
	report_line(&reporter, &policy, (const char *const[]){ "x", NULL });
	cr_assert_eq(take_lines(), 0);
	cr_assert_eq(event_end(&map), 6);
	cr_assert_eq(count_of(COUNTER_RESERVED), 6);
}

Test(report, a_line_that_is_no_event_is_written_alone)
{
	report_line(&reporter, &policy,
		    (const char *const[]){ "no shared ", "map", NULL });
	cr_assert_eq(take_lines(), 1);
	cr_assert_str_eq(lines, "berth: no shared map\n");
	cr_assert_eq(event_end(&map), 0);
}

Test(report, only_so_many_lines_are_written_in_a_second_and_the_ring_has_all)
{
	struct event event;

	cr_assert_eq(lines_of_a_second(N_MANY), REPORT_LINES_MAX);
	cr_assert_eq(event_end(&map), N_MANY);
	for (uint64_t i = 0; i < N_MANY; i++)
		cr_assert(event_get(&map, i, &event));
	cr_assert_eq(count_of(COUNTER_RESERVED), N_MANY);
}

Test(report, what_was_kept_back_is_told_in_the_next_second)
{
	lines_of_a_second(N_MANY);
	wait_for_second();
	report_many(EVENT_RESERVED, 1);
	cr_assert_eq(take_lines(), 2);
	cr_assert_eq(strncmp(lines, "berth: 15 more lines", 20), 0, "%s",
		     lines);
	report_many(EVENT_RESERVED, 1);
	cr_assert_eq(take_lines(), 1);
}

Test(report, the_line_that_tells_of_others_is_one_of_so_many_too)
{
	lines_of_a_second(N_MANY);
	long ns;

	lines_of_a_second(N_MANY);
	wait_for_second();

	const time_t first = second_now(&ns);

	report_many(EVENT_RESERVED, N_MANY);

	const uint32_t n_seconds = (uint32_t)(second_now(&ns) - first + 1);

	cr_assert_leq(take_lines(), n_seconds * REPORT_LINES_MAX, "%s", lines);
}

Test(report, without_a_map_lines_are_written_all_the_same)
{
	map_close(&map);
	map.memory = NULL;
	report_many(EVENT_NO_MAP, 1);
	cr_assert_eq(take_lines(), 1);
}

Test(report, errno_is_not_touched)
{
	/* As of a program that has closed it. */
	close(STDERR_FILENO);
	errno = 1234;
	report_many(EVENT_RESERVED, 1);
	cr_assert_eq(errno, 1234);
	policy.settings[SETTING_LOG] = LOG_SYSLOG_TARGET;
	report_many(EVENT_RESERVED, 1);
	cr_assert_eq(errno, 1234);
}

Test(report, no_line_goes_to_another_file_that_standard_error_is_by_now)
{
	const int other = open("/dev/null", O_WRONLY);

	cr_assert_geq(dup2(other, STDERR_FILENO), 0);
	cr_assert_not(standard_error_is(&standard_error));
	cr_assert_geq(dup2(log_fd, STDERR_FILENO), 0);
	cr_assert(standard_error_is(&standard_error));
	close(STDERR_FILENO);
	cr_assert_not(standard_error_is(&standard_error));
	report_many(EVENT_OUTSIDE, 1);
	cr_assert_eq(take_lines(), 0);
	cr_assert_eq(event_end(&map), 1);
	close(other);
}

Test(report, no_line_is_written_where_there_was_no_standard_error)
{
	close(STDERR_FILENO);
	standard_error_note(&standard_error);
	cr_assert_geq(dup2(log_fd, STDERR_FILENO), 0);
	report_many(EVENT_OUTSIDE, 1);
	cr_assert_eq(take_lines(), 0);
}
