/* SPDX-License-Identifier: MIT */
#pragma once

#include <elf.h>
#include <link.h>
#include <stdbool.h>

/*
 * Whether an ELF file has been made by Go, also where it is linked with C, and so
 * dynamically: its sockets are raw system calls all the same. Go's linker leaves
 * a note, anywhere among those of the others, and where that was stripped the
 * block of runtime/debug.BuildInfo at the start of its data.
 */
bool cover_is_go(int fd, const ElfW(Ehdr) *elf);
