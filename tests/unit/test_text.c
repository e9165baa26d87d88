/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

#define UNTOUCHED '#'

static char buffer[64];
static struct text text;

/* A text over the first size bytes of the buffer. */
static void begin(size_t size)
{
	memset(buffer, UNTOUCHED, sizeof(buffer));
	text = (struct text){ buffer, size, 0 };
}

static void assert_text(const char *expected, size_t length)
{
	text_end(&text);
	cr_assert_str_eq(buffer, expected, "\"%s\", not \"%s\"", buffer,
			 expected);
	cr_assert_eq(text.length, length);
	for (size_t i = text.size; i < sizeof(buffer); i++)
		cr_assert_eq(buffer[i], UNTOUCHED, "byte %zu", i);
}

Test(text, parts_are_put_one_behind_the_other)
{
	begin(sizeof(buffer));
	text_put(&text, "port ");
	text_put_number(&text, 8020);
	text_put(&text, "");
	text_put_char(&text, '/');
	text_put_hex(&text, 0xbeef);
	assert_text("port 8020/beef", 14);
}

Test(text, nothing_put_is_an_empty_text)
{
	begin(sizeof(buffer));
	assert_text("", 0);
}

Test(text, what_fits_to_the_last_byte_is_whole)
{
	begin(6);
	text_put(&text, "berth");
	assert_text("berth", 5);
}

Test(text, what_does_not_fit_is_left_out_and_counted)
{
	begin(5);
	text_put(&text, "berth");
	assert_text("bert", 5);
	begin(5);
	text_put(&text, "be");
	text_put_number(&text, 123456);
	text_put_hex(&text, 0xff);
	text_put_char(&text, 'x');
	assert_text("be12", 11);
}

Test(text, a_buffer_of_one_byte_holds_the_end_alone)
{
	begin(1);
	text_put(&text, "berth");
	assert_text("", 5);
}

Test(text, without_a_buffer_it_is_counted_only)
{
	begin(0);
	text_put(&text, "berth");
	text_put_number(&text, 65535);
	text_end(&text);
	cr_assert_eq(text.length, 10);
	for (size_t i = 0; i < sizeof(buffer); i++)
		cr_assert_eq(buffer[i], UNTOUCHED);
	text = (struct text){ NULL, 0, 0 };
	text_put_hex(&text, 0x10);
	text_end(&text);
	cr_assert_eq(text.length, 2);
}

Test(text, an_end_in_between_takes_nothing_away)
{
	begin(sizeof(buffer));
	text_put(&text, "be");
	assert_text("be", 2);
	text_put(&text, "rth");
	assert_text("berth", 5);
}

static void assert_number(uint64_t number)
{
	char expected[32];

	snprintf(expected, sizeof(expected), "%" PRIu64, number);
	begin(sizeof(buffer));
	text_put_number(&text, number);
	assert_text(expected, strlen(expected));
}

Test(text, numbers_are_those_of_printf)
{
	assert_number(0);
	assert_number(UINT64_MAX);
	assert_number(UINT32_MAX);
	for (uint64_t power = 1; power <= UINT64_MAX / 10; power *= 10) {
		assert_number(power - 1);
		assert_number(power);
		assert_number(power * 10 - 1);
	}
}

Test(text, hexadecimal_numbers_are_lower_case_without_leading_zeros)
{
	static const uint32_t numbers[] = {
		0, 1, 9, 10, 15, 16, 0xabc, 0xdb8, 0xffff, 0x10000, UINT32_MAX,
	};

	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		char expected[16];

		snprintf(expected, sizeof(expected), "%" PRIx32, numbers[i]);
		begin(sizeof(buffer));
		text_put_hex(&text, numbers[i]);
		assert_text(expected, strlen(expected));
	}
}

Test(text, bytes_above_127_are_put_as_they_are)
{
	begin(sizeof(buffer));
	text_put(&text, "\xc3\xa9\xff");
	text_put_char(&text, '\x80');
	assert_text("\xc3\xa9\xff\x80", 4);
}

static void assert_printable(const char *string, const char *expected)
{
	char copy[64];

	begin(sizeof(buffer));
	text_put_printable(&text, string, sizeof(buffer));
	assert_text(expected, strlen(expected));
	snprintf(copy, sizeof(copy), "%s", string);
	text_make_printable(copy);
	cr_assert_str_eq(copy, expected, "\"%s\"", copy);
}

Test(text, what_may_be_printed_stays_as_it_is)
{
	assert_printable("", "");
	assert_printable("/usr/bin/python3 -c \"x\"",
			 "/usr/bin/python3 -c \"x\"");
	assert_printable("gr\xc3\xb6\xc3\x9f"
			 "e",
			 "gr\xc3\xb6\xc3\x9f"
			 "e");
	assert_printable("\xe2\x82\xac\xf0\x9f\x9a\xa2",
			 "\xe2\x82\xac\xf0\x9f\x9a\xa2");
	assert_printable("\xc2\xa0", "\xc2\xa0"); /* the first behind C1 */
}

Test(text, controls_and_what_changes_direction_become_a_question_mark_each)
{
	assert_printable("a\tb\nc\x1b[m\x7f", "a?b?c?[m?");
	assert_printable("\xc2\x80\xc2\x9bm\xc2\x9f", "??m?");
	assert_printable("\xe2\x80\xaexcod\xe2\x81\xa6", "?xcod?");
	assert_printable("\xe2\x80\x8b\xe2\x80\xa8\xef\xbb\xbf\xd8\x9c",
			 "????");
	assert_printable("\xf3\xa0\x81\x81", "?");
}

Test(text, each_byte_of_what_is_no_utf_8_becomes_a_question_mark)
{
	assert_printable("\x9bm\xff", "?m?");
	assert_printable("\xc0\xaf", "??");
	assert_printable("\xe0\x9f\xbf", "???");
	assert_printable("\xed\xa0\x80", "???");
	assert_printable("\xf0\x8f\xbf\xbf\xf4\x90\x80\x80", "????????");
	assert_printable("a\xc3", "a?");
	assert_printable("a\xe2\x82", "a??");
	assert_printable("\xf0\x9f\x9a", "???");
}

Test(text, a_character_that_does_not_fit_is_left_out_whole)
{
	begin(sizeof(buffer));
	text_put_printable(&text, "ab\xe2\x82\xac", 4);
	assert_text("ab", 2);
	begin(sizeof(buffer));
	text_put_printable(&text,
			   "ab\xe2\x82\xac"
			   "c",
			   5);
	assert_text("ab\xe2\x82\xac", 5);
}
