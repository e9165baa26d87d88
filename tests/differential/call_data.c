/* SPDX-License-Identifier: MIT */
#include <arpa/inet.h>
#include <linux/errqueue.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>

#include "address.h"
#include "call.h"
#include "slots.h"
#include "transcript.h"

#define MAX_DATA 11
#define CONTROL_SIZE 512

/* Which draw chooses what; an address has those before. */
enum { DRAW_DATA = DRAW_DETAIL + 1, DRAW_CONTROL };

struct data {
	void *pointer;
	size_t size;
	int flags;
	bool has_address;
	char text[64];
};

static void make_data(struct data *data, const struct step *step)
{
	static const struct {
		int flag;
		const char *text;
	} flags[] = {
		{ 0, "" },
		{ MSG_DONTWAIT, ", MSG_DONTWAIT" },
		{ MSG_FASTOPEN, ", MSG_FASTOPEN" },
		{ MSG_MORE, ", MSG_MORE" },
		{ MSG_FASTOPEN | MSG_DONTWAIT,
		  ", MSG_FASTOPEN | MSG_DONTWAIT" },
		{ MSG_OOB, ", MSG_OOB" },
	};
	static char text[] = "0123456789";
	const uint32_t draw = step->draws[DRAW_DATA];
	const unsigned int flag = draw % 6;
	const bool is_bad = draw / 8 % 32 == 0;

	data->pointer = is_bad ? (void *)8 : text;
	data->size = draw / 256 % MAX_DATA;
	data->flags = flags[flag].flag | (draw / 4096 % 4 ? MSG_NOSIGNAL : 0);
	data->has_address = draw / 16384 % 4 != 0;
	snprintf(data->text, sizeof(data->text), "%s%zu%s", is_bad ? "8, " : "",
		 data->size, flags[flag].text);
}

void call_send(const struct step *step)
{
	struct address address;
	struct data data;

	make_data(&data, step);
	address_make(&address, step, true);
	call_allow_unseen(step, data.has_address ? &address : NULL);
	call_order(step,
		   ORDER(SYS_sendto, slots[step->socket], (long)data.pointer,
			 (long)data.size, data.flags,
			 data.has_address ? (long)address.pointer : 0,
			 data.has_address ? (long)address.length : 0),
		   "%u, %s, %s", step->socket, data.text,
		   data.has_address ? address.text : "NULL");
}

/* The address to send from. */
static const char *put_source(struct cmsghdr *header, int domain, bool is_other)
{
	struct in_pktinfo info = {
		.ipi_spec_dst.s_addr = inet_addr(is_other ? "127.0.0.2"
							  : "192.0.2.1"),
	};
	struct in6_pktinfo info6 = { .ipi6_ifindex = is_other ? 0 : 1 };

	if (domain != AF_INET6) {
		header->cmsg_level = IPPROTO_IP;
		header->cmsg_type = IP_PKTINFO;
		header->cmsg_len = CMSG_LEN(sizeof(info));
		memcpy(CMSG_DATA(header), &info, sizeof(info));
		return is_other ? ", from 127.0.0.2" : ", from 192.0.2.1";
	}
	inet_pton(AF_INET6, is_other ? "fe80::1" : "::1", &info6.ipi6_addr);
	header->cmsg_level = IPPROTO_IPV6;
	header->cmsg_type = IPV6_PKTINFO;
	header->cmsg_len = CMSG_LEN(sizeof(info6));
	memcpy(CMSG_DATA(header), &info6, sizeof(info6));
	return is_other ? ", from fe80::1" : ", from ::1 on lo";
}

static const char *put_control(struct msghdr *message, const struct step *step)
{
	static union {
		struct cmsghdr header;
		char protocol[CMSG_SPACE(64)];
	} control;
	const uint32_t draw = step->draws[DRAW_CONTROL];

	memset(&control, 0, sizeof(control));
	message->msg_control = &control;
	message->msg_controllen = CMSG_SPACE(sizeof(struct in6_pktinfo));
	if (draw % 8 == 0) {
		const int domain = slots_domain(step->socket);

		if (domain != AF_INET6)
			message->msg_controllen =
				CMSG_SPACE(sizeof(struct in_pktinfo));
		return put_source(&control.header, domain, draw / 8 % 2);
	}
	if (draw % 32 == 1) {
		control.header.cmsg_len = 3;
		return ", broken control";
	}
	if (draw % 32 == 2) {
		message->msg_control = (void *)8;
		return ", control at 8";
	}
	message->msg_control = NULL;
	message->msg_controllen = 0;
	return "";
}

void call_send_message(const struct step *step)
{
	struct address address;
	struct data data;

	make_data(&data, step);
	address_make(&address, step, true);

	struct iovec vector = { data.pointer, data.size };
	struct msghdr message = { .msg_iov = &vector, .msg_iovlen = 1 };

	if (data.has_address) {
		message.msg_name = address.pointer;
		message.msg_namelen = address.length;
	}
	call_allow_unseen(step, data.has_address ? &address : NULL);

	const char *control = put_control(&message, step);
	struct mmsghdr messages[2] = {
		{ .msg_hdr = message },
		{ .msg_hdr = message },
	};
	const bool is_bad = step->draws[DRAW_CONTROL] / 256 % 32 == 0;
	const long fd = slots[step->socket], at = is_bad ? 8 : (long)messages;

	call_order(step,
		   step->kind == KIND_SENDMMSG
			   ? ORDER(SYS_sendmmsg, fd, at, 2, data.flags)
			   : ORDER(SYS_sendmsg, fd, at, data.flags),
		   "%u, %s, %s%s%s", step->socket, data.text,
		   data.has_address ? address.text : "NULL", control,
		   is_bad ? ", message at 8" : "");
}

static void say_error(struct msghdr *message)
{
	for (struct cmsghdr *header = CMSG_FIRSTHDR(message); header;
	     header = CMSG_NXTHDR(message, header)) {
		struct sock_extended_err error;

		if (header->cmsg_type != IP_RECVERR &&
		    header->cmsg_type != IPV6_RECVERR)
			continue;
		memcpy(&error, CMSG_DATA(header), sizeof(error));
		say(" %s", strerrorname_np((int)error.ee_errno));
	}
}

void call_receive(const struct step *step)
{
	struct sockaddr_storage from = { 0 };
	char data[16], control[CONTROL_SIZE];
	struct iovec vector = { data, sizeof(data) };
	struct msghdr message = {
		.msg_name = &from,
		.msg_namelen = sizeof(from),
		.msg_iov = &vector,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control),
	};
	const bool has_error = step->draws[0] % 3 == 0;

	/* A child would keep the answer to itself. */
	struct step here = *step;

	here.place = PLACE_HERE;
	if (call_order(&here,
		       ORDER(SYS_recvmsg, slots[step->socket], (long)&message,
			     MSG_DONTWAIT | (has_error ? MSG_ERRQUEUE : 0)),
		       "%u%s", step->socket,
		       has_error ? ", MSG_ERRQUEUE" : "") < 0)
		return;
	say(" from %s", address_text(&from, message.msg_namelen));
	say_error(&message);
}
