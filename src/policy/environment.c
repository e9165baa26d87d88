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
	return (struct range_error){ value, strlen(value), reason };
}

static void refuse_whole(struct reading *reading, const char *variable,
			 const char *value, const char *reason)
{
	const struct range_error detail = whole(value, reason);

	refuse(reading, variable, value, &detail);
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
	if (word != NULL && value < 0)
		refuse_whole(reading, variable, word, setting_reason(setting));
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

/* An empty value is how a user cancels an inherited one. */
static const char *lookup_filled(const struct reading *reading,
				 const char *name)
{
	const char *value = reading->lookup(name);

	return value != NULL && *value != '\0' ? value : NULL;
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
	const char *text = lookup_filled(reading, RESERVE_VARIABLE);
	struct range_error ignored;

	if (text == NULL) {
		refuse(reading, RANGE_VARIABLE, RANGE_DEFAULT, detail);
		return;
	}
	refuse_whole(reading, RESERVE_VARIABLE, text,
		     "leaves no port of the range");
	reading->environment->reserved = reading->kernel->reserved;
	fill_range(reading, RANGE_DEFAULT, &ignored);
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
	const char *text = lookup_filled(reading, RESERVE_VARIABLE);
	struct port_set *reserved = &reading->environment->reserved;
	struct range_error detail;

	*reserved = reading->kernel->reserved;
	if (text != NULL && range_text_parse(text, &reading->kernel->port_range,
					     reserved, &detail))
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
	const char *directory = lookup_filled(reading, DIRECTORY_VARIABLE);

	if (directory != NULL && *directory != '/')
		refuse_whole(reading, DIRECTORY_VARIABLE, directory,
			     "is not an absolute path");
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

	environmentp->names_ports = lookup(RANGE_VARIABLE) != NULL ||
				    lookup(ALGORITHM_VARIABLE) != NULL ||
				    lookup_filled(&reading, RESERVE_VARIABLE) !=
					    NULL;
	environmentp->profile = lookup_filled(&reading, "BERTH_PROFILE");
	read_reserve(&reading);
	read_range(&reading);
	read_words(&reading);
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
