/* SPDX-License-Identifier: MIT */
#include "kernel/ports_text.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "base/port_set.h"
#include "base/text.h"

#define BLANKS " \t\r\n"
#define PORT_MAX (N_PORTS - 1)
#define PORT_BITS 16u

static const char map_e_prefix[] = "map-e:";

struct preset {
	const char *name;
	/* Hi 0: the range that the caller gives */
	struct port_interval ports;
};

/* The sources are in the header. */
static const struct preset presets[] = {
	{ "iana", { 49152, 65535 } },
	{ "freebsd", { 49152, 65535 } },
	{ "windows", { 49152, 65535 } },
	{ "linux", { 32768, 60999 } },
	{ "linux-classic", { 32768, 61000 } },
	{ "solaris", { 32768, 65535 } },
	{ "aix", { 32768, 65535 } },
	{ "rfc6056", { 1024, 65535 } },
	{ "bsd-classic", { 1024, 5000 } },
	{ "windows-classic", { 1024, 5000 } },
	{ "windows-2003", { 1025, 5000 } },
	{ "windows-2008-exchange", { 1025, 60000 } },
	{ "kernel", { 0, 0 } },
};

#define N_PRESETS (sizeof(presets) / sizeof(*presets))

const char *range_preset_name(size_t index)
{
	return index < N_PRESETS ? presets[index].name : NULL;
}

struct word {
	const char *start;
	size_t length;
};

static int refuse(struct range_error *errorp, struct word word,
		  const char *reason)
{
	*errorp = (struct range_error){
		.word = word.start,
		.word_length = word.length,
		.reason = reason,
	};
	return -EINVAL;
}

/* Whether a word is a number, or two with a dash between them. */
static bool take_numbers(struct word word, uint64_t *lop, uint64_t *hip)
{
	const char *at = word.start;

	if (!text_take_number(&at, lop))
		return false;
	*hip = *lop;
	if (*at == '-') {
		at++;
		if (!text_take_number(&at, hip))
			return false;
	}
	return at == word.start + word.length;
}

static int check_port(uint64_t port, struct word word,
		      struct range_error *errorp)
{
	if (port > PORT_MAX)
		return refuse(errorp, word, "is beyond 65535");
	return port == 0 ? refuse(errorp, word, "is no port") : 0;
}

static int parse_numbers(struct word word, uint64_t lo, uint64_t hi,
			 struct port_set *set, struct range_error *errorp)
{
	const size_t lo_length = strspn(word.start, "0123456789");
	const size_t hi_at = lo_length < word.length ? lo_length + 1 : 0;
	int result = check_port(lo, (struct word){ word.start, lo_length },
				errorp);

	if (result == 0)
		result = check_port(hi,
				    (struct word){ word.start + hi_at,
						   word.length - hi_at },
				    errorp);
	if (result == 0 && lo > hi)
		return refuse(errorp, word, "is reversed");
	if (result == 0 && set != NULL)
		port_set_add(set, (uint32_t)lo, (uint32_t)hi);
	return result;
}

/* A number in decimal, or in hexadecimal behind "0x". */
static bool take_number(const char **atp, uint64_t *numberp)
{
	const char *at = *atp;
	const bool is_hex = at[0] == '0' && (at[1] == 'x' || at[1] == 'X');

	if (is_hex)
		*atp += 2;
	return text_take_digits(atp, is_hex ? 16 : 10, SIZE_MAX, numberp);
}

static bool take_slash(const char **atp)
{
	return *(*atp)++ == '/';
}

/*
 * The names are those of RFC 7597 section 5.1: a port consists of A, PSID, j.
 */
static void add_map_e(struct port_set *set, uint32_t a, uint32_t k,
		      uint32_t psid)
{
	const uint32_t m = PORT_BITS - a - k;

	for (uint32_t i = a > 0; i < UINT32_C(1) << a; i++) {
		const uint32_t lo = i << (PORT_BITS - a) | psid << m;

		port_set_add(set, lo == 0 ? 1 : lo,
			     lo + (UINT32_C(1) << m) - 1);
	}
}

static int parse_map_e(struct word word, struct port_set *set,
		       struct range_error *errorp)
{
	const char *at = word.start + sizeof(map_e_prefix) - 1;
	uint64_t a, k, psid;

	if (!take_number(&at, &a) || !take_slash(&at) ||
	    !take_number(&at, &k) || !take_slash(&at) ||
	    !take_number(&at, &psid) || at != word.start + word.length)
		return refuse(errorp, word, "is not map-e:OFFSET/LENGTH/PSID");
	if (a >= PORT_BITS)
		return refuse(errorp, word, "has a PSID offset beyond 15");
	if (k > PORT_BITS - a)
		return refuse(errorp, word,
			      "has a PSID offset and length of "
			      "more than 16 bits together");
	if (psid >> k != 0)
		return refuse(errorp, word,
			      "has a PSID that is longer than its length");
	if (a == 0 && k == PORT_BITS && psid == 0)
		return refuse(errorp, word,
			      "is port 0 alone, which is no port");
	if (set != NULL)
		add_map_e(set, (uint32_t)a, (uint32_t)k, (uint32_t)psid);
	return 0;
}

static const char *add_preset(const void *context, const char *name,
			      size_t length, struct port_set *set)
{
	const struct port_interval *kernel_range = context;

	for (size_t i = 0; i < N_PRESETS; i++) {
		struct port_interval ports = presets[i].ports;

		if (strlen(presets[i].name) != length ||
		    memcmp(presets[i].name, name, length) != 0)
			continue;
		if (!ports.hi && kernel_range)
			ports = *kernel_range;
		if (!ports.hi)
			return "is not known here: ip_local_port_range cannot "
			       "be read";
		if (set)
			port_set_add(set, ports.lo, ports.hi);
		return NULL;
	}
	return "is not a port, a range lo-hi or a preset";
}

static bool is_map_e(struct word word)
{
	const size_t length = sizeof(map_e_prefix) - 1;

	return word.length >= length &&
	       memcmp(word.start, map_e_prefix, length) == 0;
}

static int parse_word(struct word word, const struct range_names *names,
		      struct port_set *set, struct range_error *errorp)
{
	const char *reason;
	uint64_t lo, hi;

	if (is_map_e(word))
		return parse_map_e(word, set, errorp);
	if (take_numbers(word, &lo, &hi))
		return parse_numbers(word, lo, hi, set, errorp);
	reason = names->add(names->context, word.start, word.length, set);
	return reason != NULL ? refuse(errorp, word, reason) : 0;
}

/* Reads a list; with set NULL it only checks. */
static int parse_list(const char *text, const struct range_names *names,
		      struct port_set *set, struct range_error *errorp)
{
	struct word whole = { text, strlen(text) };
	const char *next = text + strspn(text, BLANKS);

	if (!*next)
		return refuse(errorp, whole, "is empty");
	do {
		struct word word = { next, strcspn(next, "," BLANKS) };

		if (!word.length)
			return refuse(errorp, whole, "has an empty element");

		int result = parse_word(word, names, set, errorp);

		if (result)
			return result;
		next += word.length;
		next += strspn(next, BLANKS);
		/* A comma must be followed by a word, unlike in "1,,2" and
		 * "1,". */
		if (*next == ',') {
			next++;
			next += strspn(next, BLANKS);
		} else if (!*next) {
			return 0;
		}
	} while (true);
}

int range_text_parse_names(const char *text, const struct range_names *names,
			   struct port_set *set, struct range_error *errorp)
{
	/* In two passes, so that a refused text leaves the set unchanged. */
	int result = parse_list(text, names, NULL, errorp);

	return result ? result : parse_list(text, names, set, errorp);
}

int range_text_parse(const char *text, const struct port_interval *kernel_range,
		     struct port_set *set, struct range_error *errorp)
{
	const struct range_names names = { add_preset, kernel_range };

	return range_text_parse_names(text, &names, set, errorp);
}

size_t range_text_format(const struct port_set *set, char *buffer, size_t size)
{
	struct text text = { buffer, size, 0 };
	uint32_t lo, hi;

	for (uint32_t from = 0;
	     from < N_PORTS && port_set_next_run(set, from, &lo, &hi);
	     from = hi + 1) {
		if (text.length > 0)
			text_put_char(&text, ',');
		text_put_number(&text, lo);
		if (hi != lo) {
			text_put_char(&text, '-');
			text_put_number(&text, hi);
		}
	}
	text_end(&text);
	return text.length;
}
