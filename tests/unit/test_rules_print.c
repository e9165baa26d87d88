/* SPDX-License-Identifier: MIT */
#include "cli/output.h"
#include "rules_by_hand.h"

TestSuite(rules_print, .timeout = 900);

static void assert_printed(enum output_format format, const char *expected)
{
	char *text = NULL;
	size_t size;
	FILE *stream = open_memstream(&text, &size);
	struct output output;

	output_open(&output, format, stream);
	rules_print(&rules, &output);
	cr_assert_eq(output_close(&output), EXIT_SUCCESS);
	fclose(stream);
	cr_assert_str_eq(text, expected, "%s--- not ---\n%s", text, expected);
	free(text);
}

Test(rules_print, rules_are_printed_by_what_differs)
{
	struct config_section *web = add_process(2, "web");

	web->conditions[CONDITION_EXE] = (struct config_list)LIST(3, "/bin/a",
								  "/bin/b");
	web->conditions[CONDITION_UID] = (struct config_list)LIST(3, "root");
	web->by_protocol[PROTOCOL_TCP].listen = at(4, "7000,7002");
	web->settings[SETTING_MODE] = at(4, "observe");
	config.top.ranges.range = at(1, "5000-5001");
	add_reserve(5, "r", "80")->owners = (struct config_list)LIST(5, "web");
	reserves[0].protocols = (struct config_list)LIST(5, "udp");
	add_reserve(6, "none", "kernel");
	make();
	assert_printed(
		OUTPUT_PORCELAIN,
		"rule\tweb\tconf:2\texe=/bin/a,/bin/b uid=0\ttcp\tconnect\t2\t"
		"5000-5001\tdouble-hash\tobserve\n"
		"rule\tweb\tconf:2\texe=/bin/a,/bin/b uid=0\tudp,udplite,sctp\t"
		"connect,listen\t2\t5000-5001\tdouble-hash\tobserve\n"
		"rule\tweb\tconf:2\texe=/bin/a,/bin/b uid=0\ttcp\tlisten\t2\t"
		"7000,7002\tdouble-hash\tobserve\n"
		"rule\tdefault\tconf\tany\ttcp,udp,udplite,sctp\t"
		"connect,listen\t2\t5000-5001\tdouble-hash\tenforce\n"
		"reservation\tr\tconf:5\tudp,udplite\t80\tweb\n"
		"reservation\tnone\tconf:6\t-\t-\t-\n");
	rules_deinit(&rules);
}
