"""``hw_caps`` of ``xl info``: Xen's feature words, made of the flags in /proc/cpuinfo.

The words and their order are Xen's (xen/include/public/arch-x86/cpufeatureset.h); the names are Linux's
(arch/x86/include/asm/cpufeatures.h). A feature that Linux has no name for, or hides, is not shown.
"""

from __future__ import annotations

# each word's flags from bit 0 on; "-" is a bit without a name, "*N" stands for N of them
_WORDS = (
    # leaf 1, edx
    "fpu vme de pse tsc msr pae mce cx8 apic - sep mtrr pge mca cmov pat pse36 pn clflush - dts acpi mmx fxsr sse sse2 ss"
    " ht tm ia64 pbe",
    # leaf 1, ecx
    "pni pclmulqdq dtes64 monitor ds_cpl vmx smx est tm2 ssse3 cid sdbg fma cx16 xtpr pdcm - pcid dca sse4_1 sse4_2"
    " x2apic movbe popcnt tsc_deadline_timer aes xsave osxsave avx f16c rdrand hypervisor",
    # leaf 0x80000001, edx
    "*11 syscall *7 mp nx - mmxext *2 fxsr_opt pdpe1gb rdtscp - lm 3dnowext 3dnow",
    # leaf 0x80000001, ecx
    "lahf_lm cmp_legacy svm extapic cr8_legacy abm sse4a misalignsse 3dnowprefetch osvw ibs xop skinit wdt - lwp fma4 tce"
    " - nodeid_msr - tbm topoext perfctr_core perfctr_nb - bpext ptsc perfctr_llc mwaitx",
    # leaf 0xd.1, eax
    "xsaveopt xsavec xgetbv1 xsaves xfd",
    # leaf 7.0, ebx
    "fsgsbase tsc_adjust sgx bmi1 hle avx2 fdp_excptn_only smep bmi2 erms invpcid rtm cqm zero_fcs_fds mpx rdt_a avx512f"
    " avx512dq rdseed adx smap avx512ifma - clflushopt clwb intel_pt avx512pf avx512er avx512cd sha_ni avx512bw avx512vl",
    # leaf 7.0, ecx
    "- avx512vbmi umip pku ospke waitpkg avx512_vbmi2 user_shstk gfni vaes vpclmulqdq avx512_vnni avx512_bitalg tme"
    " avx512_vpopcntdq - la57 *5 rdpid - bus_lock_detect cldemote - movdiri movdir64b enqcmd sgx_lc",
    # leaf 0x80000007, edx
    "*8 nonstop_tsc - aperfmperf",
)


def feature_words(flags: frozenset[str]) -> str:
    """Eight words of eight hex digits, joined by colons."""
    return ":".join(f"{_word(names.split(), flags):08x}" for names in _WORDS)


def _word(names: list[str], flags: frozenset[str]) -> int:
    bit = word = 0
    for name in names:
        if name.startswith("*"):
            bit += int(name[1:])
            continue
        if name in flags:
            word |= 1 << bit
        bit += 1
    return word
