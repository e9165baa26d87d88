/* SPDX-License-Identifier: MIT */
#include "core/policy.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "core/kernel.h"

#define RANGE_VARIABLE "BERTH_RANGE"
#define RESERVE_VARIABLE "BERTH_RESERVE"

#define SERVICE_PORTS_END 1024u		/* system ports of RFC 6335 section 6 */

/* What is read, into what, and what came of it so far. */
struct reading {
	char *(*lookup)(const char *name);
	const struct kernel *kernel;
	struct policy *policy;
	struct policy_error *error;
	int result;
};

/* Only the first refusal is kept. */
static void refuse(struct reading *reading, const char *variable,
		   const char *value, const struct range_error *detail)
{
	if (reading->result)
		return;
	reading->result = -EINVAL;
	*reading->error = (struct policy_error){
		.variable = variable,
		.value = value,
		.detail = *detail,
	};
}

static struct range_error whole(const char *value, const char *reason)
{
	return (struct range_error){
		.word = value,
		.word_length = strlen(value),
		.reason = reason,
	};
}

static int word_index(const char *word, const char *const words[])
{
	for (int i = 0; words[i]; i++)
		if (!strcmp(word, words[i]))
			return i;
	return -1;
}

static int on_error_by_name(const char *name)
{
	static const char *const words[] = {
		[ON_ERROR_PRIVATE] = "private",
		[ON_ERROR_REFUSE] = "refuse",
		NULL,
	};

	return word_index(name, words);
}

static int log_level_by_name(const char *name)
{
	static const char *const words[] = {
		[LOG_NONE] = "none",
		[LOG_START] = "start",
		[LOG_ALL] = "stderr",
		NULL,
	};

	return word_index(name, words);
}

static int may_pin_by_name(const char *name)
{
	static const char *const words[] = { "no", "yes", NULL };

	return word_index(name, words);
}

/* A variable that holds one of a few words. */
struct choice_variable {
	const char *name;
	int (*by_name)(const char *word);
	int value;			/* when there is none */
	const char *reason;		/* of a refusal */
};

static int read_word(struct reading *reading,
		     const struct choice_variable *variable)
{
	const char *word = reading->lookup(variable->name);
	int value = word ? variable->by_name(word) : variable->value;

	if (value >= 0)
		return value;

	struct range_error detail = whole(word, variable->reason);

	refuse(reading, variable->name, word, &detail);
	return variable->value;
}

static void read_words(struct reading *reading)
{
	static const struct choice_variable algorithm = {
		"BERTH_ALGORITHM", algorithm_by_name, ALGORITHM_DEFAULT,
		"is not sequential, random, hash, double-hash or "
		"random-increments",
	};
	static const struct choice_variable on_error = {
		"BERTH_ON_ERROR", on_error_by_name, ON_ERROR_PRIVATE,
		"is not private or refuse",
	};
	static const struct choice_variable log_level = {
		"BERTH_LOG", log_level_by_name, LOG_START,
		"is not start, none or stderr",
	};
	static const struct choice_variable may_pin = {
		"BERTH_PIN", may_pin_by_name, true,
		"is not yes or no",
	};
	struct policy *policy = reading->policy;

	policy->algorithm = (enum algorithm)read_word(reading, &algorithm);
	policy->on_error = (enum on_error)read_word(reading, &on_error);
	policy->log_level = (enum log_level)read_word(reading, &log_level);
	policy->may_pin = read_word(reading, &may_pin);
}

static bool has_service_ports(const struct port_set *set)
{
	uint32_t lo, hi;

	return port_set_next_run(set, 0, &lo, &hi) && lo < SERVICE_PORTS_END;
}

/* Returns false, and tells why, when the text makes no range to assign from. */
static bool fill_range(struct reading *reading, const char *text,
		       struct range_error *detailp)
{
	struct port_set *range = &reading->policy->range;

	memset(range, 0, sizeof(*range));
	if (range_text_parse(text, &reading->kernel->port_range, range,
			     detailp))
		return false;
	if (has_service_ports(range)) {
		*detailp = whole(text, "has ports below 1024, which are for "
				 "services");
		return false;
	}
	port_set_subtract(range, &reading->policy->reserved);
	port_set_finish(range);
	*detailp = whole(text, "has no port that is not reserved");
	return range->n_ports > 0;
}

/* BERTH_RESERVE leaves nothing even of the default: go without it. */
static void drop_reserve(struct reading *reading,
			 const struct range_error *detail)
{
	const char *text = reading->lookup(RESERVE_VARIABLE);

	if (!text || !*text) {
		refuse(reading, RANGE_VARIABLE, RANGE_DEFAULT, detail);
		return;
	}

	struct range_error reason = whole(text, "leaves no port of the range");

	refuse(reading, RESERVE_VARIABLE, text, &reason);
	reading->policy->reserved = reading->kernel->reserved;
	fill_range(reading, RANGE_DEFAULT, &reason);
}

static void read_range(struct reading *reading)
{
	const char *text = reading->lookup(RANGE_VARIABLE);
	struct range_error detail;

	if (text) {
		if (fill_range(reading, text, &detail))
			return;
		refuse(reading, RANGE_VARIABLE, text, &detail);
	}
	if (!fill_range(reading, RANGE_DEFAULT, &detail))
		drop_reserve(reading, &detail);
}

static void read_reserve(struct reading *reading)
{
	const char *text = reading->lookup(RESERVE_VARIABLE);
	struct port_set *reserved = &reading->policy->reserved;
	struct range_error detail;

	*reserved = reading->kernel->reserved;
	/* Set to nothing is how one takes an inherited list back. */
	if (text && *text &&
	    range_text_parse(text, &reading->kernel->port_range, reserved,
			     &detail))
		refuse(reading, RESERVE_VARIABLE, text, &detail);
	port_set_finish(reserved);
}

int policy_from_environment(char *(*lookup)(const char *name),
			    const struct kernel *kernel,
			    struct policy *policyp,
			    struct policy_error *errorp)
{
	struct reading reading = {
		.lookup = lookup,
		.kernel = kernel,
		.policy = policyp,
		.error = errorp,
	};

	read_reserve(&reading);
	read_range(&reading);
	read_words(&reading);
	return reading.result;
}

/* So that the reason is always there, and a log line stays one. */
#define QUOTE_MAX 60u

struct writer {
	char *text;
	size_t length;
};

static void put_char(struct writer *writer, char c)
{
	if (writer->length < POLICY_ERROR_TEXT_SIZE - 1)
		writer->text[writer->length++] = c;
}

static void put_text(struct writer *writer, const char *text)
{
	while (*text)
		put_char(writer, *text++);
}

static void put_quoted(struct writer *writer, const char *text, size_t length)
{
	size_t n_shown = length > QUOTE_MAX ? QUOTE_MAX : length;

	put_char(writer, '"');
	for (size_t i = 0; i < n_shown; i++) {
		bool is_control = (unsigned char)text[i] < ' ' ||
				  text[i] == '\x7f';

		if (is_control)
			put_char(writer, '?');
		else
			put_char(writer, text[i]);
	}
	put_text(writer, length > n_shown ? "...\"" : "\"");
}

void policy_error_text(const struct policy_error *error,
		       char text[POLICY_ERROR_TEXT_SIZE])
{
	struct writer writer = { .text = text };

	put_text(&writer, error->variable);
	put_char(&writer, '=');
	put_quoted(&writer, error->value, strlen(error->value));
	put_text(&writer, ": ");
	put_quoted(&writer, error->detail.word, error->detail.word_length);
	put_char(&writer, ' ');
	put_text(&writer, error->detail.reason);
	text[writer.length] = '\0';
}
