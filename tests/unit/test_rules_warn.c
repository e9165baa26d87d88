/* SPDX-License-Identifier: MIT */
#include <unistd.h>

#include "cli/rules/rules.h"
#include "rules_by_hand.h"
#include "sockets_here.h"

TestSuite(rules_warn, .timeout = 900);

static void assert_warnings(unsigned int rate, const char *expected)
{
	cr_assert_eq(rules_make(&rules, &config, &kernel, &findings), 0);
	cr_assert_eq(findings.n_items, 0);
	rules_warn(&rules, &kernel, rate, &findings);
	cr_assert_eq(findings.n_errors, 0);
	assert_findings(expected);
	rules_deinit(&rules);
	findings_deinit(&findings);
	findings = (struct findings){ .items = NULL };
}

Test(rules_warn, ports_of_the_kernels_own_range_are_warned_of)
{
	struct config_section *web = add_program(8, "web");

	config.top.ranges.range = at(1, "5000-5001");
	assert_warnings(0, "");
	web->by_protocol[PROTOCOL_UDP].listen = at(9, "19000-23999");
	add_program(12, "b")->ranges.range = at(13, "25000");
	assert_warnings(
		0,
		"conf: warning: to keep the kernel's own range apart, set "
		"net.ipv4.ip_local_port_range = 25001 29999\n"
		"conf:9: warning: the range of process \"web\" (udp/udplite, "
		"listen) overlaps the kernel's own (ip_local_port_range): "
		"programs outside Berth may take ports 20000-23999\n"
		"conf:13: warning: the range of process \"b\" "
		"(tcp/udp/udplite/sctp, connect/listen) overlaps the kernel's "
		"own (ip_local_port_range): programs outside Berth may take "
		"port 25000\n");
}

Test(rules_warn, the_kernel_is_not_advised_to_take_reserved_ports)
{
	config.top.ranges.range = at(1, "20000-25000");
	add_process(2, "web");
	add_reserve(3, "r", "26000-29000")->owners =
		(struct config_list)LIST(3, "web");
	assert_warnings(
		0,
		"conf: warning: to keep the kernel's own range apart, set "
		"net.ipv4.ip_local_port_range = 25001 25999\n"
		"conf:1: warning: the range of the defaults "
		"(tcp/udp/udplite/sctp, connect/listen) overlaps the kernel's "
		"own (ip_local_port_range): programs outside Berth may take "
		"ports 20000-25000\n");
}

Test(rules_warn, a_kernel_that_is_left_no_port_is_warned_of)
{
	config.top.ranges.range = at(1, "kernel");
	add_program(3, "inherits");
	assert_warnings(
		0,
		"conf: warning: all of the kernel's own range is assigned or "
		"reserved: net.ipv4.ip_local_port_range cannot keep "
		"them apart\n"
		"conf:1: warning: the range of the defaults "
		"(tcp/udp/udplite/sctp, connect/listen) overlaps the kernel's "
		"own (ip_local_port_range): programs outside Berth may take "
		"ports 20000-29999\n");
}

Test(rules_warn, a_listener_in_a_range_is_warned_of)
{
	char range[16], expected[256];
	uint16_t port;
	const int fd = open_bound(SOCK_STREAM, 1, &port);

	snprintf(range, sizeof(range), "%u", port);
	kernel.port_range.hi = 0;
	config.top.ranges.range = at(1, range);
	add_program(3, "inherits");
	snprintf(expected, sizeof(expected),
		 "conf:1: warning: the range of the defaults "
		 "(tcp/udp/udplite/sctp, connect/listen) has tcp port %u, "
		 "where a socket of this machine listens now\n",
		 port);
	assert_warnings(0, expected);
	close(fd);
	assert_warnings(0, "");
}

Test(rules_warn, a_reservation_that_nobody_owns_is_warned_of)
{
	config.top.ranges.range = at(1, "5000-5001");
	add_reserve(3, "r", "6000");
	assert_warnings(
		0, "conf:3: warning: reservation \"r\" has no owners: every "
		   "program under Berth is refused its ports\n");
}

Test(rules_warn, a_range_that_time_wait_exhausts_is_warned_of)
{
	struct config_section *web = add_program(8, "web");

	add_program(12, "inherits");
	config.top.ranges.range = at(1, "5000-5599");
	assert_warnings(10, "");
	web->rate = at(9, "11");
	assert_warnings(
		0,
		"conf:1: warning: the range of process \"web\" (tcp, connect) "
		"has 600 ports, and 11 connections a second to one destination "
		"need 660: each keeps its port 60 s in TIME_WAIT\n");
	config.n_processes = 0;
	add_program(8, "web")->by_protocol[PROTOCOL_TCP].connect =
		at(9, "5000-5000");
	add_program(12, "inherits");
	assert_warnings(
		1000000,
		"conf:1: warning: the range of the defaults (tcp, connect) has "
		"600 ports, and 1000000 connections a second to one "
		"destination need 60000000: each keeps its port 60 s in "
		"TIME_WAIT\n"
		"conf:9: warning: the range of process \"web\" (tcp, connect) "
		"has 1 ports, and 1000000 connections a second to one "
		"destination need 60000000: each keeps its port 60 s in "
		"TIME_WAIT\n");
}

/* Whether a section of the later pattern is hidden by one of the earlier. */
static void assert_hidden(const char *earlier, const char *later, bool hidden)
{
	const char *const patterns[] = { earlier, later };

	config.n_processes = 0;
	for (int i = 0; i < 2; i++) {
		struct config_section *process =
			add_process(i + 2, i == 0 ? "a" : "b");

		process->conditions[CONDITION_EXE] = (struct config_list){
			1,
			&patterns[i],
			{ "conf", i + 2 },
		};
	}
	cr_assert_eq(rules_make(&rules, &config, &kernel, &findings), 0);
	rules_warn(&rules, &kernel, 0, &findings);
	cr_assert_eq(findings.n_items, hidden, "%s %s %s", earlier,
		     hidden ? "does not hide" : "hides", later);
	rules_deinit(&rules);
	findings_deinit(&findings);
	findings = (struct findings){ .items = NULL };
}

Test(rules_warn, a_pattern_hides_what_it_covers_and_nothing_else)
{
	config.top.ranges.range = at(1, "5000-5001");
	assert_hidden("/bin/a", "/bin/a", true);
	assert_hidden("/bin/a", "/bin/b", false);
	assert_hidden("/bin/a", "/bin/ab", false);
	assert_hidden("/bin/ab", "/bin/a", false);
	assert_hidden("/bin/*", "/bin/a", true);
	assert_hidden("/bin/*", "/bin/x/a", false);
	assert_hidden("/bin/**", "/bin/x/a", true);
	assert_hidden("**", "/bin/x/*", true);
	assert_hidden("/bin/a", "/bin/*", false);
	assert_hidden("/bin/*", "/bin/*", true);
	assert_hidden("/bin/*", "/bin/a*", true);
	assert_hidden("/bin/*", "/bin/**", false);
	assert_hidden("/bin/**", "/bin/*", true);
	assert_hidden("/bin/?", "/bin/*", false);
	assert_hidden("/bin/??", "/bin/*", false);
	assert_hidden("/bin/*", "/bin/?", true);
	assert_hidden("/bin/[!a]", "/bin/?", false);
	assert_hidden("/bin/[ab]", "/bin/[ab]", true);
	assert_hidden("/bin/[ab]", "/bin/a", true);
	assert_hidden("/bin/[ab]", "/bin/c", false);
	assert_hidden("/bin/\\*", "/bin/*", false);
	assert_hidden("**/a", "/bin/a", true);
	assert_hidden("**/a", "/bin/*", false);
}

Test(rules_warn, a_section_is_hidden_if_all_its_conditions_are)
{
	struct config_section *a = add_process(2, "a");
	struct config_section *b = add_process(4, "b");

	config.top.ranges.range = at(1, "5000-5001");
	a->conditions[CONDITION_EXE] = (struct config_list)LIST(3, "/bin/*",
								"/sbin/*");
	b->conditions[CONDITION_EXE] = (struct config_list)LIST(5, "/sbin/x",
								"/bin/y");
	b->conditions[CONDITION_UID] = (struct config_list)LIST(6, "0", "5");
	assert_warnings(
		0, "conf:4: warning: process \"b\" never applies: process "
		   "\"a\" at conf:2 before it matches all programs that it "
		   "matches\n");
	a->conditions[CONDITION_UID] = (struct config_list)LIST(3, "root", "5");
	assert_warnings(
		0, "conf:4: warning: process \"b\" never applies: process "
		   "\"a\" at conf:2 before it matches all programs that it "
		   "matches\n");
	a->conditions[CONDITION_UID] = (struct config_list)LIST(3, "root");
	assert_warnings(0, "");
	a->conditions[CONDITION_UID] = (struct config_list){ .n = 0 };
	a->conditions[CONDITION_PROFILE] = (struct config_list)LIST(3, "x");
	assert_warnings(0, "");
	b->conditions[CONDITION_PROFILE] = (struct config_list)LIST(7, "x");
	assert_warnings(
		0, "conf:4: warning: process \"b\" never applies: process "
		   "\"a\" at conf:2 before it matches all programs that it "
		   "matches\n");
}

Test(rules_warn, a_section_without_conditions_hides_all_that_follow)
{
	config.top.ranges.range = at(1, "5000-5001");
	add_process(2, "a");
	add_process(3, "b");
	add_process(4, "c");
	assert_warnings(
		0, "conf:3: warning: process \"b\" never applies: process "
		   "\"a\" at conf:2 before it matches all programs that it "
		   "matches\n"
		   "conf:4: warning: process \"c\" never applies: process "
		   "\"a\" at conf:2 before it matches all programs that it "
		   "matches\n");
}

static void make_many(void)
{
	static char names[N_MANY][16], exes[N_MANY][32], ranges[N_MANY][32];
	static const char *values[N_MANY];

	for (int i = 0; i < N_MANY; i++) {
		struct config_section *process;

		snprintf(names[i], sizeof(names[i]), "p%d", i);
		snprintf(exes[i], sizeof(exes[i]), "/usr/bin/program%d", i);
		snprintf(ranges[i], sizeof(ranges[i]), "%d-%d", 2000 + 50 * i,
			 2060 + 50 * i);
		values[i] = exes[i];
		process = add_process(10 * i + 10, names[i]);
		process->conditions[CONDITION_EXE] = (struct config_list){
			1,
			&values[i],
			{ "conf", 10 * i + 11 },
		};
		process->ranges.range = at(10 * i + 12, ranges[i]);
	}
	config.top.overlap = at(1, "carve");
	add_reserve(2, "low", "system");
	add_reserve(3, "some", "map-e:8/7/5");
}

Test(rules_warn, a_thousand_rules_are_made)
{
	make_many();
	make();
	rules_warn(&rules, &kernel, 0, &findings);
	cr_assert_eq(rules.n_rules, N_MANY + 1);
	rules_deinit(&rules);
	findings_deinit(&findings);
}
