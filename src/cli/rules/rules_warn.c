/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <limits.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/param.h>

#include "cli/rules/rules_scope.h"
#include "kernel/kernel.h"
#include "kernel/socket_table.h"
#include "policy/glob.h"

#define WILDCARDS "*?[\\"
#define TIME_WAIT_SECONDS 60u /* TCP_TIMEWAIT_LEN in include/net/tcp.h */

/* UDP does not listen: a bound UDP port may be a client's. */
static const enum protocol listening_protocols[] = { PROTOCOL_TCP,
						     PROTOCOL_SCTP };

#define N_LISTENING \
	(sizeof(listening_protocols) / sizeof(listening_protocols[0]))

struct warner {
	const struct rules *rules;
	const struct rule *defaults;
	struct findings *findings;
	unsigned int rate;
	struct port_set kernel_range;
	struct port_set listening[N_PROTOCOLS];
	struct port_set scratch;
};

static struct port_set *clear_scratch(struct warner *warner)
{
	memset(&warner->scratch, 0, sizeof(warner->scratch));
	return &warner->scratch;
}

static void warn_of_kernel_range(struct warner *warner,
				 const struct scope *scope)
{
	struct port_set *common = clear_scratch(warner);
	const struct port_set *last = NULL;
	bool found = false;

	for (int pair = 0; pair < N_PAIRS; pair++) {
		const struct port_set *assigned = rule_assigned_of(scope->rule,
								   pair);

		if (!(scope->pairs >> pair & 1) || assigned == last)
			continue;
		last = assigned;
		found |= port_set_add_common(common, &warner->kernel_range,
					     assigned);
	}
	if (found)
		scope_tell(scope, SEVERITY_WARNING, warner->findings,
			   " overlaps the kernel's own (ip_local_port_range): "
			   "programs outside Berth may take ",
			   common, "");
}

static void warn_of_listeners(struct warner *warner, const struct scope *scope,
			      enum protocol protocol)
{
	const struct port_set *listening = &warner->listening[protocol];
	struct port_set *ports = clear_scratch(warner);
	bool found = false;

	for (int role = 0; role < N_ROLES; role++)
		if (scope_roles_of(scope->pairs, protocol) >> role & 1)
			found |= port_set_add_common(
				ports, listening,
				scope->rule->assigned[protocol][role]);
	if (found)
		scope_tell(
			scope, SEVERITY_WARNING, warner->findings,
			protocol == PROTOCOL_TCP ? " has tcp " : " has sctp ",
			ports, ", where a socket of this machine listens now");
}

/* Returns the connections a second that a rule is planned for. */
static unsigned int rate_of(const struct warner *warner,
			    const struct rule *rule)
{
	return rule->rate != 0 ? rule->rate : warner->rate;
}

static void warn_of_rate(struct warner *warner, const struct rule *rule)
{
	const struct scope scope = {
		.rule = rule,
		.range = &rule->ranges[PROTOCOL_TCP][ROLE_OF_CONNECT],
		.pairs = 1u << (PROTOCOL_TCP * N_ROLES + ROLE_OF_CONNECT),
	};
	const uint32_t n_ports =
		rule->assigned[PROTOCOL_TCP][ROLE_OF_CONNECT]->n_ports;
	const unsigned int rate = rate_of(warner, rule);
	const uint64_t n_needed = (uint64_t)rate * TIME_WAIT_SECONDS;

	/* Inherited with its rate it is warned of once, for the defaults. */
	if (n_ports >= n_needed ||
	    (rule->process != NULL && scope.range->inherited &&
	     rate == rate_of(warner, warner->defaults)))
		return;
	findings_add(warner->findings, SEVERITY_WARNING, scope_place(&scope),
		     "%s has %u ports, and %u connections a second to one "
		     "destination need %llu: each keeps its port %u s in "
		     "TIME_WAIT",
		     scope_title(&warner->findings->memory, &scope), n_ports,
		     rate, (unsigned long long)n_needed, TIME_WAIT_SECONDS);
}

/* An inherited range is warned of once, for the defaults. */
static void warn_of_rule(struct warner *warner, const struct rule *rule)
{
	struct scope scope;

	warn_of_rate(warner, rule);
	for (int pair = 0; pair < N_PAIRS; pair++) {
		if ((rule->process != NULL &&
		     rule_range_of(rule, pair)->inherited) ||
		    !scope_of_range(rule, pair, &scope))
			continue;
		warn_of_kernel_range(warner, &scope);
		for (size_t i = 0; i < N_LISTENING; i++)
			warn_of_listeners(warner, &scope,
					  listening_protocols[i]);
	}
}

static void advise(struct warner *warner)
{
	const struct location place = { .file = warner->rules->config->path };
	struct port_set *left = clear_scratch(warner);
	bool overlaps = false;
	uint32_t lo, hi;

	*left = warner->kernel_range;
	for (int protocol = 0; protocol < N_PROTOCOLS; protocol++) {
		const struct port_set *dynamic =
			warner->rules->dynamic[protocol];

		overlaps = overlaps ||
			   port_set_meets(&warner->kernel_range, dynamic);
		port_set_subtract(left, dynamic);
		/* The defaults own nothing: these are all reservations. */
		port_set_subtract(left, warner->defaults->refused[protocol]);
	}
	if (!overlaps)
		return;
	if (port_set_longest_run(left, &lo, &hi) > 0)
		findings_add(warner->findings, SEVERITY_WARNING, place,
			     "to keep the kernel's own range apart, set "
			     "net.ipv4.ip_local_port_range = %u %u",
			     lo, hi);
	else
		findings_add(warner->findings, SEVERITY_WARNING, place,
			     "all of the kernel's own range is assigned or "
			     "reserved: net.ipv4.ip_local_port_range cannot "
			     "keep them apart");
}

static void warn_of_owners(struct warner *warner)
{
	for (size_t i = 0; i < warner->rules->n_reserves; i++) {
		const struct config_section *config =
			warner->rules->reserves[i].config;

		if (config->owners.n == 0)
			findings_add(warner->findings, SEVERITY_WARNING,
				     config->place,
				     "reservation \"%s\" has no owners: every "
				     "program under Berth is refused its ports",
				     config->name);
	}
}

static bool add_listener(const struct kernel_socket *socket, void *context)
{
	struct port_set *listening = context;

	if (socket->state == TCP_LISTEN)
		port_set_add(&listening[socket->protocol], socket->local.port,
			     socket->local.port);
	return true;
}

static void list_listeners(struct warner *warner)
{
	for (size_t i = 0; i < N_LISTENING; i++) {
		const enum protocol protocol = listening_protocols[i];
		const int result = socket_table_list(
			protocol, ANY_PORT, add_listener, warner->listening);

		if (result < 0 && result != -ENOENT)
			findings_add(warner->findings, SEVERITY_WARNING,
				     (struct location){ .file = NULL },
				     "the %s sockets of this machine cannot be "
				     "listed: %s",
				     protocol_name(protocol),
				     strerror(-result));
	}
}

/* Texts in place of the wildcards of a pattern, to try whether another pattern
 * matches too: characters that no name has, or none at all. */
struct sample {
	const char *any, *component, *one;
};

static const struct sample samples[] = {
	{ "", "", "\1" },
	{ "\1\2\3/\1\2\3", "\1\2\3", "\1" },
};

/* Every character of a pattern becomes at most so many. */
#define MAX_SAMPLE (sizeof("\1\2\3/\1\2\3") - 1)

static void instantiate(const char *pattern, const struct sample *sample,
			char *text)
{
	for (; *pattern != '\0'; pattern++) {
		if (strncmp(pattern, "**", 2) == 0) {
			text = stpcpy(text, sample->any);
			pattern++;
		} else if (*pattern == '*') {
			text = stpcpy(text, sample->component);
		} else if (*pattern == '?') {
			text = stpcpy(text, sample->one);
		} else {
			*text++ = *pattern;
		}
	}
	*text = '\0';
}

/* Quick: most patterns of a long file differ before any wildcard. */
static bool may_cover(const char *earlier, const char *later)
{
	const size_t n = MIN(strcspn(earlier, WILDCARDS),
			     strcspn(later, WILDCARDS));

	return strncmp(earlier, later, n) == 0;
}

/* Whether whatever matches the later pattern matches the earlier one. */
static bool covers(const char *earlier, const char *later)
{
	char text[MAX_SAMPLE * PATH_MAX];

	if (!may_cover(earlier, later))
		return false;
	if (strcmp(earlier, later) == 0)
		return true;
	if (strpbrk(later, WILDCARDS) == NULL)
		return glob_matches(earlier, later);
	if (strpbrk(earlier, "[\\") != NULL || strpbrk(later, "[\\") != NULL ||
	    strlen(later) >= PATH_MAX)
		return false;
	for (size_t i = 0; i < sizeof(samples) / sizeof(*samples); i++) {
		instantiate(later, &samples[i], text);
		if (!glob_matches(earlier, text))
			return false;
	}
	return true;
}

static bool any_covers(const struct config_list *earlier, const char *later)
{
	for (size_t i = 0; i < earlier->n; i++)
		if (covers(earlier->values[i], later))
			return true;
	return false;
}

static bool hides(const struct rule *earlier, const struct rule *later)
{
	for (int i = 0; i < N_CONDITIONS; i++) {
		const struct config_list *old = &earlier->conditions[i];
		const struct config_list *new = &later->conditions[i];

		if (old->n == 0)
			continue;
		if (new->n == 0)
			return false;
		for (size_t j = 0; j < new->n; j++)
			if (!any_covers(old, new->values[j]))
				return false;
	}
	return true;
}

/*
 * Warns of each section that never applies, because an earlier one matches all
 * that it would match. Only when that is certain: different patterns with sets
 * of characters are not compared.
 */
static void warn_of_hidden(const struct rules *rules, struct findings *findings)
{
	/* The last rule is for all other programs. */
	for (size_t i = 1; i + 1 < rules->n_rules; i++) {
		const struct rule *later = &rules->rules[i];

		for (size_t j = 0; j < i; j++) {
			const struct rule *earlier = &rules->rules[j];

			if (!hides(earlier, later))
				continue;
			findings_add(findings, SEVERITY_WARNING, later->place,
				     "process \"%s\" never applies: process "
				     "\"%s\" at %s:%d before it matches all "
				     "programs that it matches",
				     later->name, earlier->name,
				     earlier->place.file, earlier->place.line);
			break;
		}
	}
}

void rules_warn(const struct rules *rules, const struct kernel *kernel,
		unsigned int rate, struct findings *findings)
{
	static struct warner warner; /* too large for the stack */

	warner = (struct warner){
		.rules = rules,
		.defaults = &rules->rules[rules->n_rules - 1],
		.findings = findings,
		.rate = rate,
	};
	if (kernel->port_range.hi != 0)
		port_set_add(&warner.kernel_range, kernel->port_range.lo,
			     kernel->port_range.hi);
	list_listeners(&warner);
	for (size_t i = 0; i < rules->n_rules; i++)
		warn_of_rule(&warner, &rules->rules[i]);
	advise(&warner);
	warn_of_owners(&warner);
	warn_of_hidden(rules, findings);
}
