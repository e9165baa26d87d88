/* SPDX-License-Identifier: MIT */
#include "ports_here.h"

#include <stdlib.h>
#include <unistd.h>

#include "cli/conf/reserved_set.h"
#include "kernel/kernel.h"

static struct kernel kernel = { .reserved_known = true };
static struct port_set services[N_PROTOCOLS];
static struct reserved_sources sources = { &kernel, &services[PROTOCOL_TCP] };

static int parse(const char *text)
{
	return reserved_set_parse(text, &sources, &set, &error);
}

Test(reserved_set, numbers_and_port_sets_are_those_of_a_range)
{
	assert_ports("8020,50010-50075", "8020,50010-50075");
	assert_ports("80 map-e:0/6/1", "80,1024-2047");
	assert_refused("80,70000", "70000", "is beyond 65535");
	assert_refused("9-8", "9-8", "is reversed");
	assert_refused("", "", "is empty");
	assert_refused("map-e:9/9/9", "map-e:9/9/9",
		       "has a PSID offset and length of more than 16 bits "
		       "together");
}

Test(reserved_set, the_ports_of_rfc_6335_have_names)
{
	assert_ports("system", "1-1023");
	assert_ports("registered", "1024-49151");
	assert_ports("system,registered", "1-49151");
}

/* Edge case 39. */
Test(reserved_set, the_node_ports_of_kubernetes_have_a_name)
{
	assert_ports("nodeport,80", "80,30000-32767");
}

/* https://fetch.spec.whatwg.org/#bad-port */
Test(reserved_set, the_bad_ports_of_the_fetch_standard_have_a_name)
{
	assert_ports("browser-blocked",
		     "1,7,9,11,13,15,17,19-23,25,37,42-43,53,69,77,79,87,95,"
		     "101-104,109-111,113,115,117,119,123,135,137,139,143,161,"
		     "179,389,427,465,512-515,526,530-532,540,548,554,556,563,"
		     "587,601,636,989-990,993,995,1719-1720,1723,2049,3659,"
		     "4045,4190,5060-5061,6000,6566,6665-6669,6679,6697,10080");
	port_set_finish(&set);
	cr_assert_eq(set.n_ports, 82, "%u", set.n_ports);
}

Test(reserved_set, the_kernels_reserved_ports_have_a_name)
{
	assert_ports("kernel", "");
	port_set_add(&kernel.reserved, 5000, 5009);
	assert_ports("kernel,80", "80,5000-5009");
	kernel.reserved_known = false;
	assert_refused("kernel", "kernel",
		       "is not known here: "
		       "ip_local_reserved_ports cannot be read");
	sources.kernel = NULL;
	assert_refused("kernel", "kernel",
		       "is not known here: "
		       "ip_local_reserved_ports cannot be read");
}

Test(reserved_set, the_services_are_for_those_who_have_read_them)
{
	port_set_add(&services[PROTOCOL_TCP], 25, 25);
	assert_ports("services,80", "25,80");
	sources.services = NULL;
	assert_refused("80,services", "services", "is for berth.conf only");
}

Test(reserved_set, other_names_are_refused_presets_too)
{
	ASSERT_ALL_REFUSED("is not a port, a range lo-hi or a set that can be "
			   "reserved",
			   "iana", "linux", "rfc6056", "System", "systems",
			   "service", "-");
}

static void read_services(const char *text)
{
	char path[] = "/tmp/berth-services-XXXXXX";
	const int fd = mkstemp(path);

	cr_assert_geq(fd, 0);
	cr_assert_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
	cr_assert_eq(services_read(path, services), 0);
	unlink(path);
}

Test(services, each_protocol_has_its_own_ports)
{
	static const char *const expected[N_PROTOCOLS] = {
		[PROTOCOL_TCP] = "22,80",
		[PROTOCOL_UDP] = "69",
		[PROTOCOL_UDPLITE] = "69-70",
		[PROTOCOL_SCTP] = "2904",
	};

	read_services("# comment 1/tcp\n"
		      "\n"
		      "ssh\t\t22/tcp\t\t# SSH 23/tcp\n"
		      "http 80/tcp www\n"
		      "tftp 69/udp\n"
		      "lite 70/udplite\n"
		      "m2ua  2904/sctp\n"
		      "zero 0/tcp\n"
		      "beyond 65536/tcp\n"
		      "long 655360/tcp\n"
		      "dccp 5/dccp\n"
		      "broken 5 tcp\n"
		      "broken\n"
		      "#off 6/tcp\n");
	for (int protocol = 0; protocol < N_PROTOCOLS; protocol++) {
		set = services[protocol];
		assert_formatted(protocol_name((enum protocol)protocol),
				 expected[protocol]);
	}
	cr_assert_eq(services[PROTOCOL_TCP].n_ports, 2);
}

Test(services, a_last_line_needs_no_end_and_may_be_long)
{
	char text[10000];

	memset(text, 'x', sizeof(text));
	memcpy(text + sizeof(text) - 8, " 22/tcp", 8);
	read_services(text);
	set = services[PROTOCOL_TCP];
	assert_formatted("a long line", "22");
}

Test(services, a_file_that_is_not_there_is_told)
{
	cr_assert_eq(services_read("/nonexistent", services), -ENOENT);
	cr_assert_eq(services[PROTOCOL_TCP].n_ports, 0);
}
