/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/conf/config_read.h"

#define NOBODY 65534

static struct config config;
static struct findings findings;
static char folder[] = "/tmp/test_config.XXXXXX";

static void enter_folder(void)
{
	cr_assert_not_null(mkdtemp(folder));
	cr_assert_eq(chdir(folder), 0);
}

static void leave_folder(void)
{
	char command[64];

	config_deinit(&config);
	findings_deinit(&findings);
	snprintf(command, sizeof(command), "rm -rf %s", folder);
	cr_assert_eq(system(command), 0);
}

TestSuite(config, .init = enter_folder, .fini = leave_folder);

static void write_bytes(const char *path, const char *bytes, size_t size)
{
	FILE *file = fopen(path, "w");

	cr_assert_not_null(file);
	cr_assert_eq(fwrite(bytes, 1, size, file), size);
	fclose(file);
}

static void write_file(const char *path, const char *text)
{
	write_bytes(path, text, strlen(text));
}

/* What is printed of all that is wrong. */
static const char *printed(void)
{
	static char text[65536];
	FILE *stream = fmemopen(text, sizeof(text), "w");

	cr_assert_not_null(stream);
	text[0] = '\0';
	findings_print(&findings, stream);
	fclose(stream);
	return text;
}

static int read_again(void)
{
	config_deinit(&config);
	findings_deinit(&findings);
	return config_read(&config, "conf", &findings);
}

static int read_text(const char *text)
{
	write_file("conf", text);
	return read_again();
}

static void assert_sound(const char *text)
{
	int result = read_text(text);

	cr_assert_eq(findings.n_items, 0, "\"%s\": %s", text, printed());
	cr_assert_eq(result, 0, "\"%s\"", text);
}

/* Exactly these lines, whether or not the rest can be gone on with. */
static void assert_printed(const char *expected)
{
	cr_assert_str_eq(printed(), expected, "%s, not %s", printed(),
			 expected);
}

static void assert_told(const char *text, const char *expected)
{
	read_text(text);
	assert_printed(expected);
}

static void assert_text(const struct config_text *text, const char *value,
			int line)
{
	cr_assert_not_null(text->value, "no \"%s\"", value);
	cr_assert_str_eq(text->value, value);
	cr_assert_str_eq(text->place.file, "conf");
	cr_assert_eq(text->place.line, line, "\"%s\": line %d, not %d", value,
		     text->place.line, line);
}

static void assert_list(const struct config_list *list, size_t n,
			const char *last, int line)
{
	cr_assert_eq(list->n, n, "%s: %zu, not %zu", last, list->n, n);
	cr_assert_str_eq(list->values[n - 1], last);
	cr_assert_eq(list->place.line, line, "\"%s\": line %d, not %d", last,
		     list->place.line, line);
}

Test(config, an_option_that_is_not_given_has_no_value)
{
	assert_sound("# nothing");
	cr_assert_null(config.defaults.ranges.range.value);
	cr_assert_null(config.rest_time.value);
	cr_assert_eq(config.n_processes, 0);
	cr_assert_eq(config.n_reserves, 0);
	cr_assert_str_eq(config.path, "conf");
}

Test(config, every_option_of_the_top_level_is_read_with_its_line)
{
	const struct config_options *defaults = &config.defaults;

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
	assert_text(&config.rest_time, "60", 5);
	assert_text(&config.import_kernel, "i", 6);
	assert_text(&config.map_mode, "0666", 7);
	assert_text(&config.map_group, "", 8);
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
		assert_text(&config.defaults.settings[i], value, i + 1);
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
	assert_text(&config.defaults.by_protocol[PROTOCOL_TCP].range, "t", 2);
	assert_text(&config.defaults.by_protocol[PROTOCOL_TCP].connect, "c", 4);
	cr_assert_null(config.defaults.by_protocol[PROTOCOL_UDP].listen.value);
	cr_assert_eq(config.n_processes, 1);
	assert_text(&config.processes[0].options
			     .by_protocol[PROTOCOL_UDP].listen, "u", 6);
	assert_text(&config.processes[0].options
			     .by_protocol[PROTOCOL_SCTP].range, "s", 9);
}

Test(config, process_sections_keep_their_order_and_lists)
{
	const struct config_process *process;

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
	cr_assert_str_eq(process->head.name, "b");
	cr_assert_eq(process->head.place.line, 1);
	assert_list(&process->conditions[CONDITION_EXE], 2, "/sbin/**", 2);
	assert_list(&process->conditions[CONDITION_NAME], 1, "x", 4);
	assert_list(&process->conditions[CONDITION_UID], 2, "1000", 5);
	assert_list(&process->conditions[CONDITION_PROFILE], 1, "p", 6);
	assert_list(&process->arguments, 3, "c", 7);
	assert_text(&process->options.ranges.range, "5", 8);
	assert_text(&process->options.settings[SETTING_MODE], "observe", 9);
	process = &config.processes[1];
	cr_assert_str_eq(process->head.name, "a b");
	cr_assert_eq(process->head.place.line, 11);
	cr_assert_eq(process->arguments.n, 0);
}

Test(config, reserve_sections_are_read)
{
	assert_sound("reserve\n a { ports = \"1,2\"\nprotocols = {tcp, udp}\n"
		     "owners = {x, y, z} }\nprocess a { }\nreserve b { }");
	cr_assert_eq(config.n_reserves, 2);
	cr_assert_str_eq(config.reserves[0].head.name, "a");
	cr_assert_eq(config.reserves[0].head.place.line, 2);
	assert_text(&config.reserves[0].ports, "1,2", 2);
	assert_list(&config.reserves[0].protocols, 2, "udp", 3);
	assert_list(&config.reserves[0].owners, 3, "z", 4);
	cr_assert_str_eq(config.reserves[1].head.name, "b");
	cr_assert_null(config.reserves[1].ports.value);
}

Test(config, comments_do_not_shift_the_lines)
{
	assert_sound("# one \"\n/* two {\n*/ // three\n\n"
		     "range = 4000# four\n"
		     "/* \" */ connect = \"4#/*\" /**/\r\n"
		     "process a { /* } */\n// }\n tcp { # }\n"
		     "listen = http://x } }\n");
	assert_text(&config.defaults.ranges.range, "4000", 5);
	assert_text(&config.defaults.ranges.connect, "4#/*", 6);
	assert_text(&config.processes[0].options
			     .by_protocol[PROTOCOL_TCP].listen, "http://x", 10);
}

Test(config, a_line_goes_on_behind_a_backslash_in_quotes)
{
	assert_sound("range = \"1,\\\n2\\\"\"\nlisten = '3'\n");
	assert_text(&config.defaults.ranges.range, "1,2\"", 2);
	assert_text(&config.defaults.ranges.listen, "3", 3);
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
	assert_text(&config.defaults.ranges.listen, "7", 10);
	assert_text(&config.processes[0].options
			     .by_protocol[PROTOCOL_TCP].range, "6", 5);
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
	assert_text(&config.defaults.ranges.range, "1", 1);
	cr_assert_str_eq(config.processes[2].head.name, "b");
	assert_list(&config.processes[2].conditions[CONDITION_EXE], 1, "x", 9);
}

Test(config, an_option_in_the_wrong_scope_is_told_the_right_one)
{
	assert_told("exe = {x}\nports = 5\n"
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
	assert_told("tcp {\n"
		    "  udp { range = 1 }\n"
		    "  process p { rate = 1 }\n"
		    "  range = 2\n"
		    "}\n"
		    "udp { range = 3 }\n",
		    "conf:2: \"udp\" belongs at the top level or in a process "
		    "section, not in a tcp, udp or sctp block\n"
		    "conf:3: \"process\" belongs at the top level only, not in a "
		    "tcp, udp or sctp block\n");
	assert_text(&config.defaults.by_protocol[PROTOCOL_TCP].range, "2", 4);
	assert_text(&config.defaults.by_protocol[PROTOCOL_UDP].range, "3", 6);
}

Test(config, a_value_of_the_wrong_shape_is_told)
{
	assert_told("range = {1, 2, 3}\nprocess \"\" { range = 1 x = 2 }\n"
		    "reserve \"${BERTH_TEST_NONE:-}\" { ports = 1 }\n"
		    "listen = 5\n",
		    "conf:1: \"range\" takes one value, not a list\n"
		    "conf:2: \"process\" needs a name: process NAME { ... }\n"
		    "conf:3: \"reserve\" needs a name: reserve NAME { ... }\n");
	assert_text(&config.defaults.ranges.listen, "5", 4);
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

Test(config, a_file_that_cannot_be_read_is_told_without_a_line)
{
	static char huge[(1 << 20) + 1];

	cr_assert_eq(read_again(), -EINVAL);
	assert_printed("conf: No such file or directory\n");
	assert_told("", "conf: is empty\n");
	assert_told(" \n\t\r\n", "conf: is empty\n");
	memset(huge, '#', sizeof(huge));
	write_bytes("conf", huge, sizeof(huge));
	cr_assert_eq(read_again(), -EINVAL);
	assert_printed("conf: is too large\n");
	write_bytes("conf", huge, sizeof(huge) - 1);
	cr_assert_eq(read_again(), 0);
	write_bytes("conf", "range = 1\0", 10);
	cr_assert_eq(read_again(), -EINVAL);
	assert_printed("conf: is binary\n");
	unlink("conf");
	mkdir("conf", 0700);
	cr_assert_eq(read_again(), -EINVAL);
	assert_printed("conf: Is a directory\n");
	rmdir("conf");
	cr_assert_eq(symlink("/dev/zero", "conf"), 0);
	cr_assert_eq(read_again(), -EINVAL);
	assert_printed("conf: is not a file or a pipe\n");
}

Test(config, a_file_without_permission_is_told)
{
	write_file("conf", "range = 1\n");
	cr_assert_eq(chmod("conf", 0), 0);
	cr_assert_eq(chmod(".", 0755), 0);
	if (geteuid() == 0)	/* who may read every file */
		cr_assert_eq(seteuid(NOBODY), 0);
	cr_assert_eq(read_again(), -EINVAL);
	assert_printed("conf: Permission denied\n");
	cr_assert_eq(seteuid(getuid()), 0);
}

Test(config, a_pipe_is_read)
{
	char path[32];
	int fds[2];

	cr_assert_eq(pipe(fds), 0);
	cr_assert_eq(write(fds[1], "\nrange = 5\n", 11), 11);
	close(fds[1]);
	snprintf(path, sizeof(path), "/dev/fd/%d", fds[0]);
	cr_assert_eq(config_read(&config, path, &findings), 0, "%s",
		     printed());
	cr_assert_eq(config.defaults.ranges.range.place.line, 2);
	close(fds[0]);
}

Test(config, a_byte_order_mark_is_passed_over)
{
	assert_sound("\xef\xbb\xbfrange = 5\n");
}

Test(config, an_include_is_read_in_its_place_with_its_lines)
{
	mkdir("d", 0700);
	write_file("d/a", "process a { }\ninclude(\"b\") connect = 6\n");
	write_file("d/b", "\n/*\n*/ process b {\nfoo = 1 }");
	assert_told("process x { } include(\"d/a\") process y { }\n"
		    "bar = 1\n",
		    "d/b:4: unknown option \"foo\"\n"
		    "conf:2: unknown option \"bar\"\n");
	cr_assert_eq(config.n_processes, 4);
	cr_assert_str_eq(config.processes[2].head.name, "b");
	cr_assert_str_eq(config.processes[2].head.place.file, "d/b");
	cr_assert_eq(config.processes[2].head.place.line, 3);
	cr_assert_str_eq(config.defaults.ranges.connect.place.file, "d/a");
	cr_assert_eq(config.defaults.ranges.connect.place.line, 2);
	cr_assert_str_eq(config.processes[3].head.name, "y");
	cr_assert_eq(config.processes[3].head.place.line, 1);
}

Test(config, an_include_is_relative_to_the_file_that_includes)
{
	mkdir("d[x]", 0700);
	mkdir("d[x]/e", 0700);
	write_file("d[x]/a", "include(\"e/*.conf\")");
	write_file("d[x]/e/2.conf", "process b { }");
	write_file("d[x]/e/1.conf", "process a { }");
	write_file("d[x]/e/0.other", "x = 1");
	cr_assert_eq(config_read(&config, "d[x]/a", &findings), 0);
	assert_printed("");
	cr_assert_eq(config.n_processes, 2);
	cr_assert_str_eq(config.processes[0].head.name, "a");
	cr_assert_str_eq(config.processes[1].head.place.file, "d[x]/e/2.conf");
}

Test(config, a_pattern_without_a_match_includes_nothing)
{
	assert_sound("include(\"none/*\") include(\"none*\") range = 5");
	assert_text(&config.defaults.ranges.range, "5", 1);
}

Test(config, an_absolute_path_is_included_as_it_is)
{
	char text[64];

	mkdir("d", 0700);
	write_file("d/a", "process a { }");
	snprintf(text, sizeof(text), "include(\"%s/d/[a]\")", folder);
	assert_sound(text);
	cr_assert_eq(config.n_processes, 1);
}

Test(config, an_include_that_cannot_be_read_is_told_and_the_rest_is_read)
{
	mkdir("dir", 0700);
	assert_told("include(\"none\")\n\ninclude('dir')\n\n"
		    "rnage = 1\nlisten = 5\n",
		    "conf:1: cannot include \"none\": "
		    "No such file or directory\n"
		    "conf:3: cannot include \"dir\": Is a directory\n"
		    "conf:5: unknown option \"rnage\"; did you mean "
		    "\"range\"?\n");
	assert_text(&config.defaults.ranges.listen, "5", 6);
}

/* Edge case 55. */
Test(config, an_included_file_may_be_empty)
{
	write_file("empty", "");
	write_file("blank", " \n\n");
	write_file("comment", "# nothing yet\n");
	assert_sound("include(\"empty\") include(blank)\ninclude(comment)\n"
		     "range = 5\n");
	assert_text(&config.defaults.ranges.range, "5", 3);
}

Test(config, a_variable_stands_for_its_value_to_the_letter)
{
	setenv("BERTH_TEST_X", "a\"b\\c${BERTH_TEST_X}*", 1);
	setenv("BERTH_TEST_EMPTY", "", 1);
	unsetenv("BERTH_TEST_NONE");
	assert_sound(
		"process \"${BERTH_TEST_X}\" { name = {\"-${BERTH_TEST_X}\","
		"\n\"<${BERTH_TEST_EMPTY}>${BERTH_TEST_NONE:-d}\"} }\n"
		"listen = '${BERTH_TEST_NONE}' range = \"\\${X}\"");
	cr_assert_str_eq(config.processes[0].head.name, "a\"b\\c${BERTH_TEST_X}*");
	assert_list(&config.processes[0].conditions[CONDITION_NAME], 2, "<>d",
		    1);
	assert_text(&config.defaults.ranges.listen, "${BERTH_TEST_NONE}", 3);
	assert_text(&config.defaults.ranges.range, "${X}", 3);
}

Test(config, a_default_stands_for_a_variable_that_is_not_set_or_empty)
{
	setenv("BERTH_TEST_EMPTY", "", 1);
	setenv("BERTH_TEST_SET", "7", 1);
	unsetenv("BERTH_TEST_NONE");
	assert_sound("range = \"${BERTH_TEST_NONE:-5-6}\"\n"
		     "listen = \"${BERTH_TEST_EMPTY:-8}\"\n"
		     "connect = \"${BERTH_TEST_SET:-9},${BERTH_TEST_NONE:-}\"\n");
	assert_text(&config.defaults.ranges.range, "5-6", 1);
	assert_text(&config.defaults.ranges.listen, "8", 2);
	assert_text(&config.defaults.ranges.connect, "7,", 3);
}

/* Edge case 54. */
Test(config, a_variable_that_is_not_set_or_makes_no_sense_is_told_with_its_line)
{
	unsetenv("BERTH_TEST_NONE");
	setenv("BERTH_TEST_LINES", "a\nb", 1);
	assert_told("range = 5\nlisten = \"1${BERTH_TEST_NONE}\"\n"
		    "connect = \"${BERTH_TEST_LINES}\"\n"
		    "process a { name = {\"${}\", \"${1}\", \"${A=b}\"} }\n"
		    "algorithm = \"${A:-${B}}\"\n",
		    "conf:2: \"${BERTH_TEST_NONE}\" is not set in the "
		    "environment, and has no default\n"
		    "conf:3: \"${BERTH_TEST_LINES}\" has a control character in "
		    "its value\n"
		    "conf:4: \"${}\" does not name a variable\n"
		    "conf:4: \"${1}\" does not name a variable\n"
		    "conf:4: \"${A=b}\" is neither ${NAME} nor "
		    "${NAME:-DEFAULT}\n"
		    "conf:5: \"${A:-${B}\" has a variable in its default\n");
}

Test(config, a_path_to_include_may_have_variables)
{
	mkdir("d", 0700);
	write_file("d/a$", "process a { }");
	setenv("BERTH_TEST_X", "a$", 1);
	unsetenv("BERTH_TEST_NONE");
	assert_sound("include(\"${BERTH_TEST_NONE:-d}/${BERTH_TEST_X}\")");
	cr_assert_eq(config.n_processes, 1);
	assert_told("\ninclude(\"${BERTH_TEST_NONE}/a\")\n",
		    "conf:2: \"${BERTH_TEST_NONE}\" is not set in the "
		    "environment, and has no default\n");
}

Test(config, an_include_that_goes_round_is_told_with_its_way)
{
	write_file("a", "\ninclude(\"b\")\n");
	write_file("b", "include(\"conf\")\n");
	assert_told("include(\"a\")\n",
		    "b:1: \"conf\" includes itself: "
		    "conf -> a -> b -> conf\n");
	assert_told("include(\"./conf\")\n",
		    "conf:1: \"./conf\" includes itself: "
		    "conf -> ./conf\n");
}

Test(config, includes_are_sixteen_deep_at_most)
{
	char path[16], text[40];

	for (int i = 1; i <= 17; i++) {
		snprintf(path, sizeof(path), "f%d", i);
		snprintf(text, sizeof(text), "include(\"f%d\")", i + 1);
		write_file(path, text);
	}
	write_file("f16", "range = 5");
	assert_sound("include(\"f1\")");
	write_file("f16", "include(\"f17\")");
	assert_told("include(\"f1\")",
		    "f16:1: cannot include \"f17\": "
		    "includes are nested more than 16 deep\n");
}

Test(config, includes_are_a_thousand_at_most)
{
	char text[600] = "";

	for (int i = 0; i < 40; i++)
		strcat(text, "include(\"b\")\n");
	write_file("a", text);
	write_file("b", "# nothing\n");
	for (char *c = text; *c != '\0'; c++)
		*c = *c == 'b' ? 'a' : *c;
	assert_told(text, "a:15: includes more than 1000 files\n");
}

Test(config, an_included_file_closes_its_own_braces)
{
	write_file("a", "process a {\n");
	assert_told("include(\"a\")\nrange = 5 }\n",
		    "a:1: \"{\" is never closed\n");
	write_file("a", "range = 1 }\n");
	assert_told("include(\"a\")\n", "a:1: unexpected closing brace\n");
}

Test(config, the_installed_file_reads_without_a_finding)
{
	int result = config_read(&config, BERTH_CONF, &findings);

	cr_assert_eq(result, 0, "%s", printed());
	assert_printed("");
}

Test(config, findings_outlive_the_configuration)
{
	write_file("a", "x = 1\n");
	read_text("include(\"a\")\n");
	config_deinit(&config);
	assert_printed("a:1: unknown option \"x\"\n");
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
