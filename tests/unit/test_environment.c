/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "kernel/kernel.h"
#include "map/choice.h"
#include "policy/environment.h"

static struct kernel kernel = { .port_range = { 20000, 29999 } };
static struct environment environment;
static struct environment_error error;

/* "NAME=value" each */
static const char *variables[8];

static char *lookup(const char *name)
{
	size_t length = strlen(name);

	for (size_t i = 0; variables[i]; i++)
		if (!strncmp(variables[i], name, length) &&
		    variables[i][length] == '=')
			return (char *)variables[i] + length + 1;
	return NULL;
}

static int read_policy(void)
{
	return environment_read(lookup, &kernel, &environment, &error);
}

static void assert_range(const char *expected)
{
	char text[256];

	range_text_format(&environment.range, text, sizeof(text));
	cr_assert_str_eq(text, expected, "%s, not %s", text, expected);
}

/* Refused with this message, the default of that variable in its place. */
static void assert_refused(const char *message)
{
	char text[ENVIRONMENT_ERROR_TEXT_SIZE];

	cr_assert_eq(read_policy(), -EINVAL);
	cr_assert(environment.is_refused);
	environment_error_text(&error, text);
	cr_assert_str_eq(text, message, "%s", text);
}

static void assert_default_settings(void)
{
	cr_assert_eq(environment.settings[SETTING_ALGORITHM],
		     ALGORITHM_DOUBLE_HASH);
	cr_assert_eq(environment.settings[SETTING_ON_ERROR], ON_ERROR_PRIVATE);
	cr_assert_eq(environment.settings[SETTING_LOG], LOG_START);
	cr_assert(environment.settings[SETTING_PIN]);
}

Test(environment, an_empty_environment_gives_the_defaults)
{
	cr_assert_eq(read_policy(), 0);
	assert_range("49152-65535");
	cr_assert_eq(environment.range.n_ports, 16384);
	cr_assert_eq(environment.reserved.n_ports, 0);
	assert_default_settings();
}

Test(environment, every_variable_is_read)
{
	variables[0] = "BERTH_RANGE=4000,5000-5999";
	variables[1] = "BERTH_RESERVE=5100-5200";
	variables[2] = "BERTH_ALGORITHM=random-increments";
	variables[3] = "BERTH_ON_ERROR=refuse";
	variables[4] = "BERTH_PIN=no";
	variables[5] = "BERTH_LOG=stderr";
	cr_assert_eq(read_policy(), 0);
	assert_range("4000,5000-5099,5201-5999");
	cr_assert_eq(environment.range.n_ports, 900);
	cr_assert_eq(environment.reserved.n_ports, 101);
	cr_assert_eq(environment.settings[SETTING_ALGORITHM],
		     ALGORITHM_RANDOM_INCREMENTS);
	cr_assert_eq(environment.settings[SETTING_ON_ERROR], ON_ERROR_REFUSE);
	cr_assert_not(environment.settings[SETTING_PIN]);
	cr_assert_eq(environment.settings[SETTING_LOG], LOG_STDERR);
}

Test(environment, the_folder_of_the_map_is_an_absolute_path_or_not_taken)
{
	variables[0] = "BERTH_DIR=/run/other";
	cr_assert_eq(read_policy(), 0);
	cr_assert_not(environment.is_refused);
	cr_assert_str_eq(environment_directory(lookup), "/run/other");
	variables[0] = "BERTH_DIR=";
	cr_assert_eq(read_policy(), 0);
	cr_assert_null(environment_directory(lookup));
	variables[0] = "BERTH_DIR=run/other";
	assert_refused("BERTH_DIR=\"run/other\": \"run/other\" is not an "
		       "absolute path");
	cr_assert_null(environment_directory(lookup));
}

Test(environment, every_word_of_the_log_variable_is_known)
{
	variables[0] = "BERTH_LOG=none";
	cr_assert_eq(read_policy(), 0);
	cr_assert_eq(environment.settings[SETTING_LOG], LOG_NONE);
	variables[0] = "BERTH_LOG=start";
	cr_assert_eq(read_policy(), 0);
	cr_assert_eq(environment.settings[SETTING_LOG], LOG_START);
}

Test(environment, what_the_kernel_reserves_is_always_taken_out)
{
	port_set_add(&kernel.reserved, 50000, 50009);
	port_set_add(&kernel.reserved, 80, 80);
	cr_assert_eq(read_policy(), 0);
	assert_range("49152-49999,50010-65535");
	variables[0] = "BERTH_RESERVE=60000";
	cr_assert_eq(read_policy(), 0);
	assert_range("49152-49999,50010-59999,60001-65535");
	cr_assert(port_set_has(&environment.reserved, 80));
	cr_assert_eq(environment.reserved.n_ports, 12);
}

static const struct {
	const char *variables[3];
	const char *message; /* NULL: it is taken */
	const char *range;   /* NULL: the default */
	uint32_t n_reserved;
} cases[] = {
	{ { "BERTH_RANGE=kernel" }, NULL, "20000-29999", 0 },
	/* Services: ports below 1024 may be reserved, but not assigned. */
	{ { "BERTH_RESERVE=1-1023" }, NULL, "49152-65535", 1023 },
	{ { "BERTH_RANGE=1024-2000" }, NULL, "1024-2000", 0 },
	{ { "BERTH_RANGE=1023-2000" },
	  .message =
		  "BERTH_RANGE=\"1023-2000\": \"1023-2000\" has ports below 1024, "
		  "which are for services" },
	{ { "BERTH_RANGE=5000,70000", "BERTH_RESERVE=50000-65535" },
	  "BERTH_RANGE=\"5000,70000\": \"70000\" is beyond 65535",
	  "49152-49999",
	  15536 },
	{ { "BERTH_RANGE=" }, .message = "BERTH_RANGE=\"\": \"\" is empty" },
	{ .variables = { "BERTH_RESERVE=" } },
	{ { "BERTH_RANGE=5000-5010", "BERTH_RESERVE=4000-6000" },
	  "BERTH_RANGE=\"5000-5010\": \"5000-5010\" has no port that is not "
	  "reserved",
	  "49152-65535",
	  2001 },
	{ { "BERTH_RESERVE=1024-65535" },
	  .message =
		  "BERTH_RESERVE=\"1024-65535\": \"1024-65535\" leaves no port of the "
		  "range" },
	{ { "BERTH_ALGORITHM=rnd" },
	  .message =
		  "BERTH_ALGORITHM=\"rnd\": \"rnd\" is not sequential, random, hash, "
		  "double-hash or random-increments" },
	{ { "BERTH_ON_ERROR=die" },
	  .message =
		  "BERTH_ON_ERROR=\"die\": \"die\" is not private or refuse" },
	{ { "BERTH_PIN=maybe" },
	  .message = "BERTH_PIN=\"maybe\": \"maybe\" is not yes or no" },
	{ { "BERTH_LOG=" },
	  .message =
		  "BERTH_LOG=\"\": \"\" is not start, none, stderr or syslog" },
	/* A message is one line. */
	{ { "BERTH_PIN=a\nb\x1b[0m" },
	  .message = "BERTH_PIN=\"a?b?[0m\": \"a?b?[0m\" is not yes or no" },
};

Test(environment, what_is_refused_leaves_the_default_in_its_place)
{
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		memcpy(variables, cases[i].variables,
		       sizeof(cases[i].variables));
		if (cases[i].message != NULL)
			assert_refused(cases[i].message);
		else
			cr_assert_eq(read_policy(), 0, "%s", variables[0]);
		assert_range(cases[i].range != NULL ? cases[i].range
						    : "49152-65535");
		cr_assert_eq(environment.reserved.n_ports, cases[i].n_reserved,
			     "%s", variables[0]);
		assert_default_settings();
	}
}

Test(environment, a_refused_reservation_leaves_that_of_the_kernel)
{
	port_set_add(&kernel.reserved, 50000, 50000);
	variables[0] = "BERTH_RESERVE=60000,x";
	assert_refused("BERTH_RESERVE=\"60000,x\": \"x\" is not a port, a "
		       "range lo-hi or a preset");
	assert_range("49152-49999,50001-65535");
	cr_assert_eq(environment.reserved.n_ports, 1);
}

Test(environment, the_range_is_empty_only_where_the_kernel_reserves_it_all)
{
	port_set_add(&kernel.reserved, 49152, 65535);
	assert_refused("BERTH_RANGE=\"iana\": \"iana\" has no port that is not "
		       "reserved");
	cr_assert_eq(environment.range.n_ports, 0);
	variables[0] = "BERTH_RANGE=5000-5999";
	cr_assert_eq(read_policy(), 0);
	assert_range("5000-5999");
}

Test(environment, the_first_mistake_is_told_and_the_rest_still_read)
{
	variables[0] = "BERTH_PIN=maybe";
	variables[1] = "BERTH_RANGE=9-8";
	variables[2] = "BERTH_ALGORITHM=hash";
	variables[3] = "BERTH_LOG=none";
	assert_refused("BERTH_RANGE=\"9-8\": \"9-8\" is reversed");
	cr_assert_eq(environment.settings[SETTING_ALGORITHM], ALGORITHM_HASH);
	cr_assert_eq(environment.settings[SETTING_LOG], LOG_NONE);
	cr_assert(environment.settings[SETTING_PIN]);
}

Test(environment, a_long_value_is_shortened_and_its_reason_still_told)
{
	static char variable[] = "BERTH_ALGORITHM=";
	char value[5000], text[ENVIRONMENT_ERROR_TEXT_SIZE];

	memset(value, 'x', sizeof(value));
	memcpy(value, variable, sizeof(variable) - 1);
	value[sizeof(value) - 1] = '\0';
	variables[0] = value;
	cr_assert_eq(read_policy(), -EINVAL);
	memset(text, '#', sizeof(text));
	environment_error_text(&error, text);
	cr_assert_lt(strnlen(text, sizeof(text)), sizeof(text) - 1);
	cr_assert_not_null(strstr(text, "xxx...\""));
	cr_assert_not_null(strstr(text, "or random-increments"));
}
