/* SPDX-License-Identifier: MIT */
#include "ports_here.h"

static const struct port_interval kernel_range = { 20000, 29999 };

static int parse(const char *text)
{
	return range_text_parse(text, &kernel_range, &set, &error);
}

Test(ports_text, every_preset_has_the_ports_of_its_source)
{
	/* RFC 6335 section 6: dynamic ports */
	assert_ports("iana", "49152-65535");
	/* FreeBSD sys/netinet/in.h: IPPORT_HIFIRSTAUTO, IPPORT_HILASTAUTO */
	assert_ports("freebsd", "49152-65535");
	/* Windows since Vista: netsh int ipv4 show dynamicport tcp */
	assert_ports("windows", "49152-65535");
	/* ip(7), ip_local_port_range; ip-sysctl.rst: 32768 60999 */
	assert_ports("linux", "32768-60999");
	/* ip(7): 32768 to 61000 before Linux 4.2 */
	assert_ports("linux-classic", "32768-61000");
	/* Solaris: tcp_smallest_anon_port, tcp_largest_anon_port */
	assert_ports("solaris", "32768-65535");
	/* AIX no(1): tcp_ephemeral_low, tcp_ephemeral_high */
	assert_ports("aix", "32768-65535");
	/* RFC 6056 section 3.2 */
	assert_ports("rfc6056", "1024-65535");
	/* RFC 6056 section 2.2: the traditional 1024-4999, with its end as in
	 * 4.4BSD netinet/in.h: IPPORT_RESERVED, IPPORT_USERRESERVED */
	assert_ports("bsd-classic", "1024-5000");
	/* Windows NT to XP: 1024 to MaxUserPort, 5000 */
	assert_ports("windows-classic", "1024-5000");
	/* Windows Server 2003: 1025 to MaxUserPort, 5000 */
	assert_ports("windows-2003", "1025-5000");
	/* Exchange 2007 on Windows Server 2008 sets 1025-60000 */
	assert_ports("windows-2008-exchange", "1025-60000");
	/* ip-sysctl.rst, ip_local_port_range: here the caller's */
	assert_ports("kernel", "20000-29999");
}

Test(ports_text, every_preset_is_named_once_and_in_order)
{
	static const char *const names[] = {
		"iana",		 "freebsd",
		"windows",	 "linux",
		"linux-classic", "solaris",
		"aix",		 "rfc6056",
		"bsd-classic",	 "windows-classic",
		"windows-2003",	 "windows-2008-exchange",
		"kernel",
	};

	for (size_t i = 0; i < 13; i++)
		cr_assert_str_eq(range_preset_name(i), names[i]);
	cr_assert_null(range_preset_name(13));
	cr_assert_null(range_preset_name((size_t)-1));
}

Test(ports_text, both_ends_of_a_range_belong_to_it)
{
	assert_ports("1-65535", "1-65535");
	assert_ports("1", "1");
	assert_ports("65535", "65535");
	assert_ports("5000-5000", "5000");
	assert_ports("1024-1025", "1024-1025");
}

Test(ports_text, a_list_is_used_in_full)
{
	assert_ports("4000,5000-5999", "4000,5000-5999");
	assert_ports("5000-5999,4000", "4000,5000-5999");
	assert_ports(" 1 ,2\t4\n6-8 , iana ", "1-2,4,6-8,49152-65535");
	assert_ports("10-20,15-30,31", "10-31");
	assert_ports("kernel,linux", "20000-29999,32768-60999");
	assert_ports("0080", "80");
}

Test(ports_text, a_list_adds_to_what_is_there)
{
	port_set_add(&set, 7, 7);
	cr_assert_eq(range_text_parse("9", NULL, &set, &error), 0);
	cr_assert(port_set_has(&set, 7) && port_set_has(&set, 9));
}

Test(ports_text, what_is_no_list_of_ports_is_refused_and_quoted)
{
	static const char unknown[] =
		"is not a port, a range lo-hi or a preset";

	ASSERT_ALL_REFUSED("is empty", "", " \t");
	ASSERT_ALL_REFUSED("has an empty element", ",", ",1", "1,", "1,,2",
			   "1, ,2", "iana, ", " ,1");
	ASSERT_ALL_REFUSED(unknown, "x", "ian", "ianaa", "IANA", "12x", "0x10",
			   "+1", "1.5", "-", "-5", "5-", "1-2-3", "1--2", "--",
			   "linux-", "1:2", "\xff", "MAP-E:6/8/1");
	assert_refused("1,2,nope,4", "nope", unknown);
	assert_refused("1 - 2", "-", unknown);
	ASSERT_ALL_REFUSED("is reversed", "6000-5000");
	assert_refused("80,2-1", "2-1", "is reversed");
	ASSERT_ALL_REFUSED("is beyond 65535", "65536", "4294967297",
			   "18446744073709551617");
	assert_refused("5000-70000", "70000", "is beyond 65535");
	assert_refused("70000-80000", "70000", "is beyond 65535");
	ASSERT_ALL_REFUSED("is no port", "0", "00000000000000000");
	assert_refused("0-100", "0", "is no port");
	assert_refused("0-0", "0", "is no port");
}

Test(ports_text, any_number_of_digits_is_beyond_65535)
{
	char digits[5001];

	memset(digits, '9', sizeof(digits) - 1);
	digits[sizeof(digits) - 1] = '\0';
	assert_refused(digits, digits, "is beyond 65535");
}

Test(ports_text, the_kernel_preset_needs_a_known_range)
{
	static const struct port_interval unknown;

	cr_assert_eq(range_text_parse("kernel", &unknown, &set, &error),
		     -EINVAL);
	cr_assert_eq(error.word_length, 6);
	cr_assert_not_null(strstr(error.reason, "ip_local_port_range"));
	cr_assert_eq(range_text_parse("kernel", NULL, &set, &error), -EINVAL);
	cr_assert_eq(range_text_parse("1-9", NULL, &set, &error), 0);
}

/* Parses text and counts the runs of ports, and the ports. */
static void assert_runs(const char *text, unsigned int n_runs, uint32_t n_ports)
{
	unsigned int n = 0;
	uint32_t lo, hi;

	memset(&set, 0, sizeof(set));
	cr_assert_eq(range_text_parse(text, NULL, &set, &error), 0,
		     "\"%s\" is refused", text);
	port_set_finish(&set);
	for (uint32_t from = 0;
	     from < N_PORTS && port_set_next_run(&set, from, &lo, &hi);
	     from = hi + 1)
		n++;
	cr_assert_eq(n, n_runs, "\"%s\" has %u runs", text, n);
	cr_assert_eq(set.n_ports, n_ports, "\"%s\" has %u ports", text,
		     set.n_ports);
}

/* RFC 7597 Appendix A, example 1: 1232-1235, 2256-2259, ... 64720-64723 */
Test(ports_text, the_worked_example_of_rfc_7597_has_its_ports)
{
	assert_runs("map-e:6/8/0x34", 63, 252);
	for (uint32_t lo = 1232; lo < N_PORTS; lo += 1024)
		for (uint32_t port = lo - 1; port <= lo + 4; port++)
			cr_assert_eq(port_set_has(&set, port),
				     port >= lo && port < lo + 4, "%u", port);
	cr_assert(port_set_has(&set, 63696) && port_set_has(&set, 63699));
	cr_assert(port_set_has(&set, 64720) && port_set_has(&set, 64723));
	cr_assert_not(port_set_has(&set, 208), "A is 0");
}

Test(ports_text, a_psid_may_be_decimal_or_hexadecimal)
{
	struct port_set hexadecimal;

	assert_runs("map-e:6/8/0x34", 63, 252);
	hexadecimal = set;
	assert_runs("map-e:6/8/52", 63, 252);
	cr_assert_eq(memcmp(&set, &hexadecimal, sizeof(set)), 0);
	assert_runs("map-e:0x6/0X8/0X34", 63, 252);
	cr_assert_eq(memcmp(&set, &hexadecimal, sizeof(set)), 0);
	assert_ports("map-e:4/12/0xfFf",
		     "8191,12287,16383,20479,24575,28671,32767,36863,40959,"
		     "45055,49151,53247,57343,61439,65535");
}

/* RFC 7596 section 5.1: lw4o6 has PSID offset 0, one run of ports */
Test(ports_text, a_port_set_without_an_offset_is_one_run)
{
	assert_ports("map-e:0/8/0x34", "13312-13567");
	assert_ports("map-e:0/6/1", "1024-2047");
	assert_ports("map-e:0/6/0", "1-1023");
	assert_ports("map-e:0/0/0", "1-65535");
	assert_ports("map-e:0/16/0xffff", "65535");
}

Test(ports_text, the_port_sets_of_all_customers_are_apart_and_whole)
{
	static struct port_set all;
	uint32_t n_ports = 0;

	for (unsigned int psid = 0; psid < 256; psid++) {
		char text[32];

		snprintf(text, sizeof(text), "map-e:6/8/%u", psid);
		assert_runs(text, 63, 252);
		n_ports += set.n_ports;
		for (uint32_t i = 0; i < N_PORT_WORDS; i++)
			all.words[i] |= set.words[i];
	}
	port_set_finish(&all);
	cr_assert_eq(n_ports, all.n_ports);
	cr_assert_eq(all.n_ports, 63 * 1024, "%u", all.n_ports);
	cr_assert_not(port_set_has(&all, 1023));
}

Test(ports_text, the_bits_of_a_port_set_may_be_any)
{
	assert_runs("map-e:15/1/1", 32767, 32767);
	assert_runs("map-e:15/0/0", 1, 65534);
	assert_runs("map-e:1/15/0", 1, 1);
	assert_ports("map-e:1/0/0", "32768-65535");
}

Test(ports_text, a_port_set_stands_in_a_list)
{
	assert_ports("80,map-e:1/2/3 443", "80,443,57344-65535");
	assert_refused("80,map-e:1/2", "map-e:1/2",
		       "is not map-e:OFFSET/LENGTH/PSID");
}

Test(ports_text, a_port_set_that_cannot_be_is_refused)
{
	ASSERT_ALL_REFUSED("is not map-e:OFFSET/LENGTH/PSID",
			   "map-e:", "map-e:6", "map-e:6/8", "map-e:6/8/",
			   "map-e://", "map-e:6/8/0x", "map-e:6/8/0xg",
			   "map-e:6/8/5a", "map-e:6/8/1/", "map-e:-6/8/1",
			   "map-e:6/8/1-2", "map-e:6:8:1");
	ASSERT_ALL_REFUSED("has a PSID offset beyond 15", "map-e:16/0/0",
			   "map-e:4294967302/8/0");
	ASSERT_ALL_REFUSED(
		"has a PSID offset and length of more than 16 bits together",
		"map-e:15/2/0", "map-e:0/17/0", "map-e:0/4294967295/0");
	ASSERT_ALL_REFUSED("has a PSID that is longer than its length",
			   "map-e:6/8/256", "map-e:6/8/0x100000034",
			   "map-e:6/0/1");
	ASSERT_ALL_REFUSED("is port 0 alone, which is no port", "map-e:0/16/0");
}

Test(ports_text, formatting_tells_the_whole_length_and_ends_in_time)
{
	static const char full[] = "1,22-333,4444-65535";
	char buffer[sizeof(full) + 1];

	cr_assert_eq(range_text_parse(full, NULL, &set, &error), 0);
	for (size_t size = 1; size <= sizeof(full); size++) {
		memset(buffer, '#', sizeof(buffer));
		cr_assert_eq(range_text_format(&set, buffer, size),
			     sizeof(full) - 1);
		cr_assert_eq(strlen(buffer), size - 1);
		cr_assert_eq(memcmp(buffer, full, size - 1), 0);
		cr_assert_eq(buffer[size], '#');
	}
	cr_assert_eq(range_text_format(&set, NULL, 0), sizeof(full) - 1);
}

Test(ports_text, an_empty_set_is_an_empty_text)
{
	char buffer[4] = "x";

	cr_assert_eq(range_text_format(&set, buffer, sizeof(buffer)), 0);
	cr_assert_str_eq(buffer, "");
}
