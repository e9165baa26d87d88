/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "assign/pick.h"
#include "base/clock.h"
#include "base/raw.h"
#include "cli/bus_error.h"
#include "cli/commands.h"
#include "cli/message.h"
#include "cli/options.h"
#include "cli/view.h"
#include "kernel/endpoint.h"
#include "map/ledger.h"
#include "process/process.h"

#define N_DEFAULT 1

static const char *protocol_word = "tcp";

static const struct command_option list[] = {
	{ .name = "protocol",
	  .value = "P",
	  .textp = &protocol_word,
	  .help = "tcp (the default) or udp" },
	OPTION_HELP,
};

struct port_request {
	uint32_t n;
	enum protocol protocol;
};

/* Returns OPTIONS_READ, or the exit status. */
static int read_request(const struct command_words *words,
			struct port_request *request)
{
	const bool is_udp = strcmp(protocol_word, "udp") == 0;
	uint64_t n = N_DEFAULT;

	if (!is_udp && strcmp(protocol_word, "tcp") != 0)
		return options_refuse(&command_port, protocol_word,
				      "is not tcp or udp");
	if (words->n_words > 0 &&
	    !options_number(words->words[0], 1, N_PORTS - 1, &n))
		return options_refuse(&command_port, words->words[0],
				      "is not a number of ports");
	*request = (struct port_request){
		.n = (uint32_t)n,
		.protocol = is_udp ? PROTOCOL_UDP : PROTOCOL_TCP,
	};
	return OPTIONS_READ;
}

/* Binds to the wildcard address: of IPv6 for IPv4 too. Returns the socket or
 * -errno. */
static int bind_wildcard(enum protocol protocol, int family, uint16_t port)
{
	const int type = protocol == PROTOCOL_UDP ? SOCK_DGRAM : SOCK_STREAM;
	const int fd = raw_socket(family, type | SOCK_CLOEXEC, 0);
	union socket_address address;
	int result = 0;

	if (fd < 0)
		return fd;
	if (family == AF_INET6)
		result = raw_set_int_option(fd, IPPROTO_IPV6, IPV6_V6ONLY, 0);
	if (result == 0) {
		const socklen_t length = endpoint_wildcard(family, port,
							   &address);

		result = raw_bind(fd, &address.generic, length);
	}
	if (result == 0)
		return fd;
	raw_close(fd);
	return result;
}

static bool is_missing_family(int error)
{
	return error == -EAFNOSUPPORT || error == -EADDRNOTAVAIL ||
	       error == -EPROTONOSUPPORT;
}

/* Whether the port is free for IPv4 and IPv6, of which IPv6 may be missing.
 * Returns 0 or -errno. */
static int verify(enum protocol protocol, uint16_t port)
{
	int fd = bind_wildcard(protocol, AF_INET6, port);

	if (is_missing_family(fd))
		fd = bind_wildcard(protocol, AF_INET, port);
	if (fd < 0)
		return fd;
	raw_close(fd);
	return 0;
}

/* Leases n ports that are free. Returns how many there were. */
static uint32_t find(struct process *process,
		     const struct port_request *request, struct lease *leases)
{
	const struct port_wish wish = {
		.protocol = request->protocol,
		.use = USE_WHOLE,
		.role = ROLE_OF_LISTEN,
	};
	struct port_pick pick;
	struct policy policy;
	uint32_t n = 0;

	process_policy(process, &policy);
	port_pick_start(&pick, process, &policy, &wish);
	while (n < request->n && port_pick_next(&pick, &leases[n])) {
		const int result = verify(request->protocol, leases[n].port);

		if (result == 0)
			n++;
		else if (result == -EADDRINUSE)
			port_pick_reject_foreign(&pick, &leases[n]);
		else
			port_pick_reject(&pick, &leases[n]);
	}
	return n;
}

/* Reports what is wrong with the policy. Returns 0, or -errno when no ports may
 * be given because of it. */
static int check_policy(struct process *process, const struct place *place)
{
	const int missed = policy_source_file(&process->source)->missed;
	struct policy policy;

	process_policy(process, &policy);
	view_tell_missed(place, missed);
	if (policy.is_guess)
		message("the policy in force is damaged; berth load puts a "
			"sound one in force");
	if (policy_refuses_all(&policy))
		return -EACCES;
	return view_is_unknown(missed) ? missed : 0;
}

/* Returns 0, or -errno after a message about a mistake in the environment. */
static int open_policy(struct process *process, struct place *placep)
{
	struct environment_error error;
	char text[ENVIRONMENT_ERROR_TEXT_SIZE];

	process_prepare(process);
	kernel_read(&process->kernel);
	view_place(&process->kernel, placep);
	if (policy_source_open(&process->source, getenv, &process->kernel,
			       placep, &error) == 0)
		return 0;
	environment_error_text(&error, text);
	message("%s", text);
	return -EINVAL;
}

/* Goes on without the shared map. Returns 0, or -errno when on-error is refuse;
 * after a message in either case. */
static int open_private(struct process *process, int error)
{
	struct policy policy;
	bool refuses;

	process_policy(process, &policy);
	refuses = policy.settings[SETTING_ON_ERROR] == ON_ERROR_REFUSE;
	message("no shared map: %s; %s", strerror(-error),
		refuses ? "BERTH_ON_ERROR=refuse"
			: "other programs may be assigned the same ports");
	return refuses ? error : map_open_private(error, &process->map);
}

/* Whether other programs look for the map in another folder. That a user may not
 * use root's folder does not count. */
static bool is_elsewhere(int passed_over)
{
	return passed_over != 0 &&
	       (geteuid() == 0 || view_is_unknown(passed_over));
}

/* map_error: why the shared map is not to be used, or 0. Returns 0, or -errno
 * after a message when no ports can be given. */
static int open_process(struct process *process, int map_error)
{
	struct place place;
	int result = open_policy(process, &place);

	if (result < 0)
		return result;
	if (map_error == 0)
		map_error = map_open(&place, MAP_CREATE, &process->map, NULL);
	if (map_error < 0)
		result = open_private(process, map_error);
	else if (is_elsewhere(process->map.passed_over))
		message("no shared map: %s; other programs may be assigned "
			"the same ports",
			strerror(-process->map.passed_over));
	return result < 0 ? result : check_policy(process, &place);
}

/* Others may shorten the map and the policy while they are read. */
struct port_work {
	struct port_request request;
	int map_error; /* as open_process() takes it */
	uint32_t n;
	uint32_t n_range;
	uint16_t ports[N_PORTS];
};

/* Returns 0, or EXIT_FAILURE after a message. */
static int find_ports(void *context)
{
	static struct process process;
	static struct lease leases[N_PORTS];
	struct port_work *work = context;
	struct policy policy;

	process = (struct process){ .sweeps = false };
	if (open_process(&process, work->map_error) < 0)
		return EXIT_FAILURE;
	work->n = find(&process, &work->request, leases);
	/* Ports that will be printed rest, before they are printed. */
	for (uint32_t i = 0; i < work->n; i++) {
		ledger_release(&process.map, &leases[i],
			       work->n == work->request.n ? clock_now_ms() : 0);
		work->ports[i] = leases[i].port;
	}
	process_policy(&process, &policy);
	work->n_range =
		policy.ranges[work->request.protocol][ROLE_OF_LISTEN]->n_ports;
	return 0;
}

static int print_ports(const struct port_work *work)
{
	const struct port_request *request = &work->request;

	if (work->n != request->n) {
		message("%u %s ports wanted, %u of the range's %u are free",
			request->n, protocol_name(request->protocol), work->n,
			work->n_range);
		return EXIT_FAILURE;
	}
	for (uint32_t i = 0; i < work->n; i++)
		printf("%u\n", work->ports[i]);
	return message_written();
}

/* Returns 0; or else after a message. */
static int find_guarded(struct port_work *work)
{
	int result = bus_error_catch(find_ports, work);

	if (result == -EIO) {
		/* If it fails without the map too, it was the policy. */
		work->map_error = result;
		result = bus_error_catch(find_ports, work);
		if (result >= 0)
			message("the shared map, or the policy, was shortened "
				"meanwhile");
	}
	if (result < 0)
		message("the policy cannot be read: it was shortened");
	return result;
}

static int run(const struct command_words *words)
{
	static struct port_work work;
	const int status = read_request(words, &work.request);

	if (status != OPTIONS_READ)
		return status;
	return find_guarded(&work) == 0 ? print_ports(&work) : EXIT_FAILURE;
}

const struct options command_port = {
	.command = "port",
	.help = "print free ports, kept free for a while",
	.run = run,
	.synopsis = "[N]",
	.list = list,
	.n_words_max = 1,
	.about =
		"Finds N free ports of the range (default: 1) and prints them, one a\n"
		"line. Each is bound, to see that it is free, and released. It then\n"
		"rests, for one to two minutes, or one to two times the policy's\n"
		"rest-time: no program that uses the same map is assigned it, unless\n"
		"no other port is left.\n",
};
