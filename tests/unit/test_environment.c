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

Test(environment, an_empty_environment_gives_the_defaults)
{
	cr_assert_eq(read_policy(), 0);
	assert_range("49152-65535");
	cr_assert_eq(environment.range.n_ports, 16384);
	cr_assert_eq(environment.reserved.n_ports, 0);
	cr_assert_eq(environment.settings[SETTING_ALGORITHM],
		     ALGORITHM_DOUBLE_HASH);
	cr_assert_eq(environment.settings[SETTING_ON_ERROR], ON_ERROR_PRIVATE);
	cr_assert_eq(environment.settings[SETTING_LOG], LOG_START);
	cr_assert(environment.settings[SETTING_PIN]);
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

Test(environment, the_kernel_preset_is_the_range_of_the_kernel)
{
	variables[0] = "BERTH_RANGE=kernel";
	cr_assert_eq(read_policy(), 0);
	assert_range("20000-29999");
}

Test(environment, service_ports_may_be_reserved_but_not_assigned)
{
	variables[0] = "BERTH_RESERVE=1-1023";
	cr_assert_eq(read_policy(), 0);
	variables[0] = "BERTH_RANGE=1024-2000";
	cr_assert_eq(read_policy(), 0);
	assert_range("1024-2000");
	variables[0] = "BERTH_RANGE=1023-2000";
	assert_refused("BERTH_RANGE=\"1023-2000\": \"1023-2000\" has ports "
		       "below 1024, which are for services");
	assert_range("49152-65535");
}

Test(environment, a_refused_range_leaves_the_default_in_its_place)
{
	variables[0] = "BERTH_RANGE=5000,70000";
	variables[1] = "BERTH_RESERVE=50000-65535";
	assert_refused("BERTH_RANGE=\"5000,70000\": \"70000\" is beyond 65535");
	cr_assert_str_eq(error.variable, "BERTH_RANGE");
	cr_assert_str_eq(error.value, "5000,70000");
	assert_range("49152-49999");
}

Test(environment, an_empty_range_is_refused)
{
	variables[0] = "BERTH_RANGE=";
	assert_refused("BERTH_RANGE=\"\": \"\" is empty");
	assert_range("49152-65535");
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

Test(environment, a_reservation_set_to_nothing_is_none)
{
	variables[0] = "BERTH_RESERVE=";
	cr_assert_eq(read_policy(), 0);
	assert_range("49152-65535");
}

Test(environment, a_range_that_is_reserved_as_a_whole_is_refused)
{
	variables[0] = "BERTH_RANGE=5000-5010";
	variables[1] = "BERTH_RESERVE=4000-6000";
	assert_refused("BERTH_RANGE=\"5000-5010\": \"5000-5010\" has no port "
		       "that is not reserved");
	assert_range("49152-65535");
	cr_assert_eq(environment.reserved.n_ports, 2001);
}

Test(environment, a_reservation_of_the_whole_default_is_refused)
{
	variables[0] = "BERTH_RESERVE=1024-65535";
	assert_refused("BERTH_RESERVE=\"1024-65535\": \"1024-65535\" leaves no "
		       "port of the range");
	assert_range("49152-65535");
	cr_assert_eq(environment.reserved.n_ports, 0);
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

static void assert_word_refused(const char *variable, const char *message)
{
	variables[0] = variable;
	assert_refused(message);
	assert_range("49152-65535");
	cr_assert_eq(environment.settings[SETTING_ALGORITHM],
		     ALGORITHM_DEFAULT);
	cr_assert_eq(environment.settings[SETTING_ON_ERROR], ON_ERROR_PRIVATE);
	cr_assert_eq(environment.settings[SETTING_LOG], LOG_START);
	cr_assert(environment.settings[SETTING_PIN]);
}

Test(environment, an_unknown_word_is_refused_with_a_list_of_the_known)
{
	assert_word_refused(
		"BERTH_ALGORITHM=rnd",
		"BERTH_ALGORITHM=\"rnd\": \"rnd\" is not sequential, random, "
		"hash, double-hash or random-increments");
	assert_word_refused(
		"BERTH_ON_ERROR=die",
		"BERTH_ON_ERROR=\"die\": \"die\" is not private or refuse");
	assert_word_refused("BERTH_PIN=maybe",
			    "BERTH_PIN=\"maybe\": \"maybe\" is not yes or no");
	assert_word_refused(
		"BERTH_LOG=",
		"BERTH_LOG=\"\": \"\" is not start, none, stderr or "
		"syslog");
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

Test(environment, a_message_is_one_line)
{
	variables[0] = "BERTH_PIN=a\nb\x1b[0m";
	assert_refused("BERTH_PIN=\"a?b?[0m\": \"a?b?[0m\" is not yes or no");
}
