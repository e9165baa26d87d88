/* SPDX-License-Identifier: MIT */
#include "config_here.h"

#define NOBODY 65534

TestSuite(config_file, .init = enter_folder, .fini = leave_folder);

Test(config_file, a_file_that_cannot_be_read_is_told_without_a_line)
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

Test(config_file, a_file_without_permission_is_told)
{
	write_file("conf", "range = 1\n");
	cr_assert_eq(chmod("conf", 0), 0);
	cr_assert_eq(chmod(".", 0755), 0);
	if (geteuid() == 0) /* who may read every file */
		cr_assert_eq(seteuid(NOBODY), 0);
	cr_assert_eq(read_again(), -EINVAL);
	assert_printed("conf: Permission denied\n");
	cr_assert_eq(seteuid(getuid()), 0);
}

Test(config_file, a_pipe_is_read)
{
	char path[32];
	int fds[2];

	cr_assert_eq(pipe(fds), 0);
	cr_assert_eq(write(fds[1], "\nrange = 5\n", 11), 11);
	close(fds[1]);
	snprintf(path, sizeof(path), "/dev/fd/%d", fds[0]);
	cr_assert_eq(config_read(&config, path, &findings), 0, "%s", printed());
	cr_assert_eq(config.top.ranges.range.place.line, 2);
	close(fds[0]);
}

Test(config_file, a_byte_order_mark_is_passed_over)
{
	assert_sound("\xef\xbb\xbfrange = 5\n");
}

Test(config_file, an_include_is_read_in_its_place_with_its_lines)
{
	mkdir("d", 0700);
	write_file("d/a", "process a { }\ninclude(\"b\") connect = 6\n");
	write_file("d/b", "\n/*\n*/ process b {\nfoo = 1 }");
	assert_told("process x { } include(\"d/a\") process y { }\n"
		    "bar = 1\n",
		    "d/b:4: unknown option \"foo\"\n"
		    "conf:2: unknown option \"bar\"\n");
	cr_assert_eq(config.n_processes, 4);
	cr_assert_str_eq(config.processes[2].name, "b");
	cr_assert_str_eq(config.processes[2].place.file, "d/b");
	cr_assert_eq(config.processes[2].place.line, 3);
	cr_assert_str_eq(config.top.ranges.connect.place.file, "d/a");
	cr_assert_eq(config.top.ranges.connect.place.line, 2);
	cr_assert_str_eq(config.processes[3].name, "y");
	cr_assert_eq(config.processes[3].place.line, 1);
}

Test(config_file, an_include_is_relative_to_the_file_that_includes)
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
	cr_assert_str_eq(config.processes[0].name, "a");
	cr_assert_str_eq(config.processes[1].place.file, "d[x]/e/2.conf");
}

Test(config_file, a_pattern_without_a_match_includes_nothing)
{
	assert_sound("include(\"none/*\") include(\"none*\") range = 5");
	assert_text(&config.top.ranges.range, "5", 1);
}

Test(config_file, an_absolute_path_is_included_as_it_is)
{
	char text[64];

	mkdir("d", 0700);
	write_file("d/a", "process a { }");
	snprintf(text, sizeof(text), "include(\"%s/d/[a]\")", folder);
	assert_sound(text);
	cr_assert_eq(config.n_processes, 1);
}

Test(config_file, an_include_that_cannot_be_read_is_told_and_the_rest_is_read)
{
	mkdir("dir", 0700);
	assert_told("include(\"none\")\n\ninclude('dir')\n\n"
		    "rnage = 1\nlisten = 5\n",
		    "conf:1: cannot include \"none\": "
		    "No such file or directory\n"
		    "conf:3: cannot include \"dir\": Is a directory\n"
		    "conf:5: unknown option \"rnage\"; did you mean "
		    "\"range\"?\n");
	assert_text(&config.top.ranges.listen, "5", 6);
}

/* Edge case 55. */
Test(config_file, an_included_file_may_be_empty)
{
	write_file("empty", "");
	write_file("blank", " \n\n");
	write_file("comment", "# nothing yet\n");
	assert_sound("include(\"empty\") include(blank)\ninclude(comment)\n"
		     "range = 5\n");
	assert_text(&config.top.ranges.range, "5", 3);
}

Test(config_file, a_variable_stands_for_its_value_to_the_letter)
{
	setenv("BERTH_TEST_X", "a\"b\\c${BERTH_TEST_X}*", 1);
	setenv("BERTH_TEST_EMPTY", "", 1);
	unsetenv("BERTH_TEST_NONE");
	assert_sound(
		"process \"${BERTH_TEST_X}\" { name = {\"-${BERTH_TEST_X}\","
		"\n\"<${BERTH_TEST_EMPTY}>${BERTH_TEST_NONE:-d}\"} }\n"
		"listen = '${BERTH_TEST_NONE}' range = \"\\${X}\"");
	cr_assert_str_eq(config.processes[0].name, "a\"b\\c${BERTH_TEST_X}*");
	assert_list(&config.processes[0].conditions[CONDITION_NAME], 2, "<>d",
		    1);
	assert_text(&config.top.ranges.listen, "${BERTH_TEST_NONE}", 3);
	assert_text(&config.top.ranges.range, "${X}", 3);
}

Test(config_file, a_default_stands_for_a_variable_that_is_not_set_or_empty)
{
	setenv("BERTH_TEST_EMPTY", "", 1);
	setenv("BERTH_TEST_SET", "7", 1);
	unsetenv("BERTH_TEST_NONE");
	assert_sound(
		"range = \"${BERTH_TEST_NONE:-5-6}\"\n"
		"listen = \"${BERTH_TEST_EMPTY:-8}\"\n"
		"connect = \"${BERTH_TEST_SET:-9},${BERTH_TEST_NONE:-}\"\n");
	assert_text(&config.top.ranges.range, "5-6", 1);
	assert_text(&config.top.ranges.listen, "8", 2);
	assert_text(&config.top.ranges.connect, "7,", 3);
}

/* Edge case 54. */
Test(config_file,
     a_variable_that_is_not_set_or_makes_no_sense_is_told_with_its_line)
{
	unsetenv("BERTH_TEST_NONE");
	setenv("BERTH_TEST_LINES", "a\nb", 1);
	assert_told(
		"range = 5\nlisten = \"1${BERTH_TEST_NONE}\"\n"
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

Test(config_file, a_path_to_include_may_have_variables)
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

Test(config_file, an_include_that_goes_round_is_told_with_its_way)
{
	write_file("a", "\ninclude(\"b\")\n");
	write_file("b", "include(\"conf\")\n");
	assert_told("include(\"a\")\n", "b:1: \"conf\" includes itself: "
					"conf -> a -> b -> conf\n");
	assert_told("include(\"./conf\")\n",
		    "conf:1: \"./conf\" includes itself: "
		    "conf -> ./conf\n");
}

Test(config_file, includes_are_sixteen_deep_at_most)
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

Test(config_file, includes_are_a_thousand_at_most)
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

Test(config_file, an_included_file_closes_its_own_braces)
{
	write_file("a", "process a {\n");
	assert_told("include(\"a\")\nrange = 5 }\n",
		    "a:1: \"{\" is never closed\n");
	write_file("a", "range = 1 }\n");
	assert_told("include(\"a\")\n", "a:1: unexpected closing brace\n");
}

Test(config_file, the_installed_file_reads_without_a_finding)
{
	int result = config_read(&config, BERTH_CONF, &findings);

	cr_assert_eq(result, 0, "%s", printed());
	assert_printed("");
}

Test(config_file, findings_outlive_the_configuration)
{
	write_file("a", "x = 1\n");
	read_text("include(\"a\")\n");
	config_deinit(&config);
	assert_printed("a:1: unknown option \"x\"\n");
}
