/* SPDX-License-Identifier: MIT */
#include "call.h"

#include <poll.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "address.h"
#include "option.h"
#include "ports.h"
#include "slots.h"
#include "transcript.h"

static const char *const names[N_KINDS] = {
	[KIND_SOCKET] = "socket",     [KIND_CLOSE] = "close",
	[KIND_BIND] = "bind",	      [KIND_BINDRESVPORT] = "bindresvport",
	[KIND_CONNECT] = "connect",   [KIND_LISTEN] = "listen",
	[KIND_ACCEPT] = "accept4",    [KIND_SENDTO] = "sendto",
	[KIND_SENDMSG] = "sendmsg",   [KIND_SENDMMSG] = "sendmmsg",
	[KIND_RECEIVE] = "recvmsg",   [KIND_SHUTDOWN] = "shutdown",
	[KIND_OPTION] = "setsockopt", [KIND_ERROR] = "SO_ERROR",
	[KIND_POLL] = "poll",	      [KIND_DUP] = "dup",
	[KIND_DUP2] = "dup2",	      [KIND_DUPFD] = "F_DUPFD",
	[KIND_PASS] = "SCM_RIGHTS",   [KIND_PAGE] = "page",
};

static void say_result(long result)
{
	const char *name = result < 0 && result > -4096
				   ? strerrorname_np((int)-result)
				   : NULL;

	if (name)
		say("%s", name);
	else
		say("%ld", result);
}

static void say_call(const char *way, const struct step *step,
		     const char *format, va_list arguments)
{
	say("%s%s(", way, names[step->kind]);
	vsay(format, arguments);
	say(")\t");
}

void call_say(const struct step *step, long result, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	say_call("", step, format, arguments);
	va_end(arguments);
	say_result(result);
}

long call_order(const struct step *step, struct order order, const char *format,
		...)
{
	va_list arguments;

	order.form = step->form;
	/* What the library cannot see, the kernel gives a port. */
	if (order.form == FORM_RAW && plan_takes_port(step->kind))
		ports_allow(0, 0);
	va_start(arguments, format);
	say_call(way_text(step), step, format, arguments);
	va_end(arguments);
	way_make(&order, step->place);
	say_result(order.result);
	if (order.has_changed_errno)
		say(" errno changed");
	if (WIFSIGNALED(order.died_of))
		say(" died of signal %d", WTERMSIG(order.died_of));
	return order.result;
}

/*
 * The library asks the kernel nothing about a socket that it has not seen being
 * made, unless it is handed an address of the internet with it: libberth(7),
 * "What a preloaded library cannot see".
 */
void call_allow_unseen(const struct step *step, const struct address *address)
{
	if (!slots_is_unseen(step->socket))
		return;

	const sa_family_t family = address ? address->storage.ss_family
					   : AF_UNIX;

	if ((family != AF_INET && family != AF_INET6 && family != AF_UNSPEC) ||
	    !address->pointer || address->length < sizeof(family))
		ports_allow(0, 0);
}

static void call_address(const struct step *step, long number)
{
	struct address address;

	address_make(&address, step, number == SYS_connect);
	if (number == SYS_connect)
		call_allow_unseen(step, &address);
	call_order(step,
		   ORDER(number, slots[step->socket], (long)address.pointer,
			 (long)address.length),
		   "%u, %s", step->socket, address.text);
}

/* The option of libc's function alone: its address is never a remote one. */
static void call_bindresvport(const struct step *step)
{
	struct sockaddr_in in = { .sin_family = AF_INET };
	const bool has_address = step->draws[0] % 2;

	call_order(step,
		   ORDER(CALL_BINDRESVPORT, slots[step->socket],
			 has_address ? (long)&in : 0),
		   "%u, %s", step->socket, has_address ? "0.0.0.0:0" : "NULL");
}

static void call_number(const struct step *step, long call, int number)
{
	call_order(step, ORDER(call, slots[step->socket], number), "%u, %d",
		   step->socket, number);
}

static void call_option(const struct step *step)
{
	struct option option;

	option_make(&option, step);
	call_order(step,
		   ORDER(SYS_setsockopt, slots[step->socket], option.level,
			 option.name, (long)option.value, (long)option.length),
		   "%u, %s", step->socket, option.text);
}

static void call_error(const struct step *step)
{
	static int value;
	static socklen_t length;

	value = 0;
	length = sizeof(value);
	call_order(step,
		   ORDER(SYS_getsockopt, slots[step->socket], SOL_SOCKET,
			 SO_ERROR, (long)&value, (long)&length),
		   "%u", step->socket);
	if (value)
		say(" %s", strerrorname_np(value));
}

static void call_poll(const struct step *step)
{
	struct pollfd ready = {
		.fd = slots[step->socket],
		.events = POLLIN | POLLOUT | POLLRDHUP,
	};
	const int n = poll(&ready, 1, 0);

	call_say(step, n, "%u", step->socket);
	say(" 0x%x", (unsigned int)ready.revents);
}

void call_make(const struct step *step)
{
	static const int backlogs[] = { 5, 0, 1, 16, -1 };

	switch (step->kind) {
	case KIND_SOCKET: call_socket(step); break;
	case KIND_CLOSE: call_close(step); break;
	case KIND_BIND: call_address(step, SYS_bind); break;
	case KIND_BINDRESVPORT: call_bindresvport(step); break;
	case KIND_CONNECT: call_address(step, SYS_connect); break;
	case KIND_LISTEN:
		call_number(step, SYS_listen, backlogs[step->draws[0] % 5]);
		break;
	case KIND_ACCEPT: call_accept(step); break;
	case KIND_SENDTO: call_send(step); break;
	case KIND_SENDMSG:
	case KIND_SENDMMSG: call_send_message(step); break;
	case KIND_RECEIVE: call_receive(step); break;
	case KIND_SHUTDOWN:
		call_number(step, SYS_shutdown, (int)(step->draws[0] % 4));
		break;
	case KIND_OPTION: call_option(step); break;
	case KIND_ERROR: call_error(step); break;
	case KIND_POLL: call_poll(step); break;
	case KIND_PASS: call_pass(step); break;
	case KIND_PAGE: call_say(step, address_toggle_page(), "%s", ""); break;
	default: call_duplicate(step);
	}
}
