/* SPDX-License-Identifier: MIT */
#include "plan.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "manual.h"

static unsigned int n_tests;

void plan_ok(bool holds, const char *scenario, const char *sentence)
{
	printf("%s %u - %s: %s\n", holds ? "ok" : "not ok", ++n_tests, scenario,
	       sentence);
}

void plan_end(void)
{
	printf("1..%u\n", n_tests);
}

const char *plan_text(const struct fault *fault)
{
	static char text[128];
	const struct manual_page *page = manual_find(fault->call.number);

	snprintf(text, sizeof(text), "%s%s %d%s: %s",
		 page != NULL ? page->name : "?",
		 fault->call.origin == ORIGIN_PASSED_ON ? " (passed on)" : "",
		 fault->nth, fault->always ? " and on" : "",
		 fault->error != 0 ? strerrorname_np(fault->error) : "short");
	return text;
}

static void try(struct plan *plan, const struct fault *fault)
{
	struct tally *tally = &plan->tallies[fault->call.number];
	const enum verdict verdict = plan->try(plan->context, fault);

	tally->n_faults++;
	tally->n_bad += verdict == VERDICT_BAD;
	tally->n_missed += verdict == VERDICT_MISSED;
}

static void try_errors(struct plan *plan, struct fault fault)
{
	const struct manual_page *page = manual_find(fault.call.number);

	for (const int *error = page->errors; *error != 0; error++) {
		fault.error = *error;
		/* Who is interrupted for ever may try for ever. */
		if ((error - page->errors + fault.nth) %
		    (plan->n_skipped + 1) == 0 &&
		    (!fault.always || *error != EINTR))
			try(plan, &fault);
	}
	fault.error = 0;
	fault.size_argument = page->size_argument;
	if (page->size_argument >= 0)
		try(plan, &fault);
}

/* How many calls of its kind there are up to a call, itself included. */
static int count_alike(const struct outcome *sound, int index)
{
	const struct traced_call *call = &sound->calls[index];
	int n = 0;

	for (int i = 0; i <= index; i++)
		n += sound->calls[i].number == call->number &&
		     sound->calls[i].origin == call->origin;
	return n;
}

void plan_try_calls(struct plan *plan, const struct outcome *sound)
{
	for (int i = 0; i < sound->n_calls; i++) {
		struct fault fault = {
			.call = sound->calls[i],
			.nth = count_alike(sound, i),
		};

		if (manual_never_fails(fault.call.number))
			continue;
		if (manual_find(fault.call.number) == NULL) {
			printf("# no page for system call %ld\n",
			       fault.call.number);
			plan->tallies[fault.call.number].n_bad++;
			continue;
		}
		try_errors(plan, fault);
		fault.always = true;
		if (fault.call.origin == ORIGIN_BERTH && fault.nth == 1)
			try_errors(plan, fault);
	}
}

void plan_report(struct plan *plan, const char *scenario)
{
	char sentence[96];

	for (int i = 0; i < PLAN_MAX_NUMBER; i++) {
		const struct tally *tally = &plan->tallies[i];
		const struct manual_page *page = manual_find(i);

		if (tally->n_faults == 0 && tally->n_bad == 0)
			continue;
		snprintf(sentence, sizeof(sentence),
			 "%s fails %u times, %u badly (%u did not come)",
			 page != NULL ? page->name : "an unknown call",
			 tally->n_faults, tally->n_bad, tally->n_missed);
		plan_ok(tally->n_bad == 0 &&
			tally->n_missed <= tally->n_faults / 2,
			scenario, sentence);
	}
	memset(plan->tallies, 0, sizeof(plan->tallies));
}
