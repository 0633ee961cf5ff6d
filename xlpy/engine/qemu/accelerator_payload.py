"""A program for the bare machine that shows whether an accelerator runs a kernel's kind of code at full speed.

It stands in for the firmware, so that nothing else has to run. Its source, for ``as`` and ``ld -Ttext 0``:

            .code16                         # the reset vector jumps here
            cli
            lgdtl   %cs:gdtr
            movl    %cr0, %eax
            orb     $1, %al
            movl    %eax, %cr0
            ljmpl   $8, $0xf0000 + protected
    gdtr:   .word 31; .long 0xf0000 + gdt
            .balign 8
    gdt:    .quad 0, 0x00cf9a000000ffff, 0x00cf92000000ffff, 0x00af9a000000ffff
            .code32
    protected:
            data segments = 16
            clear 0x1000 to 0x4000; map the first 2 MiB: 0x1000 -> 0x2003, 0x2000 -> 0x3003, 0x3000 -> 0x83
            cr4 |= PAE; cr3 = 0x1000; EFER |= LME; cr0 |= PG
            ljmpl   $0x18, $0xf0000 + long
            .code64
    long:   movl    $20000000, %ecx         # plain work: 20 ms on a processor, half a minute if each instruction
    1:      addq    %rcx, 0x8000            # is emulated one by one
            decl    %ecx
            jnz     1b
            movl    $1000, %ecx             # and what only a kernel does
    2:      movq    %cr3, %rax
            movq    %rax, %cr3
            decl    %ecx
            jnz     2b
            movb    $16, %al
            outb    %al, $0xf4              # isa-debug-exit: QEMU exits with 16 * 2 + 1
    3:      hlt
            jmp     3b
"""

from __future__ import annotations

EXIT_STATUS = 33
_CODE = bytes.fromhex(
    "fa2e660f011618000f20c00c010f22c066ea40000f0008001f0020000f006690"
    "0000000000000000ffff0000009acf00ffff00000092cf00ffff0000009aaf00"
    "b8100000008ed88ec08ed031c0bf00100000b9000c0000f3abc7050010000003"
    "200000c7050020000003300000c70500300000830000000f20e00c200f22e0b8"
    "001000000f22d8b9800000c00f3280cc010f300f20c00d000000800f22c0eaa5"
    "000f001800b9002d310148010c2500800000ffc975f4b9e80300000f20d80f22"
    "d8ffc975f6b010e6f4f4ebfd"
)
_SIZE = 0x10000
_RESET_VECTOR = 0xFFF0
_JUMP_TO_START = b"\xe9\x0d\x00"


def probe_firmware() -> bytes:
    """A firmware image of 64 KiB for ``-bios``."""
    image = _CODE.ljust(_RESET_VECTOR, b"\xf4") + _JUMP_TO_START
    return image.ljust(_SIZE, b"\xf4")
