/* SPDX-License-Identifier: MIT */
#include "config_here.h"

TestSuite(config, .init = enter_folder, .fini = leave_folder);

Test(config, an_option_that_is_not_given_has_no_value)
{
	assert_sound("# nothing");
	cr_assert_null(config.top.ranges.range.value);
	cr_assert_null(config.top.rest_time.value);
	cr_assert_eq(config.n_processes, 0);
	cr_assert_eq(config.n_reserves, 0);
	cr_assert_str_eq(config.path, "conf");
}

Test(config, every_option_of_the_top_level_is_read_with_its_line)
{
	const struct config_section *defaults = &config.top;

	assert_sound("range = r\nconnect = 'c'\nlisten = \"l\"\n"
		     "overlap = o privileged = p rate = 5\n"
		     "rest-time = 60\nimport-kernel = i\n"
		     "map-mode = \"0666\"\nmap-group = \"\"\n");
	assert_text(&defaults->ranges.range, "r", 1);
	assert_text(&defaults->ranges.connect, "c", 2);
	assert_text(&defaults->ranges.listen, "l", 3);
	assert_text(&defaults->overlap, "o", 4);
	assert_text(&defaults->privileged, "p", 4);
	assert_text(&defaults->rate, "5", 4);
	assert_text(&config.top.rest_time, "60", 5);
	assert_text(&config.top.import_kernel, "i", 6);
	assert_text(&config.top.map_mode, "0666", 7);
	assert_text(&config.top.map_group, "", 8);
}

Test(config, every_setting_is_read_by_its_name)
{
	char text[1024] = "";

	for (int i = 0; i < N_SETTINGS; i++) {
		size_t n = strlen(text);

		snprintf(text + n, sizeof(text) - n, "%s = \"v%d\"\n",
			 setting_name((enum setting)i), i);
	}
	assert_sound(text);
	for (int i = 0; i < N_SETTINGS; i++) {
		char value[16];

		snprintf(value, sizeof(value), "v%d", i);
		assert_text(&config.top.settings[i], value, i + 1);
	}
}

Test(config, blocks_for_a_protocol_are_read_in_either_scope)
{
	assert_sound("tcp {\n range = t\n\n connect = c }\n"
		     "process a {\n"
		     "  udp { listen = u }\n"
		     "  sctp {\n"
		     "    range =\n"
		     "      s\n"
		     "  }\n"
		     "}\n");
	assert_text(&config.top.by_protocol[PROTOCOL_TCP].range, "t", 2);
	assert_text(&config.top.by_protocol[PROTOCOL_TCP].connect, "c", 4);
	cr_assert_null(config.top.by_protocol[PROTOCOL_UDP].listen.value);
	cr_assert_eq(config.n_processes, 1);
	assert_text(&config.processes[0].by_protocol[PROTOCOL_UDP].listen, "u",
		    6);
	assert_text(&config.processes[0].by_protocol[PROTOCOL_SCTP].range, "s",
		    9);
}

Test(config, process_sections_keep_their_order_and_lists)
{
	const struct config_section *process;

	assert_sound("process b {\n"
		     "  exe = {\"/usr/bin/*\",\n"
		     "         \"/sbin/**\",}\n"
		     "  name = x\n"
		     "  uid = {root, '1000'}\n"
		     "  profile = { p }\n"
		     "  arguments = {\"-a=%lo\", -b, c}\n"
		     "  range = 5\n"
		     "  mode = observe\n"
		     "}\n"
		     "process \"a b\" { }\n");
	cr_assert_eq(config.n_processes, 2);
	process = &config.processes[0];
	cr_assert_str_eq(process->name, "b");
	cr_assert_eq(process->place.line, 1);
	assert_list(&process->conditions[CONDITION_EXE], 2, "/sbin/**", 2);
	assert_list(&process->conditions[CONDITION_NAME], 1, "x", 4);
	assert_list(&process->conditions[CONDITION_UID], 2, "1000", 5);
	assert_list(&process->conditions[CONDITION_PROFILE], 1, "p", 6);
	assert_list(&process->arguments, 3, "c", 7);
	assert_text(&process->ranges.range, "5", 8);
	assert_text(&process->settings[SETTING_MODE], "observe", 9);
	process = &config.processes[1];
	cr_assert_str_eq(process->name, "a b");
	cr_assert_eq(process->place.line, 11);
	cr_assert_eq(process->arguments.n, 0);
}

Test(config, reserve_sections_are_read)
{
	assert_sound("reserve\n a { ports = \"1,2\"\nprotocols = {tcp, udp}\n"
		     "owners = {x, y, z} }\nprocess a { }\nreserve b { }");
	cr_assert_eq(config.n_reserves, 2);
	cr_assert_str_eq(config.reserves[0].name, "a");
	cr_assert_eq(config.reserves[0].place.line, 2);
	assert_text(&config.reserves[0].ports, "1,2", 2);
	assert_list(&config.reserves[0].protocols, 2, "udp", 3);
	assert_list(&config.reserves[0].owners, 3, "z", 4);
	cr_assert_str_eq(config.reserves[1].name, "b");
	cr_assert_null(config.reserves[1].ports.value);
}

Test(config, comments_do_not_shift_the_lines)
{
	assert_sound("# one \"\n/* two {\n*/ // three\n\n"
		     "range = 4000# four\n"
		     "/* \" */ connect = \"4#/*\" /**/\r\n"
		     "process a { /* } */\n// }\n tcp { # }\n"
		     "listen = http://x } }\n");
	assert_text(&config.top.ranges.range, "4000", 5);
	assert_text(&config.top.ranges.connect, "4#/*", 6);
	assert_text(&config.processes[0].by_protocol[PROTOCOL_TCP].listen,
		    "http://x", 10);
}

Test(config, a_line_goes_on_behind_a_backslash_in_quotes)
{
	assert_sound("range = \"1,\\\n2\\\"\"\nlisten = '3'\n");
	assert_text(&config.top.ranges.range, "1,2\"", 2);
	assert_text(&config.top.ranges.listen, "3", 3);
}

Test(config, all_that_is_unknown_is_told_in_one_run)
{
	assert_told("rnge = 1\n"
		    "frobnicate = {a, b}\n"
		    "process a {\n"
		    "  nmae = x\n"
		    "  tcp { lisen = 5 range = 6 }\n"
		    "  foo bar { x = { 1 } range = 5 }\n"
		    "}\n"
		    "proces b { rnge = 5 tcp { y = 1 } }\n"
		    "frob { x = 1 }\n"
		    "listen = 7\n"
		    "wibble\n",
		    "conf:1: unknown option \"rnge\"; did you mean \"range\"?\n"
		    "conf:2: unknown option \"frobnicate\"\n"
		    "conf:4: unknown option \"nmae\"; did you mean \"name\"?\n"
		    "conf:5: unknown option \"lisen\"; did you mean "
		    "\"listen\"?\n"
		    "conf:6: unknown section \"foo\"\n"
		    "conf:8: unknown section \"proces\"; did you mean "
		    "\"process\"?\n"
		    "conf:9: unknown section \"frob\"\n"
		    "conf:11: unknown option \"wibble\"\n");
	assert_text(&config.top.ranges.listen, "7", 10);
	assert_text(&config.processes[0].by_protocol[PROTOCOL_TCP].range, "6",
		    5);
}

Test(config, a_path_of_libconfuse_is_no_name)
{
	static const char *const cases[] = {
		"tcp { }\n\"tcp|range\" = 5\n",
		"tcp { }\ntcp|range = 5\n",
		"tcp { }\n\"tcp\\x7crange\" = 5\n",
		"process a { }\n\"process=a|range\" = 5\n",
		"process a { }\n\"process|tcp\" { range = 5 }\n",
		"process a { }\n\"process|x\" b { range = 5 }\n",
		"range = 5\n\"\" = 5\n",
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		cr_assert_eq(read_text(cases[i]), -EINVAL, "%s", cases[i]);
		cr_assert_eq(findings.n_items, 1, "%s: %s", cases[i],
			     printed());
		cr_assert_not_null(strstr(printed(), "is no name"));
	}
}

/* libconfuse ends all parsing with a section that is named root. */
Test(config, a_section_may_not_be_named_root)
{
	assert_told("root a { }\nroot a { }\n",
		    "conf:1: unknown option \"root\"; did you mean "
		    "\"rest\"?\n");
	assert_told("process a { root { } }\n",
		    "conf:1: unknown option \"root\"; did you mean "
		    "\"rest\"?\n");
	assert_sound("process root { }\nprocess x { }\n");
}

Test(config, what_stands_twice_is_told_with_both_places)
{
	assert_told("range = 1\nprocess web { }\n\n"
		    "process web { range = 2 }\n"
		    "reserve web { }\nreserve 'web' { }\n"
		    "tcp { }\ntcp { range = 1 }\n"
		    "process b { exe = {x} name = y range = 1\n exe = {z} }\n"
		    "range = 2\n",
		    "conf:4: \"process web\" is given twice; first at conf:2\n"
		    "conf:6: \"reserve web\" is given twice; first at conf:5\n"
		    "conf:8: \"tcp\" is given twice; first at conf:7\n"
		    "conf:10: \"exe\" is given twice; first at conf:9\n"
		    "conf:11: \"range\" is given twice; first at conf:1\n");
	assert_text(&config.top.ranges.range, "1", 1);
	cr_assert_str_eq(config.processes[2].name, "b");
	assert_list(&config.processes[2].conditions[CONDITION_EXE], 1, "x", 9);
}

Test(config, an_option_in_the_wrong_scope_is_told_the_right_one)
{
	assert_told(
		"exe = {x}\nports = 5\n"
		"process a {\n rest-time = 5\n reserve b { }\n"
		" include(\"x\")\n tcp { mode = observe }\n}\n"
		"reserve c { range = 5 }\n",
		"conf:1: \"exe\" belongs in a process section only, "
		"not at the top level\n"
		"conf:2: \"ports\" belongs in a reserve section only, "
		"not at the top level\n"
		"conf:4: \"rest-time\" belongs at the top level only, "
		"not in a process section\n"
		"conf:5: \"reserve\" belongs at the top level only, "
		"not in a process section\n"
		"conf:6: \"include\" belongs at the top level only, "
		"not in a process section\n"
		"conf:7: \"mode\" belongs at the top level or in a process "
		"section, not in a tcp, udp or sctp block\n"
		"conf:9: \"range\" belongs at the top level or in a process "
		"section, not in a reserve section\n");
}

Test(config, a_section_in_a_block_is_told_where_it_may_stand)
{
	assert_told(
		"tcp {\n"
		"  udp { range = 1 }\n"
		"  process p { rate = 1 }\n"
		"  range = 2\n"
		"}\n"
		"udp { range = 3 }\n",
		"conf:2: \"udp\" belongs at the top level or in a process "
		"section, not in a tcp, udp or sctp block\n"
		"conf:3: \"process\" belongs at the top level only, not in a "
		"tcp, udp or sctp block\n");
	assert_text(&config.top.by_protocol[PROTOCOL_TCP].range, "2", 4);
	assert_text(&config.top.by_protocol[PROTOCOL_UDP].range, "3", 6);
}

Test(config, a_value_of_the_wrong_shape_is_told)
{
	assert_told("range = {1, 2, 3}\nprocess \"\" { range = 1 x = 2 }\n"
		    "reserve \"${BERTH_TEST_NONE:-}\" { ports = 1 }\n"
		    "listen = 5\n",
		    "conf:1: \"range\" takes one value, not a list\n"
		    "conf:2: \"process\" needs a name: process NAME { ... }\n"
		    "conf:3: \"reserve\" needs a name: reserve NAME { ... }\n");
	assert_text(&config.top.ranges.listen, "5", 4);
}

Test(config, what_stands_in_a_list_twice_is_told)
{
	assert_told("process a {\n exe = {a, b}\n exe = {c, d}\n"
		    " exe = e\n}\n",
		    "conf:3: \"exe\" is given twice; first at conf:2\n"
		    "conf:4: \"exe\" is given twice; first at conf:2\n");
	assert_list(&config.processes[0].conditions[CONDITION_EXE], 2, "b", 2);
}

Test(config, a_syntax_error_ends_the_reading_with_its_line)
{
	static const char *const cases[][2] = {
		{ "\nrange 5\n",
		  "conf:2: missing equal sign after option 'range'\n" },
		{ "range =\n", "conf:2: premature end of file\n" },
		{ "range = }\n", "conf:1: unexpected token '}'\n" },
		{ "x = 1\nrange = = 5\nfoo = 1\n",
		  "conf:1: unknown option \"x\"\n"
		  "conf:2: unexpected token '='\n" },
		{ "process a {\n exe = {a b}\n}\n",
		  "conf:2: unexpected token 'b'\n" },
		{ "process a {\n exe = a, b\n}\n",
		  "conf:2: unexpected token ','\n" },
		{ "process a {\n exe = {}\n}\nx = 1\n",
		  "conf:2: \"}\" ends an empty list; "
		  "fill it or leave it out\n" },
		{ "process a\nrange = 5\n",
		  "conf:2: missing opening brace for section 'process'\n" },
		{ "process { range = 1 }\n",
		  "conf:1: missing title for section 'process'\n" },
		{ "reserve = \"5000-5010\"\n",
		  "conf:1: missing title for section 'reserve'\n" },
		{ "tcp = 5\n",
		  "conf:1: missing opening brace for section 'tcp'\n" },
		{ "exe { }\n",
		  "conf:1: missing equal sign after option 'exe'\n" },
		{ "foo = 1\nprocess a {\n\n tcp { range = 5\n}\nbar = 1\n",
		  "conf:1: unknown option \"foo\"\n"
		  "conf:2: \"{\" is never closed\n"
		  "conf:6: unknown option \"bar\"\n" },
		{ "range = 5\n}\n", "conf:2: unexpected closing brace\n" },
		{ "foo = 1\nrange = \"5000\nlisten = \"5\"\n",
		  "conf:1: unknown option \"foo\"\n"
		  "conf:2: \"5000\" has no closing quote on its line\n" },
		{ "range = 5 /* x\n\n",
		  "conf:1: \"/*\" starts a comment that has no end\n" },
		{ "process a {\n exe = /usr/bin/*\n}\n",
		  "conf:2: \"/usr/bin/*\" must be in quotes\n" },
		{ "range = 1-2*\n", "conf:1: \"1-2*\" must be in quotes\n" },
		{ "range = ${X}\n", "conf:1: \"$\" must be in quotes\n" },
		{ "range = 5 + 6\n", "conf:1: \"+\" must be in quotes\n" },
		{ "process a {\n exe += {x}\n}\n",
		  "conf:2: \"+\" must be in quotes\n" },
		{ "a { b { c { d { e { f { g { h {\ni { }}}}}}}}}\n",
		  "conf:1: unknown section \"a\"\n"
		  "conf:2: \"{\" is nested too deep\n" },
		{ "include(\"a\", \"b\")\n",
		  "conf:1: \"(\" must hold one path: include(\"PATH\")\n" },
		{ "include()\n",
		  "conf:1: \"(\" must hold one path: include(\"PATH\")\n" },
		{ "include(\"a\"\n",
		  "conf:1: \"(\" must hold one path: include(\"PATH\")\n" },
		{ "foo(a)\n", "conf:1: unknown option \"foo\"\n" },
		{ "process a {\n tcp {\n\n range = \"\\777\" }\n}\n",
		  "conf:4: invalid octal number '\\777'\n" },
		{ "range = \"\\8\"\n", "conf:1: bad escape sequence '\\8'\n" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_told(cases[i][0], cases[i][1]);
		cr_assert_eq(read_again(), -EINVAL);
	}
	assert_sound("range = 5\n");
}

Test(config, at_most_a_hundred_findings_are_told)
{
	char text[200 * 4 + 1] = "";

	for (int i = 0; i < 200; i++)
		memcpy(text + 4 * i, "x=1\n", 5);
	cr_assert_eq(read_text(text), -EINVAL);
	cr_assert_eq(findings.n_items, 100);
	for (int i = 0; i < 200; i++)
		memcpy(text + 4 * i, "x{}\n", 5);
	cr_assert_eq(read_text(text), -EINVAL);
	cr_assert_eq(findings.n_items, 100);
}

Test(config, a_message_is_printable_and_not_long)
{
	char text[300];

	assert_told("\"a\x1b[31m\" = 1\n",
		    "conf:1: unknown option \"a?[31m\"\n");
	assert_told("\"a\xc2\x9b\" = 1\n", "conf:1: unknown option \"a?\"\n");
	memset(text, 'y', 200);
	strcpy(text + 200, " = 1\n");
	assert_told(text,
		    "conf:1: unknown option \"yyyyyyyyyyyyyyyyyyyyyyyyyyyy"
		    "yyyyyyyyyyyyyyyyyyyyyyyyyyyyy...\"\n");
}

Test(config, findings_are_printed_by_file_and_line)
{
	struct location none = { NULL, 0 };

	findings_add(&findings, SEVERITY_ERROR, (struct location){ "b", 9 },
		     "1");
	findings_add(&findings, SEVERITY_WARNING, (struct location){ "a", 2 },
		     "%s", "2");
	findings_add(&findings, SEVERITY_ERROR, (struct location){ "b", 3 },
		     "3");
	findings_add(&findings, SEVERITY_ERROR, (struct location){ "b", 9 },
		     "4");
	findings_add(&findings, SEVERITY_WARNING, none, "5");
	findings_add(&findings, SEVERITY_ERROR, (struct location){ "a", 0 },
		     "6");
	assert_printed("b:3: 3\nb:9: 1\nb:9: 4\na: 6\na:2: warning: 2\n"
		       "warning: 5\n");
	cr_assert_eq(findings.n_errors, 4);
}
