/* SPDX-License-Identifier: MIT */
#include "cli/rules/maker.h"

#include <search.h>
#include <string.h>

#include "kernel/ports_text.h"

static void refuse(struct maker *maker, struct location place, const char *name,
		   struct finding_word word, const char *reason)
{
	findings_add(maker->findings, SEVERITY_ERROR, place, "%s: \"%s\" %s",
		     name, word.text, reason);
}

void maker_refuse(struct maker *maker, struct location place, const char *name,
		  const char *word, const char *reason)
{
	refuse(maker, place, name, findings_quote_text(word), reason);
}

void maker_refuse_ports(struct maker *maker, struct location place,
			const char *name, const struct range_error *error)
{
	refuse(maker, place, name,
	       findings_quote(error->word, error->word_length), error->reason);
}

struct port_set *maker_scratch(struct maker *maker)
{
	memset(&maker->scratch, 0, sizeof(maker->scratch));
	return &maker->scratch;
}

static int compare_sets(const void *a, const void *b)
{
	const struct port_set *left = a, *right = b;

	return memcmp(left->words, right->words, sizeof(left->words));
}

const struct port_set *maker_keep(struct maker *maker, struct port_set *set)
{
	struct port_set *const *found = tfind(set, &maker->kept, compare_sets);
	struct port_set *kept;

	if (found != NULL)
		return *found;
	port_set_finish(set);
	kept = memory_take(&maker->rules->memory, 1, sizeof(*kept));
	*kept = *set;
	if (tsearch(kept, &maker->kept, compare_sets) == NULL)
		memory_fail();
	return kept;
}
