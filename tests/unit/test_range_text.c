/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "core/port_set.h"
#include "core/range_text.h"

static const struct port_interval kernel_range = { 20000, 29999 };

static struct port_set set;
static struct range_error error;

/* Parses text and compares the ports with the runs, as text again. */
static void assert_ports(const char *text, const char *runs)
{
	char formatted[256];

	memset(&set, 0, sizeof(set));
	cr_assert_eq(range_text_parse(text, &kernel_range, &set, &error), 0,
		     "\"%s\" is refused", text);
	range_text_format(&set, formatted, sizeof(formatted));
	cr_assert_str_eq(formatted, runs, "\"%s\" gives %s, not %s", text,
			 formatted, runs);
}

static void assert_refused(const char *text, const char *word,
			   const char *reason)
{
	struct port_set untouched = set;

	cr_assert_eq(range_text_parse(text, &kernel_range, &set, &error),
		     -EINVAL, "\"%s\" is taken", text);
	cr_assert_eq(error.word_length, strlen(word),
		     "\"%s\" quotes %zu bytes, not \"%s\"", text,
		     error.word_length, word);
	cr_assert_eq(memcmp(error.word, word, strlen(word)), 0,
		     "\"%s\" does not quote \"%s\"", text, word);
	cr_assert_str_eq(error.reason, reason);
	cr_assert_eq(memcmp(&set, &untouched, sizeof(set)), 0,
		     "\"%s\" has changed the set", text);
}

Test(range_text, every_preset_has_the_ports_of_its_source)
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
	/* RFC 6056 section 2.2: the traditional 1024-4999, with its end */
	assert_ports("bsd-classic", "1024-5000");
	assert_ports("windows-classic", "1024-5000");
	/* Windows Server 2003: 1025 to MaxUserPort, 5000 */
	assert_ports("windows-2003", "1025-5000");
	/* Exchange 2007 on Windows Server 2008 sets 1025-60000 */
	assert_ports("windows-2008-exchange", "1025-60000");
	assert_ports("kernel", "20000-29999");
}

Test(range_text, every_preset_is_named_once_and_in_order)
{
	static const char *const names[] = {
		"iana", "freebsd", "windows", "linux", "linux-classic",
		"solaris", "aix", "rfc6056", "bsd-classic", "windows-classic",
		"windows-2003", "windows-2008-exchange", "kernel",
	};

	for (size_t i = 0; i < 13; i++)
		cr_assert_str_eq(range_preset_name(i), names[i]);
	cr_assert_null(range_preset_name(13));
	cr_assert_null(range_preset_name((size_t)-1));
}

Test(range_text, both_ends_of_a_range_belong_to_it)
{
	assert_ports("1-65535", "1-65535");
	assert_ports("1", "1");
	assert_ports("65535", "65535");
	assert_ports("5000-5000", "5000");
	assert_ports("1024-1025", "1024-1025");
}

Test(range_text, a_list_is_used_in_full)
{
	assert_ports("4000,5000-5999", "4000,5000-5999");
	assert_ports("5000-5999,4000", "4000,5000-5999");
	assert_ports(" 1 ,2\t4\n6-8 , iana ", "1-2,4,6-8,49152-65535");
	assert_ports("10-20,15-30,31", "10-31");
	assert_ports("kernel,linux", "20000-29999,32768-60999");
	assert_ports("0080", "80");
}

Test(range_text, a_list_adds_to_what_is_there)
{
	port_set_add(&set, 7, 7);
	cr_assert_eq(range_text_parse("9", NULL, &set, &error), 0);
	cr_assert(port_set_has(&set, 7) && port_set_has(&set, 9));
}

Test(range_text, a_list_without_words_is_refused)
{
	assert_refused("", "", "is empty");
	assert_refused(" \t", " \t", "is empty");
}

Test(range_text, an_empty_element_is_refused_and_the_list_quoted)
{
	static const char *const lists[] = {
		",", ",1", "1,", "1,,2", "1, ,2", "iana, ", " ,1",
	};

	for (size_t i = 0; i < 7; i++)
		assert_refused(lists[i], lists[i], "has an empty element");
}

Test(range_text, an_unknown_word_is_refused_and_quoted)
{
	static const char reason[] = "is not a port, a range lo-hi or a preset";
	static const char *const words[] = {
		"x", "ian", "ianaa", "IANA", "12x", "0x10", "+1", "1.5", "-",
		"-5", "5-", "1-2-3", "1--2", "--", "linux-", "1:2", "\xff",
	};

	for (size_t i = 0; i < 17; i++)
		assert_refused(words[i], words[i], reason);
	assert_refused("1,2,nope,4", "nope", reason);
	assert_refused("1 - 2", "-", reason);
}

Test(range_text, a_reversed_range_is_refused)
{
	assert_refused("6000-5000", "6000-5000", "is reversed");
	assert_refused("80,2-1", "2-1", "is reversed");
}

Test(range_text, a_number_beyond_65535_is_refused)
{
	assert_refused("65536", "65536", "is beyond 65535");
	assert_refused("5000-70000", "70000", "is beyond 65535");
	assert_refused("70000-80000", "70000", "is beyond 65535");
	assert_refused("4294967297", "4294967297", "is beyond 65535");
	assert_refused("18446744073709551617", "18446744073709551617",
		       "is beyond 65535");
}

Test(range_text, any_number_of_digits_is_beyond_65535)
{
	char digits[5001];

	memset(digits, '9', sizeof(digits) - 1);
	digits[sizeof(digits) - 1] = '\0';
	assert_refused(digits, digits, "is beyond 65535");
}

Test(range_text, port_0_is_no_port)
{
	assert_refused("0", "0", "is no port");
	assert_refused("0-100", "0", "is no port");
	assert_refused("0-0", "0", "is no port");
	assert_refused("00000000000000000", "00000000000000000", "is no port");
}

Test(range_text, the_kernel_preset_needs_a_known_range)
{
	static const struct port_interval unknown;

	cr_assert_eq(range_text_parse("kernel", &unknown, &set, &error),
		     -EINVAL);
	cr_assert_eq(error.word_length, 6);
	cr_assert_not_null(strstr(error.reason, "ip_local_port_range"));
	cr_assert_eq(range_text_parse("kernel", NULL, &set, &error), -EINVAL);
	cr_assert_eq(range_text_parse("1-9", NULL, &set, &error), 0);
}

Test(range_text, formatting_tells_the_whole_length_and_ends_in_time)
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

Test(range_text, an_empty_set_is_an_empty_text)
{
	char buffer[4] = "x";

	cr_assert_eq(range_text_format(&set, buffer, sizeof(buffer)), 0);
	cr_assert_str_eq(buffer, "");
}
