/* SPDX-License-Identifier: MIT */
/* A program with what Go's linker leaves in one that is linked with C: a note
 * behind those of the C linker, or where notes were stripped the start of the
 * build information in its data. */

#ifdef GO_NOTE
__asm__(".pushsection .note.zz.go, \"a\", @note\n"
	"	.balign 4\n"
	"	.long 4, 4, 4\n"
	"	.asciz \"Go\"\n"
	"	.byte 0\n"
	"	.long 0\n"
	".popsection\n");
#else
__attribute__((used, aligned(16))) static volatile char build_info[] =
	"\xff Go buildinf:";
#endif

int main(void)
{
	return 0;
}
