/* SPDX-License-Identifier: MIT */
#include <string.h>
#include <unistd.h>

#include "rules_by_hand.h"

TestSuite(rules_check, .timeout = 900);

Test(rules_check, a_range_over_a_reservation_is_refused_with_both_sides)
{
	struct config_section *web = add_process(8, "web");

	add_reserve(3, "hadoop", "8020,50010-50020");
	config.top.ranges.range = at(1, "6000-6999");
	web->by_protocol[PROTOCOL_TCP].connect = at(9, "8000-65535");
	assert_refused(
		"conf:9: the range of process \"web\" (tcp, connect) overlaps "
		"reservation \"hadoop\" at conf:3: ports 8020,50010-50020; say "
		"overlap = \"carve\" to leave them out\n");
}

Test(rules_check, one_range_and_one_reservation_make_one_finding)
{
	struct config_section *web = add_process(8, "web");

	add_process(12, "other");
	add_reserve(3, "r", "6500");
	reserves[0].protocols = (struct config_list)LIST(4, "udp");
	add_reserve(5, "s", "6600-6700");
	config.top.ranges.range = at(1, "6000-6999");
	web->ranges.listen = at(9, "6001-6501");
	assert_refused(
		"conf:1: the range of the defaults (udp/udplite, "
		"connect/listen) overlaps reservation \"r\" at conf:3: port "
		"6500; say overlap = \"carve\" to leave them out\n"
		"conf:1: the range of the defaults (tcp/udp/udplite/sctp, "
		"connect/listen) overlaps reservation \"s\" at conf:5: ports "
		"6600-6700; say overlap = \"carve\" to leave them out\n"
		"conf:9: the range of process \"web\" (udp/udplite, listen) "
		"overlaps reservation \"r\" at conf:3: port 6500; say overlap "
		"= \"carve\" to leave them out\n");
}

Test(rules_check, the_built_in_range_is_checked_too)
{
	add_reserve(3, "r", "50000");
	assert_refused(
		"conf: the range of the defaults (tcp/udp/udplite/sctp, "
		"connect/listen) (iana, the default) overlaps reservation "
		"\"r\" at conf:3: port 50000; say overlap = \"carve\" to leave "
		"them out\n");
}

Test(rules_check, reservations_are_carved_where_that_is_said)
{
	struct config_section *web = add_process(8, "web");

	add_reserve(3, "r", "6500-6599");
	reserves[0].protocols = (struct config_list)LIST(4, "tcp");
	reserves[0].owners = (struct config_list)LIST(4, "web");
	config.top.overlap = at(1, "carve");
	config.top.ranges.range = at(1, "6000-6999");
	web->ranges.listen = at(9, "6550-6700");
	make();
	assert_ports(rules.rules[1].assigned[PROTOCOL_TCP][0],
		     "6000-6499,6600-6999");
	assert_ports(rules.rules[1].assigned[PROTOCOL_UDP][0], "6000-6999");
	assert_range(1, PROTOCOL_TCP, ROLE_OF_CONNECT, "6000-6999", 1);
	/* Ports of its own are not assigned to it, either. */
	assert_ports(rules.rules[0].assigned[PROTOCOL_TCP][ROLE_OF_LISTEN],
		     "6600-6700");
	assert_ports(rules.dynamic[PROTOCOL_TCP], "6000-6499,6600-6999");
	assert_ports(rules.rules[0].owned[PROTOCOL_TCP], "6500-6599");
	assert_ports(rules.rules[0].owned[PROTOCOL_UDP], "");
	assert_ports(rules.rules[0].refused[PROTOCOL_TCP], "");
	assert_ports(rules.rules[1].owned[PROTOCOL_TCP], "");
	assert_ports(rules.rules[1].refused[PROTOCOL_TCP], "6500-6599");
	assert_ports(rules.rules[1].refused[PROTOCOL_UDP], "");
	rules_deinit(&rules);
}

Test(rules_check, an_owner_may_not_be_assigned_its_own_ports_by_chance)
{
	struct config_section *web = add_process(8, "web");

	add_reserve(3, "own", "6500");
	reserves[0].owners = (struct config_list)LIST(4, "web");
	config.top.ranges.range = at(1, "5000");
	web->ranges.range = at(9, "6000-6999");
	assert_refused(
		"conf:9: the range of process \"web\" (tcp/udp/udplite/sctp, "
		"connect/listen) overlaps reservation \"own\" at conf:3: port "
		"6500; say overlap = \"carve\" to leave them out\n");
}

Test(rules_check, a_section_that_refuses_what_the_defaults_carve_is_refused)
{
	struct config_section *web = add_process(8, "web");

	add_reserve(3, "r", "6500");
	config.top.overlap = at(1, "carve");
	config.top.ranges.range = at(1, "6000-6999");
	web->overlap = at(9, "refuse");
	add_process(10, "b")->overlap = at(11, "refuse");
	assert_refused(
		"conf:1: the range of process \"web\" (tcp/udp/udplite/sctp, "
		"connect/listen) overlaps reservation \"r\" at conf:3: port "
		"6500; say overlap = \"carve\" to leave them out\n");
}

Test(rules_check, the_kernels_reserved_ports_are_carved_in_silence)
{
	port_set_add(&kernel.reserved, 50000, 50009);
	port_set_finish(&kernel.reserved);
	make();
	assert_ports(rules.dynamic[0], "49152-49999,50010-65535");
	assert_ports(rules.rules[0].avoided[0], "50000-50009");
	assert_ports(rules.rules[0].refused[0], "");
	rules_deinit(&rules);
	config.top.import_kernel = at(1, "no");
	make();
	assert_ports(rules.dynamic[0], "49152-65535");
	rules_deinit(&rules);
}

Test(rules_check, a_range_of_which_nothing_is_left_is_refused)
{
	struct config_section *web = add_process(8, "web");

	port_set_add(&kernel.reserved, 5000, 5009);
	add_reserve(3, "r", "5010-5020");
	reserves[0].protocols = (struct config_list)LIST(4, "udp", "tcp");
	web->ranges.listen = at(9, "5005-5015");
	web->ranges.connect = at(10, "5001");
	web->overlap = at(11, "carve");
	assert_refused(
		"conf:9: the range of process \"web\" (tcp/udp/udplite, "
		"listen) is empty: all of it, ports 5005-5015, is reserved\n"
		"conf:10: the range of process \"web\" "
		"(tcp/udp/udplite/sctp, connect) is empty: all of it, port "
		"5001, is reserved\n");
}

Test(rules_check, privileged_ports_have_to_be_asked_for)
{
	struct config_section *web = add_process(8, "web");

	config.top.ranges.range = at(1, "1000-2000");
	web->by_protocol[PROTOCOL_SCTP].listen = at(9, "80,443,1023-1024");
	assert_refused(
		"conf:1: the range of the defaults (tcp/udp/udplite/sctp, "
		"connect/listen) has ports 1000-1023, below 1024; say "
		"privileged = \"yes\" if they are to be assigned\n"
		"conf:9: the range of process \"web\" (sctp, listen) has ports "
		"80,443,1023, below 1024; say privileged = \"yes\" if they are "
		"to be assigned\n");
	config.top.privileged = at(2, "yes");
	make();
	assert_ports(rules.dynamic[PROTOCOL_SCTP], "80,443,1000-2000");
	rules_deinit(&rules);
}

Test(rules_check, reservations_of_different_owners_may_not_overlap)
{
	add_process(1, "a");
	add_process(2, "b");
	add_reserve(3, "x", "7000-7010")->owners =
		(struct config_list)LIST(3, "a", "b");
	add_reserve(4, "same", "7005-7020")->owners =
		(struct config_list)LIST(4, "b", "a");
	make();
	rules_deinit(&rules);
	add_reserve(5, "y", "7010-7030")->owners =
		(struct config_list)LIST(5, "a");
	add_reserve(6, "z", "7000")->protocols =
		(struct config_list)LIST(6, "sctp");
	assert_refused(
		"conf:5: reservation \"y\" overlaps reservation \"x\" at "
		"conf:3, which has other owners: port 7010\n"
		"conf:5: reservation \"y\" overlaps reservation \"same\" at "
		"conf:4, which has other owners: ports 7010-7020\n"
		"conf:6: reservation \"z\" overlaps reservation \"x\" at "
		"conf:3, which has other owners: port 7000\n");
}

Test(rules_check, reservations_of_different_protocols_do_not_overlap)
{
	add_process(1, "a");
	add_reserve(3, "x", "7000")->owners = (struct config_list)LIST(3, "a");
	reserves[0].protocols = (struct config_list)LIST(3, "tcp");
	add_reserve(4, "y", "7000");
	reserves[1].protocols = (struct config_list)LIST(4, "udp", "sctp");
	make();
	assert_ports(rules.rules[0].owned[PROTOCOL_TCP], "7000");
	assert_ports(rules.rules[0].refused[PROTOCOL_TCP], "");
	assert_ports(rules.rules[0].refused[PROTOCOL_UDPLITE], "7000");
	assert_ports(rules.reserves[0].ports[PROTOCOL_UDP], "");
	rules_deinit(&rules);
}

Test(rules_check, a_reservation_is_refused_for_what_is_unknown_in_it)
{
	add_reserve(3, "x", "7000,nope");
	reserves[0].protocols = (struct config_list)LIST(4, "tcp", "dccp");
	reserves[0].owners = (struct config_list)LIST(5, "nobody", "default");
	add_reserve(6, "y", NULL);
	add_reserve(7, "z", "iana");
	assert_refused(
		"conf:3: ports: \"nope\" is not a port, a range lo-hi or a set "
		"that can be reserved\n"
		"conf:4: protocols: \"dccp\" is not tcp, udp or sctp\n"
		"conf:5: owners: \"nobody\" is not the title of a process section\n"
		"conf:5: owners: \"default\" is not the title of a process "
		"section\n"
		"conf:6: reservation \"y\" has no ports\n"
		"conf:7: ports: \"iana\" is not a port, a range lo-hi or a set "
		"that can be reserved\n");
}

Test(rules_check, sets_can_be_reserved_by_name)
{
	port_set_add(&kernel.reserved, 4000, 4001);
	add_reserve(3, "low", "system,nodeport");
	add_reserve(4, "kernel", "kernel");
	config.top.import_kernel = at(1, "no");
	make();
	assert_ports(rules.reserves[0].ports[PROTOCOL_UDP],
		     "1-1023,30000-32767");
	assert_ports(rules.reserves[1].ports[PROTOCOL_TCP], "4000-4001");
	assert_ports(rules.rules[0].refused[PROTOCOL_TCP],
		     "1-1023,4000-4001,30000-32767");
	rules_deinit(&rules);
}

Test(rules_check, services_can_be_reserved_by_protocol)
{
	if (access("/etc/services", R_OK) != 0)
		cr_skip("no /etc/services");
	config.top.overlap = at(1, "carve");
	add_reserve(3, "services", "services,7");
	make();
	cr_assert(port_set_has(rules.reserves[0].ports[PROTOCOL_TCP], 80));
	cr_assert(port_set_has(rules.reserves[0].ports[PROTOCOL_UDP], 69));
	cr_assert_not(port_set_has(rules.reserves[0].ports[PROTOCOL_TCP], 69));
	cr_assert(port_set_has(rules.reserves[0].ports[PROTOCOL_SCTP], 7));
	rules_deinit(&rules);
}

Test(rules_check, many_ports_in_a_message_are_cut_between_two)
{
	char ports[1024] = "6000";
	const struct finding *finding;

	for (int port = 6002; port < 6200; port += 2)
		sprintf(ports + strlen(ports), ",%d", port);
	config.top.ranges.range = at(1, "6000-6999");
	add_reserve(3, "r", ports);
	cr_assert_eq(rules_make(&rules, &config, &kernel, &findings), -EINVAL);
	finding = &findings.items[0];
	cr_assert_not_null(strstr(finding->message,
				  ",6028,6030, ...; say overlap"),
			   "%s", finding->message);
	rules_deinit(&rules);
	findings_deinit(&findings);
}
