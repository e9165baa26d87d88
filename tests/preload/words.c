/* SPDX-License-Identifier: MIT */
#include "words.h"

#include "step.h"

#include <fcntl.h>
#include <limits.h>
#include <linux/netlink.h>
#include <linux/vm_sockets.h>
#include <netinet/tcp.h>
#include <netpacket/packet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>

#define MAX_WORDS 8
#define MAX_WORD 128

static char *words[MAX_WORDS];
static int n_words;
static struct place places[MAX_WORDS];

char *kept_page;

/* --- numbers ----------------------------------------------------------------- */

/* clang-format off */
#define NAME(name) { #name, (long)name }
/* clang-format on */

static const struct {
	const char *name;
	long value;
} names[] = {
	NAME(AF_UNSPEC),
	NAME(AF_UNIX),
	NAME(AF_INET),
	NAME(AF_INET6),
	NAME(AF_NETLINK),
	NAME(AF_VSOCK),
	NAME(AF_PACKET),
	NAME(SOCK_STREAM),
	NAME(SOCK_DGRAM),
	NAME(SOCK_RAW),
	NAME(SOCK_SEQPACKET),
	NAME(SOCK_NONBLOCK),
	NAME(SOCK_CLOEXEC),
	NAME(SHUT_RDWR),
	NAME(SOL_SOCKET),
	NAME(SO_REUSEADDR),
	NAME(SO_REUSEPORT),
	NAME(SO_TYPE),
	NAME(SO_BROADCAST),
	NAME(SOL_IP),
	NAME(IP_BIND_ADDRESS_NO_PORT),
	NAME(IP_LOCAL_PORT_RANGE),
	NAME(IPPROTO_IPV6),
	NAME(IPV6_V6ONLY),
	NAME(IPV6_ADDRFORM),
	NAME(IPPROTO_TCP),
	NAME(TCP_REPAIR),
	NAME(TCP_FASTOPEN_CONNECT),
	NAME(IPPROTO_UDP),
	NAME(IPPROTO_ICMP),
	NAME(IPPROTO_ICMPV6),
	NAME(IPPROTO_RAW),
	NAME(IPPROTO_SCTP),
	NAME(MSG_DONTWAIT),
	NAME(MSG_NOSIGNAL),
	NAME(MSG_OOB),
	NAME(MSG_CONFIRM),
	NAME(MSG_DONTROUTE),
	NAME(MSG_MORE),
	NAME(MSG_EOR),
	NAME(MSG_FASTOPEN),
	NAME(F_DUPFD),
	NAME(F_DUPFD_CLOEXEC),
	NAME(F_GETFD),
	NAME(F_SETFD),
	NAME(F_GETFL),
	NAME(F_SETFL),
	NAME(F_GETOWN),
	NAME(F_GETPIPE_SZ),
	NAME(O_NONBLOCK),
	NAME(O_CLOEXEC),
	NAME(FD_CLOEXEC),
	NAME(FD_HUGE),
	NAME(INT_MAX),
	NAME(INT_MIN),
	NAME(SYS_bind),
	NAME(SYS_connect),
	NAME(SYS_listen),
	NAME(SYS_sendto),
	NAME(SYS_sendmsg),
	NAME(SYS_sendmmsg),
	NAME(SYS_close),
	NAME(SYS_dup),
	NAME(SYS_dup3),
	NAME(SYS_fcntl),
	NAME(SYS_setsockopt),
	NAME(SYS_getsockopt),
	NAME(SYS_getsockname),
	NAME(SYS_getpid),
	NAME(SYS_exit),
	NAME(SYS_exit_group),
	NAME(SYS_socket),
	NAME(SYS_write),
	NAME(SYS_recvmsg),
	NAME(SYS_recvmmsg),
	NAME(SYS_close_range),
	NAME(SYS_setns),
	NAME(SYS_unshare),
	NAME(SYS_prctl),
};

_Noreturn void refuse_word(const char *what, const char *text)
{
	report_text("no such %s: %s", what, text);
	exit(99);
}

static long number_of_part(const char *text)
{
	char *end;
	const long value = (long)strtoull(text, &end, 0);

	if (*text != '\0' && *end == '\0')
		return value;
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (strcmp(names[i].name, text) == 0)
			return names[i].value;
	refuse_word("number", text);
}

static long number_of(const char *text)
{
	char copy[MAX_WORD], *rest = copy, *part;
	long sum = 0;

	if (text[0] == '@')
		return step_opened((int)number_of_part(text + 1));
	snprintf(copy, sizeof(copy), "%s", text);
	while ((part = strsep(&rest, "+")) != NULL)
		sum |= number_of_part(part);
	return sum;
}

/* --- addresses --------------------------------------------------------------- */

static uint16_t port_of(const char *text)
{
	const long value = number_of(text);

	return text[0] == '@' ? local_port((int)value) : (uint16_t)value;
}

static void set_family(struct address *address, int family, socklen_t length)
{
	address->sa.sa_family = (sa_family_t)family;
	address->length = length;
}

static void read_unix(struct address *address, const char *name)
{
	const size_t length = strlen(name);

	strcpy(address->un.sun_path + 1, name);
	set_family(address, AF_UNIX,
		   (socklen_t)(sizeof(sa_family_t) +
			       (length > 0 ? 1 + length : 0)));
}

/* Returns whether it is one of a family without ports. */
static bool read_other(struct address *address, const char *text)
{
	if (strncmp(text, "unix:", 5) == 0) {
		read_unix(address, text + 5);
	} else if (strcmp(text, "unspec") == 0) {
		set_family(address, AF_UNSPEC, sizeof(struct sockaddr_in));
	} else if (strcmp(text, "netlink") == 0) {
		set_family(address, AF_NETLINK, sizeof(struct sockaddr_nl));
	} else if (strcmp(text, "packet") == 0) {
		set_family(address, AF_PACKET, sizeof(struct sockaddr_ll));
	} else if (strcmp(text, "vsock") == 0) {
		*(struct sockaddr_vm *)&address->sa = (struct sockaddr_vm){
			.svm_cid = VMADDR_CID_ANY,
			.svm_port = VMADDR_PORT_ANY,
		};
		set_family(address, AF_VSOCK, sizeof(struct sockaddr_vm));
	} else {
		return false;
	}
	return true;
}

static void read_internet(struct address *address, char *text)
{
	char *colon = strrchr(text, ':');

	if (colon == NULL)
		refuse_word("address", text);
	*colon = '\0';
	if (strcmp(text, "any") == 0) {
		*address = any_of(stage.kind, port_of(colon + 1));
	} else if (strcmp(text, "here") == 0) {
		*address = loopback_of(stage.kind, port_of(colon + 1));
	} else {
		text[strcspn(text, "]")] = '\0';
		*address = address_of(text + 1, port_of(colon + 1));
	}
}

/* One that is memory, whatever lies there: as long as the kind's addresses. */
static bool read_pointer(struct place *place, const char *text)
{
	if (strcmp(text, "null") == 0)
		place->pointer = NULL;
	else if (strcmp(text, "kept") == 0)
		place->pointer = kept_page;
	else if (strncmp(text, "ptr:", 4) == 0)
		place->pointer = (void *)number_of_part(text + 4);
	else
		return false;
	place->address = any_of(stage.kind, 0);
	return true;
}

static void change(struct place *place, const char *text)
{
	struct address *address = &place->address;

	if (strncmp(text, "len=+", 5) == 0)
		place->length += (socklen_t)number_of_part(text + 5);
	else if (strncmp(text, "len=", 4) == 0)
		place->length = (socklen_t)number_of_part(text + 4);
	else if (strncmp(text, "family=", 7) == 0)
		address->sa.sa_family = (sa_family_t)number_of_part(text + 7);
	else if (strcmp(text, "odd") == 0)
		place->pointer = memcpy(place->odd + 1, address,
					sizeof(*address));
	else if (strcmp(text, "page") == 0)
		place->pointer = page_end(address, address->length);
	else
		refuse_word("change of an address", text);
}

static void read_address(struct place *place, const char *text)
{
	char copy[MAX_WORD], *rest = copy, *base;

	snprintf(copy, sizeof(copy), "%s", text);
	base = strsep(&rest, "/");
	*place = (struct place){ .pointer = &place->address.sa };
	if (!read_pointer(place, base) && !read_other(&place->address, base))
		read_internet(&place->address, base);
	place->length = place->address.length;
	while (rest != NULL)
		change(place, strsep(&rest, "/"));
}

struct address address_of_word(const char *text)
{
	struct place place;

	read_address(&place, text);
	return place.address;
}

/* --- the words of a step ----------------------------------------------------- */

static bool begins_address(const char *text)
{
	static const char *const starts[] = {
		"any:",	  "here:", "[",	      "null",	"ptr:",	 "kept",
		"unspec", "unix:", "netlink", "packet", "vsock",
	};

	for (size_t i = 0; i < sizeof(starts) / sizeof(*starts); i++)
		if (strncmp(text, starts[i], strlen(starts[i])) == 0)
			return true;
	return false;
}

void words_read(char *text)
{
	for (n_words = 0; text != NULL; n_words++) {
		if (n_words == MAX_WORDS)
			refuse_word("number of words", text);
		words[n_words] = strsep(&text, " ");
		if (begins_address(words[n_words]))
			read_address(&places[n_words], words[n_words]);
	}
}

int words_count(void)
{
	return n_words;
}

const char *word(int i)
{
	return i < n_words ? words[i] : "";
}

long number(int i)
{
	return i < n_words ? number_of(words[i]) : 0;
}

bool is_address(int i)
{
	return begins_address(word(i));
}

const struct place *place_at(int i)
{
	if (!is_address(i))
		refuse_word("address", word(i));
	return &places[i];
}
