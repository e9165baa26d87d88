/* SPDX-License-Identifier: MIT */
#include "kernel/kernel.h"

#include <fcntl.h>

#include "base/raw.h"
#include "base/raw_file.h"
#include "base/text.h"

#define PORT_RANGE_PATH "/proc/sys/net/ipv4/ip_local_port_range"
#define AUTOBIND_REUSE_PATH "/proc/sys/net/ipv4/ip_autobind_reuse"
#define RESERVED_PATH "/proc/sys/net/ipv4/ip_local_reserved_ports"

#ifndef SO_NETNS_COOKIE
#define SO_NETNS_COOKIE 71
#endif

/* The longest list has every other port: 191,053 characters. */
#define LIST_SIZE_MAX ((size_t)192 * 1024)

/*
 * "30000-32767" or, where no separator follows, "8080". The kernel allows 0 in a
 * list, which is no port. Returns whether there are ports.
 */
static bool take_interval(const char **atp, char separator,
			  struct port_interval *intervalp)
{
	uint64_t lo, hi;

	text_take_number(atp, &lo);
	hi = lo;
	if (**atp == separator) {
		(*atp)++;
		text_take_number(atp, &hi);
	}
	*intervalp = (struct port_interval){ lo > 0 ? (uint32_t)lo : 1,
					     (uint32_t)hi };
	return hi != 0 && lo <= hi && hi < N_PORTS;
}

/* "8080,30000-32767\n" */
static void add_list(struct port_set *set, const char *list)
{
	struct port_interval ports;

	while (*list != '\0') {
		if (take_interval(&list, '-', &ports))
			port_set_add(set, ports.lo, ports.hi);
		if (*list != '\0')
			list++;
	}
}

/*
 * Linux returns a list to the first read alone, cut to the size of the buffer:
 * proc_do_large_bitmap() in kernel/sysctl.c. A complete list ends with a
 * newline.
 */
static bool read_list(char *buffer, size_t size, struct port_set *set)
{
	const ssize_t n_bytes = raw_read_text(RESERVED_PATH, buffer, size);

	if (n_bytes <= 0 || buffer[n_bytes - 1] != '\n')
		return false;
	add_list(set, buffer);
	return true;
}

static bool read_long_list(struct port_set *set)
{
	char *list = raw_map_private(LIST_SIZE_MAX);
	const bool is_whole = list != NULL &&
			      read_list(list, LIST_SIZE_MAX, set);

	raw_unmap(list, LIST_SIZE_MAX);
	return is_whole;
}

/* Most systems reserve few ports, or none: then no memory is needed. */
__attribute__((noinline)) static bool read_short_list(struct port_set *set)
{
	char list[256];

	return read_list(list, sizeof(list), set);
}

static void read_reserved(struct kernel *kernelp)
{
	struct port_set *set = &kernelp->reserved;

	kernelp->reserved_known = read_short_list(set) || read_long_list(set);
	port_set_finish(set);
}

/* "32768\t60999\n"; hi is 0 for what cannot be read. */
static struct port_interval read_port_range(void)
{
	struct port_interval range;
	char text[32];
	const char *at = text;

	return raw_read_text(PORT_RANGE_PATH, text, sizeof(text)) > 0 &&
			       take_interval(&at, '\t', &range)
		       ? range
		       : (struct port_interval){ .hi = 0 };
}

static void set_pin_range(struct kernel *kernelp, struct port_interval range)
{
	/* Relaxed: one word that holds both ends, and nothing else depends on
	 * it. */
	store_relaxed_u32(&kernelp->pin_range, range.hi << 16 | range.lo);
}

static bool read_autobind_reuse(void)
{
	char value[4];

	return raw_read_text(AUTOBIND_REUSE_PATH, value, sizeof(value)) > 0 &&
	       value[0] != '0';
}

/* *inodep is 0 where the result is not. */
static int read_netns_inode(const char *path, uint64_t *inodep)
{
	struct file_status status = { .inode = 0 };
	const int result = raw_file_status_of(AT_FDCWD, path, &status);

	*inodep = status.inode;
	return result;
}

static uint64_t read_netns_cookie(void)
{
	uint64_t cookie = 0;
	socklen_t length = sizeof(cookie);
	int fd = raw_socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return 0;
	if (raw_getsockopt(fd, SOL_SOCKET, SO_NETNS_COOKIE, &cookie, &length))
		cookie = 0;
	raw_close(fd);
	return cookie;
}

void kernel_read(struct kernel *kernelp)
{
	kernelp->port_range = read_port_range();
	set_pin_range(kernelp, kernelp->port_range);
	kernelp->autobind_reuse = read_autobind_reuse();
	read_reserved(kernelp);
	kernelp->netns_error = read_netns_inode(KERNEL_NETNS_PATH,
						&kernelp->netns_inode);
	kernelp->netns_cookie = read_netns_cookie();
}

bool kernel_is_in_netns(uint64_t inode, uint64_t cookie)
{
	const uint64_t cookie_now = cookie != 0 ? read_netns_cookie() : 0;
	uint64_t inode_now = 0;

	if (cookie_now != 0)
		return cookie_now == cookie;
	/* Of the calling thread: /proc/self shows the namespace of the first
	 * thread. */
	if (inode != 0)
		read_netns_inode("/proc/thread-self/ns/net", &inode_now);
	return inode_now == 0 || inode_now == inode;
}

bool kernel_refresh(struct kernel *kernel)
{
	const struct port_interval range = read_port_range();
	/* Relaxed: as in set_pin_range(). */
	const uint32_t before = load_relaxed_u32(&kernel->pin_range);

	if (range.hi == 0 || (range.hi << 16 | range.lo) == before)
		return false;
	set_pin_range(kernel, range);
	return true;
}

bool kernel_can_pin(const struct kernel *kernel, uint16_t port)
{
	/* Relaxed: as in set_pin_range(). */
	const uint32_t range = load_relaxed_u32(&kernel->pin_range);

	return port >= (range & 0xffff) && port <= range >> 16 &&
	       kernel->reserved_known && !port_set_has(&kernel->reserved, port);
}
