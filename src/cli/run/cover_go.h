/* SPDX-License-Identifier: MIT */
#pragma once

#include <elf.h>
#include <link.h>
#include <stdbool.h>

/*
 * Whether a segment of an ELF file shows that Go made it. If it is also linked
 * with C, it has a dynamic linker, but its sockets are raw system calls all the
 * same. Go's linker leaves a note, among those of other linkers; when that was
 * stripped, there is still the block of runtime/debug.BuildInfo at the start of
 * the data.
 */
bool cover_is_go(int fd, const ElfW(Phdr) * header);
