/* SPDX-License-Identifier: MIT */
#include "cli/output.h"

#include <criterion/criterion.h>
#include <criterion/redirect.h>
#include <stdlib.h>
#include <string.h>

#include "base/port_set.h"

static const struct output_section machine = {
	.kind = "machine",
	.key = "machine",
	.single = true,
	.columns = { { .name = "name" }, { .name = "cpus", .number = true } },
};
static const struct output_section socket_section = {
	.kind = "socket",
	.key = "sockets",
	.title = "Sockets",
	.columns = { { "protocol", 8, false },
		     { "port", 5, true },
		     { "program", 9, false } },
};

static char *text;
static size_t size;
static struct output output;

static void start(enum output_format format)
{
	output_open(&output, format, open_memstream(&text, &size));
}

static void assert_written(const char *expected)
{
	cr_assert_eq(output_close(&output), EXIT_SUCCESS);
	fclose(output.stream);
	cr_assert_str_eq(text, expected);
	free(text);
}

static void write_report(enum output_format format)
{
	start(format);
	output_section(&output, &machine);
	output_row(&output, "a", output_number(2).text);
	output_section(&output, &socket_section);
	output_row(&output, "tcp", "80", "nginx");
	output_row(&output, "udp", "?", NULL);
}

Test(output, is_a_table)
{
	write_report(OUTPUT_TABLE);
	assert_written("machine name       a\n"
		       "machine cpus       2\n"
		       "\nSockets:\n"
		       "protocol   port  program\n"
		       "tcp          80  nginx\n"
		       "udp           ?  -\n");
}

Test(output, is_records)
{
	write_report(OUTPUT_PORCELAIN);
	assert_written("machine\ta\t2\n"
		       "socket\ttcp\t80\tnginx\n"
		       "socket\tudp\t?\t-\n");
}

Test(output, is_json)
{
	write_report(OUTPUT_JSON);
	assert_written("{\n"
		       "  \"machine\": {\"name\": \"a\", \"cpus\": 2},\n"
		       "  \"sockets\": [\n"
		       "    {\"protocol\": \"tcp\", \"port\": 80, "
		       "\"program\": \"nginx\"},\n"
		       "    {\"protocol\": \"udp\", \"port\": null, "
		       "\"program\": null}\n"
		       "  ]\n"
		       "}\n");
}

Test(output, has_an_empty_section)
{
	start(OUTPUT_JSON);
	output_section(&output, &socket_section);
	assert_written("{\n  \"sockets\": []\n}\n");
	start(OUTPUT_TABLE);
	output_section(&output, &socket_section);
	assert_written("");
}

Test(output, lacks_what_a_row_leaves_out)
{
	start(OUTPUT_PORCELAIN);
	output_section(&output, &socket_section);
	output_row(&output, "tcp");
	assert_written("socket\ttcp\t-\t-\n");
}

Test(output, changes_no_terminal)
{
	start(OUTPUT_PORCELAIN);
	output_section(&output, &socket_section);
	output_row(&output, "tcp", "1", "a\tb\n\x1b[31m\xff");
	assert_written("socket\ttcp\t1\ta?b??[31m?\n");
	start(OUTPUT_TABLE);
	output_section(&output, &socket_section);
	output_row(&output,
		   "gr\xc3\xb6\xc3\x9f"
		   "e",
		   "1", "\x9b");
	assert_written("\nSockets:\n"
		       "protocol   port  program\n"
		       "gr\xc3\xb6\xc3\x9f"
		       "e         1  ?\n");
}

Test(output, escapes_json)
{
	start(OUTPUT_JSON);
	output_section(&output, &machine);
	output_row(&output, "\"\\\n\xff\xf3\xa0\x81\x81", "2");
	assert_written("{\n  \"machine\": {\"name\": \"\\\"\\\\\\u000a\\ufffd"
		       "\\udb40\\udc41\", \"cpus\": 2}\n}\n");
}

Test(output, has_lines_by_themselves)
{
	FILE *stream = open_memstream(&text, &size);

	output_line(OUTPUT_JSON, stream, &socket_section, "tcp", "1", "a");
	output_line(OUTPUT_PORCELAIN, stream, &socket_section, "tcp", "1", "a");
	fclose(stream);
	cr_assert_str_eq(text, "{\"protocol\": \"tcp\", \"port\": 1, "
			       "\"program\": \"a\"}\nsocket\ttcp\t1\ta\n");
	free(text);
}

Test(output, tells_that_it_was_not_written, .init = cr_redirect_stderr)
{
	FILE *full = fopen("/dev/full", "w");

	cr_assert_not_null(full);
	output_open(&output, OUTPUT_JSON, full);
	cr_assert_eq(output_close(&output), EXIT_FAILURE);
	cr_assert_stderr_eq_str("berth: cannot write: "
				"No space left on device\n");
	fclose(full);
}

Test(output, has_ports_of_any_number)
{
	static struct port_set set;
	char *ports;

	for (uint32_t port = 1; port < N_PORTS; port += 2)
		port_set_add(&set, port, port);
	port_set_finish(&set);
	ports = output_ports(&output, &set);
	cr_assert_eq(strncmp(ports, "1,3,5,7", 7), 0, "%.20s", ports);
	cr_assert_str_eq(ports + strlen(ports) - 12, ",65533,65535");
	memory_free(&output.memory);
}
