/* SPDX-License-Identifier: MIT */
#include "world.h"

#include <dirent.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "policy/layout.h"
#include "target.h"

static const struct {
	const char *name;
	size_t size;
	size_t mapped_size;	/* as much of it as is looked at */
} kinds[N_FILES] = {
	[FILE_MAP] = { "map", sizeof(struct map_memory),
			 offsetof(struct map_memory, planes) },
	[FILE_POLICY] = { "policy", sizeof(struct policy_file_header),
			  sizeof(struct policy_file_header) },
};

static int must(int result, const char *what)
{
	if (result < 0) {
		perror(what);
		exit(99);
	}
	return result;
}

/* --- the servers ------------------------------------------------------------- */

static int open_server(int type, uint16_t port)
{
	const int fd = must(socket(AF_INET6, type | SOCK_NONBLOCK | SOCK_CLOEXEC,
				   0), "socket");
	const struct sockaddr_in6 address = {
		.sin6_family = AF_INET6, .sin6_port = htons(port),
		.sin6_addr = IN6ADDR_ANY_INIT,
	};
	const int on = 1;

	/* Both families: IPV6_V6ONLY is off by default. */
	must(bind(fd, (const struct sockaddr *)&address, sizeof(address)),
	     "bind");
	if (type == SOCK_STREAM) {
		setsockopt(fd, IPPROTO_TCP, 23 /* TCP_FASTOPEN */, &on,
			   sizeof(on));
		must(listen(fd, 4096), "listen");
	}
	return fd;
}

void world_open_servers(struct world *world)
{
	for (int i = 0; i < 4; i++)
		world->servers[i] = open_server(i < 2 ? SOCK_STREAM : SOCK_DGRAM,
						(uint16_t)(SERVER_PORT + i % 2));
}

static void drain_servers(const struct world *world)
{
	for (int i = 0; i < 2; i++) {
		int fd;

		while ((fd = accept(world->servers[i], NULL, NULL)) >= 0)
			close(fd);
	}
}

/* --- the folder ---------------------------------------------------------------- */

static void forget(struct kept_file *file)
{
	if (file->memory != NULL)
		munmap(file->memory, file->size);
	free(file->content);
	*file = (struct kept_file){ .path = "" };
}

static void empty_folder(const char *path)
{
	DIR *folder = opendir(path);
	struct dirent *entry;

	while (folder != NULL && (entry = readdir(folder)) != NULL)
		if (entry->d_name[0] != '.')
			unlinkat(dirfd(folder), entry->d_name, 0);
	if (folder != NULL)
		closedir(folder);
}

/* The roots that programs look into, the first of them first. */
static const char *const roots[] = { WORLD_FOLDER, WORLD_FOLDER_OF_ROOT };
#define N_ROOTS (sizeof(roots) / sizeof(roots[0]))

/* Finds the namespace's own folder, which its inode names: a number. Returns
 * whether there is one. */
static bool find_folder(const char *root, char path[FOLDER_SIZE])
{
	DIR *folder = opendir(root);
	struct dirent *entry;

	path[0] = '\0';
	while (folder != NULL && (entry = readdir(folder)) != NULL)
		if (entry->d_name[0] >= '0' && entry->d_name[0] <= '9')
			snprintf(path, FOLDER_SIZE, "%s/%.40s", root,
				 entry->d_name);
	if (folder != NULL)
		closedir(folder);
	return path[0] != '\0';
}

/* Who has no /proc, or cannot use the folder, makes another: no other run is to
 * find it. */
static void remove_folders_but(const char *root, const char *kept)
{
	DIR *folder = opendir(root);
	struct dirent *entry;
	char path[384];

	while (folder != NULL && (entry = readdir(folder)) != NULL) {
		snprintf(path, sizeof(path), "%s/%s", root, entry->d_name);
		if (entry->d_name[0] == '.' || strcmp(path, kept) == 0)
			continue;
		empty_folder(path);
		rmdir(path);
	}
	if (folder != NULL)
		closedir(folder);
}

void world_clear(struct world *world)
{
	for (int i = 0; i < N_FILES; i++)
		forget(&world->files[i]);
	world->folder[0] = '\0';
	remove_folders_but(WORLD_FOLDER, "");
	remove_folders_but(WORLD_FOLDER_OF_ROOT, "");
	rmdir(WORLD_FOLDER);
	drain_servers(world);
}

static void keep_file(struct kept_file *file, const char *folder, int kind)
{
	struct stat status;

	forget(file);
	snprintf(file->path, sizeof(file->path), "%s/%s", folder,
		 kinds[kind].name);

	const int fd = open(file->path, O_RDWR | O_CLOEXEC);

	if (fd < 0) {
		file->path[0] = '\0';
		return;
	}
	must(fstat(fd, &status), file->path);
	file->inode = status.st_ino;
	file->size = kinds[kind].mapped_size;
	file->memory = mmap(NULL, file->size, PROT_READ | PROT_WRITE,
			    MAP_SHARED, fd, 0);
	file->content = malloc(file->size);
	must(file->memory == MAP_FAILED || file->content == NULL ? -1 : 0,
	     file->path);
	memcpy(file->content, file->memory, file->size);
	close(fd);
}

void world_keep(struct world *world)
{
	char folder[FOLDER_SIZE];

	find_folder(WORLD_FOLDER, world->folder);
	for (int i = 0; i < N_FILES; i++)
		forget(&world->files[i]);
	for (size_t root = 0; root < N_ROOTS; root++)
		for (int i = 0; find_folder(roots[root], folder) && i < N_FILES;
		     i++)
			if (world->files[i].path[0] == '\0')
				keep_file(&world->files[i], folder, i);
}

static void restore_part(const struct kept_file *file, size_t offset,
			 size_t size)
{
	memcpy((char *)file->memory + offset,
	       (const char *)file->content + offset, size);
}

/*
 * What says where the next search begins and which ports rest. Leases are gone
 * with their sockets, which world_count_leases() shows.
 */
static void restore_map(const struct kept_file *file)
{
	restore_part(file, 0, offsetof(struct map_memory, event));
	for (int protocol = 0; protocol < N_PROTOCOLS; protocol++)
		restore_part(file, offsetof(struct map_memory, protocols) +
				   (size_t)protocol * sizeof(struct protocol_memory),
			     offsetof(struct protocol_memory, uses));
}

void world_restore(struct world *world)
{
	remove_folders_but(WORLD_FOLDER, world->folder);
	remove_folders_but(WORLD_FOLDER_OF_ROOT, "");
	if (world->files[FILE_MAP].path[0] != '\0')
		restore_map(&world->files[FILE_MAP]);
	if (world->files[FILE_POLICY].path[0] != '\0')
		restore_part(&world->files[FILE_POLICY], 0,
			     sizeof(struct policy_file_header));
	drain_servers(world);
}

static const struct policy_preamble *kept_policy(const struct world *world)
{
	return world->files[FILE_POLICY].memory;
}

bool world_has_moved(const struct world *world)
{
	return kept_policy(world) != NULL &&
	       kept_policy(world)->has_moved != 0;
}

unsigned long world_edition_moved(void)
{
	char folder[FOLDER_SIZE], path[FOLDER_SIZE + 8];
	struct policy_preamble preamble = { .edition = 0 };
	int fd;

	find_folder(WORLD_FOLDER_OF_ROOT, folder);
	snprintf(path, sizeof(path), "%s/policy", folder);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0 && read(fd, &preamble, sizeof(preamble)) < 0)
		preamble.edition = 0;
	if (fd >= 0)
		close(fd);
	return preamble.edition;
}

/* A policy that has moved is told to all that follow it. */
static const char *complaint_of_kept(const struct world *world, int kind)
{
	const struct kept_file *file = &world->files[kind];
	struct stat status;

	if (file->path[0] == '\0')
		return NULL;
	if (lstat(file->path, &status) != 0 && kind == FILE_POLICY &&
	    world_has_moved(world) && world_edition_moved() % 2 == 1)
		return NULL;
	if (lstat(file->path, &status) != 0)
		return "a file that all programs use is gone";
	return status.st_ino == file->inode
		? NULL : "a file that all programs use was replaced";
}

static const char *complaint_of_entry(const char *folder, const char *name)
{
	char path[384];
	struct stat status;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	must(lstat(path, &status), path);
	for (int i = 0; i < N_FILES; i++)
		if (strcmp(name, kinds[i].name) == 0)
			/* A policy's grows with its images. */
			return status.st_size >= (off_t)kinds[i].size
				? NULL : "a file that is not whole has a name";
	/* Whose lock loaders take; it stays. */
	if (strcmp(name, "lock") == 0)
		return NULL;
	return "a file was left that nobody asked for";
}

static const char *complaint_of_root(const char *root)
{
	char path[FOLDER_SIZE];
	const char *complaint = NULL;
	struct dirent *entry;
	DIR *folder = find_folder(root, path) ? opendir(path) : NULL;

	while (folder != NULL && complaint == NULL &&
	       (entry = readdir(folder)) != NULL)
		if (entry->d_name[0] != '.')
			complaint = complaint_of_entry(path, entry->d_name);
	if (folder != NULL)
		closedir(folder);
	return complaint;
}

const char *world_complaint(const struct world *world)
{
	const char *complaint = NULL;

	for (int i = 0; i < N_FILES && complaint == NULL; i++)
		complaint = complaint_of_kept(world, i);
	for (size_t root = 0; root < N_ROOTS && complaint == NULL; root++)
		complaint = complaint_of_root(roots[root]);
	return complaint;
}

unsigned int world_count_leases(const struct world *world)
{
	const struct map_memory *memory = world->files[FILE_MAP].memory;
	unsigned int n = 0;

	for (int protocol = 0; memory != NULL && protocol < N_PROTOCOLS; protocol++)
		for (unsigned int port = 0; port < N_PORTS; port++)
			n += memory->protocols[protocol].uses[port] != 0;
	return n;
}

void world_read_counters(const struct world *world,
			 uint64_t counters[N_COUNTERS])
{
	const struct map_memory *memory = world->files[FILE_MAP].memory;

	for (int i = 0; i < N_COUNTERS; i++)
		counters[i] = memory != NULL ? memory->counter.counters[i] : 0;
}

unsigned long world_edition(const struct world *world)
{
	return kept_policy(world) != NULL ? kept_policy(world)->edition : 0;
}
