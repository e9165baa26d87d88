/* SPDX-License-Identifier: MIT */
#include "process/report.h"

#include <netinet/in.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/raw.h"
#include "base/text.h"
#include "map/event.h"
#include "policy/policy.h"

static enum counter counter_of(const struct report *report)
{
	static const enum counter counters[N_EVENT_KINDS] = {
		[EVENT_RESERVED] = COUNTER_RESERVED,
		[EVENT_SERVER_IN_RANGE] = COUNTER_SERVER_IN_RANGE,
		[EVENT_OUTSIDE] = COUNTER_OUTSIDE,
		[EVENT_SELF_CONNECT] = COUNTER_SELF_CONNECT,
		[EVENT_EXHAUSTED] = COUNTER_EXHAUSTED,
		[EVENT_NO_MAP] = COUNTER_NO_MAP,
		[EVENT_PIN_IGNORED] = COUNTER_PIN_IGNORED,
		[EVENT_UNCOVERED] = COUNTER_PIN_IGNORED,
		[EVENT_BAD_POLICY] = COUNTER_BAD_POLICY,
	};

	return report->verdict == EVENT_OBSERVED ? COUNTER_OBSERVED
						 : counters[report->kind];
}

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_read(CLOCK_REALTIME_COARSE, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static bool is_told(const struct policy *policy)
{
	return policy->settings[SETTING_LOG] == LOG_STDERR ||
	       policy->settings[SETTING_LOG] == LOG_SYSLOG_TARGET;
}

static void write_line(const struct reporter *reporter,
		       const struct policy *policy, const char *const *parts)
{
	if (policy->settings[SETTING_LOG] == LOG_SYSLOG_TARGET)
		log_syslog(parts);
	else
		log_line(reporter->standard_error, parts);
}

/*
 * Writes how many lines were left out in earlier seconds, as a line of its own.
 */
static void write_missed(const struct reporter *reporter,
			 const struct policy *policy, uint32_t n_missed)
{
	char number[NUMBER_TEXT_SIZE];

	number_text(n_missed, number);
	write_line(
		reporter, policy,
		(const char *const[]){
			number,
			" more lines were left out; berth log has the events",
			NULL });
}

/*
 * Counts a line for its second. Returns whether it may be written; *n_missedp
 * is the number of lines left out in seconds before, to be reported. If threads
 * meet here, the count may be off by one, which does no harm.
 */
static bool take_turn(struct reporter *reporter, uint32_t *n_missedp)
{
	const uint64_t second = now_ns() / 1000000000u;

	*n_missedp = 0;
	/* Relaxed throughout: counts of this process, on which only the number
	 * of lines depends. */
	if (load_relaxed_u64(&reporter->second) != second) {
		const uint32_t n = load_relaxed_u32(&reporter->n_lines);

		*n_missedp = n > REPORT_LINES_MAX ? n - REPORT_LINES_MAX : 0;
		store_relaxed_u64(&reporter->second, second);
		/* The line that reports them counts too. */
		store_relaxed_u32(&reporter->n_lines, *n_missedp > 0);
	}
	return add_relaxed_u32(&reporter->n_lines, 1) < REPORT_LINES_MAX;
}

void report_line(struct reporter *reporter, const struct policy *policy,
		 const char *const *parts)
{
	uint32_t n_missed;

	if (!is_told(policy) || !take_turn(reporter, &n_missed))
		return;
	if (n_missed > 0)
		write_missed(reporter, policy, n_missed);
	write_line(reporter, policy, parts);
}

static void report_text(struct reporter *reporter, const struct policy *policy,
			const struct event *event)
{
	char *text = raw_map_private(EVENT_TEXT_SIZE);

	if (text != NULL) {
		event_text(event, text);
		report_line(reporter, policy,
			    (const char *const[]){ text, NULL });
	} else {
		report_line(
			reporter, policy,
			(const char *const[]){
				event->program, ": ",
				event_kind_name((enum event_kind)event->kind),
				"; berth log shows all of it", NULL });
	}
	raw_unmap(text, EVENT_TEXT_SIZE);
}

void report_event(struct reporter *reporter, const struct policy *policy,
		  const struct report *report)
{
	static const struct endpoint nowhere = { .family = AF_INET };
	struct event event = {
		.time_ns = now_ns(),
		.pid = (uint32_t)raw_getpid(),
		.kind = (uint8_t)report->kind,
		.verdict = (uint8_t)report->verdict,
		.call = (uint8_t)report->call,
		.protocol = (uint8_t)report->protocol,
		.address = report->address != NULL ? *report->address : nowhere,
	};

	memcpy(event.program, reporter->program, sizeof(event.program));
	memcpy(event.rule, policy->rule, sizeof(event.rule));
	event_count(reporter->map, counter_of(report));
	event_put(reporter->map, &event);
	if (is_told(policy))
		report_text(reporter, policy, &event);
}
