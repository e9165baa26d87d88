/* SPDX-License-Identifier: MIT */
#include "policy/environment.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "base/text.h"
#include "kernel/kernel.h"

#define RANGE_VARIABLE "BERTH_RANGE"
#define RESERVE_VARIABLE "BERTH_RESERVE"
#define ALGORITHM_VARIABLE "BERTH_ALGORITHM"
#define DIRECTORY_VARIABLE "BERTH_DIR"

/*
 * The variables that are being read, where they are stored, and the result so
 * far.
 */
struct reading {
	char *(*lookup)(const char *name);
	const struct kernel *kernel;
	struct environment *environment;
	struct environment_error *error;
	int result;
};

/* Only the first refused variable is stored. */
static void refuse(struct reading *reading, const char *variable,
		   const char *value, const struct range_error *detail)
{
	if (reading->result)
		return;
	reading->result = -EINVAL;
	*reading->error = (struct environment_error){
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

static const struct {
	const char *variable;
	enum setting setting;
} words[] = {
	{ ALGORITHM_VARIABLE, SETTING_ALGORITHM },
	{ "BERTH_ON_ERROR", SETTING_ON_ERROR },
	{ "BERTH_LOG", SETTING_LOG },
	{ "BERTH_PIN", SETTING_PIN },
};

static void read_word(struct reading *reading, const char *variable,
		      enum setting setting)
{
	struct environment *environment = reading->environment;
	const char *word = reading->lookup(variable);
	const int value = word != NULL ? setting_by_word(setting, word) : -1;

	environment->is_named[setting] = value >= 0;
	environment->settings[setting] = value >= 0 ? (uint8_t)value
						    : setting_default(setting);
	if (word == NULL || value >= 0)
		return;

	const struct range_error detail = whole(word, setting_reason(setting));

	refuse(reading, variable, word, &detail);
}

static void read_words(struct reading *reading)
{
	struct environment *environment = reading->environment;

	for (int i = 0; i < N_SETTINGS; i++) {
		environment->settings[i] = setting_default((enum setting)i);
		environment->is_named[i] = false;
	}
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		read_word(reading, words[i].variable, words[i].setting);
}

static void read_profile(struct reading *reading)
{
	const char *profile = reading->lookup("BERTH_PROFILE");

	reading->environment->profile = profile != NULL && *profile != '\0'
						? profile
						: NULL;
}

static bool has_service_ports(const struct port_set *set)
{
	uint32_t lo, hi;

	return port_set_next_run(set, 0, &lo, &hi) && lo < SERVICE_PORTS_END;
}

/* Returns false, and fills *errorp, when the text gives no port to assign. */
static bool fill_range(struct reading *reading, const char *text,
		       struct range_error *detailp)
{
	struct port_set *range = &reading->environment->range;

	memset(range, 0, sizeof(*range));
	if (range_text_parse(text, &reading->kernel->port_range, range,
			     detailp))
		return false;
	if (has_service_ports(range)) {
		*detailp = whole(text, "has ports below 1024, which are for "
				       "services");
		return false;
	}
	port_set_subtract(range, &reading->environment->reserved);
	port_set_finish(range);
	*detailp = whole(text, "has no port that is not reserved");
	return range->n_ports > 0;
}

/* BERTH_RESERVE leaves no port even of the default: it is ignored. */
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
	reading->environment->reserved = reading->kernel->reserved;
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
	struct port_set *reserved = &reading->environment->reserved;
	struct range_error detail;

	*reserved = reading->kernel->reserved;
	/* An empty value is how a user cancels an inherited list. */
	if (text && *text &&
	    range_text_parse(text, &reading->kernel->port_range, reserved,
			     &detail))
		refuse(reading, RESERVE_VARIABLE, text, &detail);
	port_set_finish(reserved);
}

const char *environment_directory(char *(*lookup)(const char *name))
{
	const char *directory = lookup(DIRECTORY_VARIABLE);

	return directory != NULL && *directory == '/' ? directory : NULL;
}

static void check_directory(struct reading *reading)
{
	const char *directory = reading->lookup(DIRECTORY_VARIABLE);

	if (directory == NULL || *directory == '\0' || *directory == '/')
		return;

	const struct range_error detail = whole(directory,
						"is not an absolute path");

	refuse(reading, DIRECTORY_VARIABLE, directory, &detail);
}

int environment_read(char *(*lookup)(const char *name),
		     const struct kernel *kernel,
		     struct environment *environmentp,
		     struct environment_error *errorp)
{
	struct reading reading = {
		.lookup = lookup,
		.kernel = kernel,
		.environment = environmentp,
		.error = errorp,
	};
	const char *reserve = lookup(RESERVE_VARIABLE);

	environmentp->names_ports = lookup(RANGE_VARIABLE) != NULL ||
				    lookup(ALGORITHM_VARIABLE) != NULL ||
				    (reserve != NULL && *reserve != '\0');
	read_reserve(&reading);
	read_range(&reading);
	read_words(&reading);
	read_profile(&reading);
	check_directory(&reading);
	environmentp->is_refused = reading.result != 0;
	return reading.result;
}

/*
 * Cut, so that there is always room for the reason, and a log line stays one
 * line.
 */
#define QUOTE_MAX 60u

static void put_quoted(struct text *message, const char *text, size_t length)
{
	const size_t n_shown = length > QUOTE_MAX ? QUOTE_MAX : length;

	text_put_char(message, '"');
	text_put_printable(message, text, n_shown);
	text_put(message, length > n_shown ? "...\"" : "\"");
}

void environment_error_text(const struct environment_error *error,
			    char text[ENVIRONMENT_ERROR_TEXT_SIZE])
{
	struct text message = { text, ENVIRONMENT_ERROR_TEXT_SIZE, 0 };

	text_put(&message, error->variable);
	text_put_char(&message, '=');
	put_quoted(&message, error->value, strlen(error->value));
	text_put(&message, ": ");
	put_quoted(&message, error->detail.word, error->detail.word_length);
	text_put_char(&message, ' ');
	text_put(&message, error->detail.reason);
	text_end(&message);
}
