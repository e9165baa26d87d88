/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "map/choice.h"
#include "rules_by_hand.h"

TestSuite(rules, .timeout = 900);

Test(rules, a_file_without_options_makes_the_default_rule)
{
	make();
	cr_assert_eq(rules.n_rules, 1);
	cr_assert_str_eq(rules.rules[0].name, "default");
	cr_assert_null(rules.rules[0].process);
	cr_assert_str_eq(rules.rules[0].place.file, "conf");
	cr_assert_eq(rules.rest_ms, 60000);
	for (int i = 0; i < N_SETTINGS; i++)
		cr_assert_eq(rules.rules[0].settings[i],
			     setting_default((enum setting)i));
	cr_assert_null(rules.rules[0].ranges[0][0].place.file);
	for (int protocol = 0; protocol < N_PROTOCOLS; protocol++) {
		for (int role = 0; role < N_ROLES; role++)
			assert_ports(rules.rules[0].assigned[protocol][role],
				     "49152-65535");
		assert_ports(rules.dynamic[protocol], "49152-65535");
		cr_assert_eq(rules.dynamic[protocol]->n_ports, 16384);
		assert_ports(rules.rules[0].owned[protocol], "");
		assert_ports(rules.rules[0].refused[protocol], "");
		assert_ports(rules.rules[0].avoided[protocol], "");
	}
	rules_deinit(&rules);
}

Test(rules, a_range_is_the_innermost_that_is_given)
{
	struct config_section *outer = &config.top, *inner;

	inner = add_process(10, "a");
	add_process(20, "b");
	outer->ranges.range = at(1, "5001");
	outer->ranges.listen = at(2, "5002");
	outer->by_protocol[PROTOCOL_UDP].range = at(3, "5003");
	outer->by_protocol[PROTOCOL_UDP].connect = at(4, "5004");
	inner->ranges.connect = at(11, "5011");
	inner->by_protocol[PROTOCOL_TCP].range = at(12, "5012");
	inner->by_protocol[PROTOCOL_TCP].listen = at(13, "5013");
	make();
	assert_range(0, PROTOCOL_TCP, ROLE_OF_CONNECT, "5012", 12);
	assert_range(0, PROTOCOL_TCP, ROLE_OF_LISTEN, "5013", 13);
	assert_range(0, PROTOCOL_UDP, ROLE_OF_CONNECT, "5011", 11);
	assert_range(0, PROTOCOL_UDP, ROLE_OF_LISTEN, "5003", 3);
	assert_range(0, PROTOCOL_SCTP, ROLE_OF_CONNECT, "5011", 11);
	assert_range(0, PROTOCOL_SCTP, ROLE_OF_LISTEN, "5002", 2);
	for (size_t rule = 1; rule < 3; rule++) {
		assert_range(rule, PROTOCOL_TCP, ROLE_OF_CONNECT, "5001", 1);
		assert_range(rule, PROTOCOL_TCP, ROLE_OF_LISTEN, "5002", 2);
		assert_range(rule, PROTOCOL_UDP, ROLE_OF_CONNECT, "5004", 4);
		assert_range(rule, PROTOCOL_UDPLITE, ROLE_OF_CONNECT, "5004",
			     4);
		assert_range(rule, PROTOCOL_UDP, ROLE_OF_LISTEN, "5003", 3);
		assert_range(rule, PROTOCOL_UDPLITE, ROLE_OF_LISTEN, "5003", 3);
		assert_range(rule, PROTOCOL_SCTP, ROLE_OF_LISTEN, "5002", 2);
	}
	cr_assert(
		rules.rules[0].ranges[PROTOCOL_UDP][ROLE_OF_LISTEN].inherited);
	cr_assert_not(rules.rules[0].ranges[PROTOCOL_TCP][0].inherited);
	assert_ports(rules.dynamic[PROTOCOL_TCP], "5001-5002,5012-5013");
	assert_ports(rules.dynamic[PROTOCOL_UDPLITE], "5003-5004,5011");
	rules_deinit(&rules);
}

Test(rules, the_kernels_range_is_a_preset)
{
	config.top.ranges.range = at(1, "kernel,map-e:1/2/3");
	make();
	assert_ports(rules.dynamic[0], "20000-29999,57344-65535");
	rules_deinit(&rules);
}

Test(rules, what_is_inherited_is_shared)
{
	struct config_section *own = add_process(1, "own");
	const struct rule *rule;

	add_process(2, "all");
	add_reserve(3, "r", "1-9,60000");
	config.top.overlap = at(4, "carve");
	own->ranges.range = at(5, "6000-6999");
	make();
	rule = rules.rules;
	cr_assert_eq(rule[1].assigned[0][0], rule[2].assigned[0][0]);
	cr_assert_eq(rule[1].ranges[0][0].ports, rule[2].ranges[0][0].ports);
	cr_assert_neq(rule[0].assigned[0][0], rule[2].assigned[0][0]);
	/* Nothing is taken out of it: it is what the option says. */
	cr_assert_eq(rule[0].assigned[0][0], rule[0].ranges[0][0].ports);
	cr_assert_eq(rule[0].avoided[0], rule[2].avoided[PROTOCOL_SCTP]);
	cr_assert_eq(rule[0].refused[0], rule[2].refused[PROTOCOL_SCTP]);
	cr_assert_eq(rule[0].refused[0], rule[0].avoided[0]);
	rules_deinit(&rules);
}

Test(rules, settings_are_inherited_one_by_one)
{
	struct config_section *inner = add_process(1, "p");

	config.top.settings[SETTING_ALGORITHM] = at(2, "random");
	config.top.settings[SETTING_MODE] = at(3, "observe");
	config.top.rate = at(4, "7");
	config.top.privileged = at(5, "yes");
	config.top.rest_time = at(6, "86400");
	inner->settings[SETTING_MODE] = at(7, "enforce");
	inner->rate = at(8, "1000000");
	inner->overlap = at(9, "carve");
	make();
	cr_assert_eq(rules.rest_ms, 86400000);
	cr_assert_eq(rules.rules[0].settings[SETTING_ALGORITHM],
		     ALGORITHM_RANDOM);
	cr_assert_eq(rules.rules[0].settings[SETTING_MODE], MODE_ENFORCE);
	cr_assert_eq(rules.rules[1].settings[SETTING_MODE], MODE_OBSERVE);
	cr_assert_eq(rules.rules[0].rate, 1000000);
	cr_assert_eq(rules.rules[1].rate, 7);
	cr_assert(rules.rules[0].carves && !rules.rules[1].carves);
	cr_assert(rules.rules[0].privileged && rules.rules[1].privileged);
	rules_deinit(&rules);
}

Test(rules, a_bad_word_is_quoted_with_its_place)
{
	struct config_section *process = add_process(20, "p");

	config.top.settings[SETTING_MODE] = at(1, "watch");
	config.top.overlap = at(2, "maybe");
	config.top.privileged = at(3, "1");
	config.top.rate = at(4, "1000001");
	config.top.rest_time = at(5, "0");
	config.top.import_kernel = at(6, "");
	config.top.map_mode = at(7, "0777");
	config.top.map_group = at(8, "no-such-group");
	process->ranges.range = at(21, "5000,70000");
	process->by_protocol[PROTOCOL_UDP].listen = at(22, "9-8");
	process->rate = at(23, "-1");
	assert_refused(
		"conf:1: mode: \"watch\" is not enforce or observe\n"
		"conf:2: overlap: \"maybe\" is not refuse or carve\n"
		"conf:3: privileged: \"1\" is not yes or no\n"
		"conf:4: rate: \"1000001\" is not a number of connections a "
		"second from 0 to 1000000\n"
		"conf:5: rest-time: \"0\" is not a number of seconds from 1 to "
		"86400\n"
		"conf:6: import-kernel: \"\" is not yes or no\n"
		"conf:7: map-mode: \"0777\" is not an octal mode of read and "
		"write, up to 0666\n"
		"conf:8: map-group: \"no-such-group\" is not a group of this "
		"machine\n"
		"conf:21: range: \"70000\" is beyond 65535\n"
		"conf:22: listen: \"9-8\" is reversed\n"
		"conf:23: rate: \"-1\" is not a number of connections a second "
		"from 0 to 1000000\n");
}

Test(rules, numbers_that_are_none_are_refused)
{
	static const char *const words[] = {
		"",	 "x",	"1x",
		" 1",	 "+1",	"0x10",
		"86401", "1e3", "99999999999999999999",
	};
	char expected[128];

	for (size_t i = 0; i < N_ELEMENTS(words); i++) {
		config.top.rest_time = at(1, words[i]);
		snprintf(expected, sizeof(expected),
			 "conf:1: rest-time: \"%s\" is not a number of seconds "
			 "from 1 to 86400\n",
			 words[i]);
		assert_refused(expected);
	}
}

Test(rules, an_map_mode_is_octal_and_lets_nobody_execute)
{
	static const char *const good[] = { "0666", "600", "0", "0640", "664" };
	static const char *const bad[] = { "0667", "668", "01666", "777", "u" };

	config.top.map_group = at(2, "");
	for (size_t i = 0; i < N_ELEMENTS(good); i++) {
		config.top.map_mode = at(1, good[i]);
		make();
		rules_deinit(&rules);
	}
	for (size_t i = 0; i < N_ELEMENTS(bad); i++) {
		config.top.map_mode = at(1, bad[i]);
		cr_assert_eq(rules_make(&rules, &config, &kernel, &findings),
			     -EINVAL, "%s is taken", bad[i]);
		rules_deinit(&rules);
	}
	config.top.map_mode = at(1, "0111");
	cr_assert_eq(rules_make(&rules, &config, &kernel, &findings), -EINVAL);
}

Test(rules, a_long_word_is_cut)
{
	char word[5001], expected[256];

	memset(word, 'x', sizeof(word) - 1);
	word[sizeof(word) - 1] = '\0';
	config.top.ranges.range = at(1, word);
	snprintf(expected, sizeof(expected),
		 "conf:1: range: \"%.57s...\" is "
		 "not a port, a range lo-hi or a preset\n",
		 word);
	assert_refused(expected);
}

Test(rules, an_exe_pattern_is_absolute)
{
	struct config_section *process = add_process(1, "p");

	process->conditions[CONDITION_EXE] =
		(struct config_list)LIST(2, "/bin/a", "**/b", "bin/c", "*", "");
	assert_refused(
		"conf:2: exe: \"bin/c\" begins with neither / nor **, and so "
		"matches no program\n"
		"conf:2: exe: \"*\" begins with neither / nor **, and so "
		"matches no program\n"
		"conf:2: exe: \"\" begins with neither / nor **, and so "
		"matches no program\n");
}

Test(rules, users_are_kept_as_numbers)
{
	struct config_section *process = add_process(1, "p");
	struct config_list *uid = &process->conditions[CONDITION_UID];

	*uid = (struct config_list)LIST(2, "root", "1000", "007", "4294967294",
					"0");
	make();
	cr_assert_eq(rules.rules[0].conditions[CONDITION_UID].n, 5);
	cr_assert_str_eq(rules.rules[0].conditions[CONDITION_UID].values[0],
			 "0");
	cr_assert_str_eq(rules.rules[0].conditions[CONDITION_UID].values[1],
			 "1000");
	cr_assert_str_eq(rules.rules[0].conditions[CONDITION_UID].values[2],
			 "7");
	cr_assert_str_eq(rules.rules[0].conditions[CONDITION_UID].values[3],
			 "4294967294");
	cr_assert_eq(rules.rules[1].conditions[CONDITION_UID].n, 0);
	rules_deinit(&rules);
	*uid = (struct config_list)LIST(2, "no-such-user", "4294967295", "-1",
					"");
	assert_refused(
		"conf:2: uid: \"no-such-user\" is not a user of this machine\n"
		"conf:2: uid: \"4294967295\" is not a user of this machine\n"
		"conf:2: uid: \"-1\" is not a user of this machine\n"
		"conf:2: uid: \"\" is not a user of this machine\n");
}
