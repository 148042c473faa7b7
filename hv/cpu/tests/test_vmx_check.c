/* The checks of VM entry: a good state passes, and each that is broken is named. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "cpu/vmx/vmx.h"

const char *vmx_check_real(const struct vcpu *v)
{
    (void)v;
    return "real mode";
}

static const struct vmx_limits limits = {
    .cr0_fixed = {CR0_PG | CR0_NE | CR0_PE, 0xffffffff},
    .cr4_fixed = {CR4_VMXE, 0x467ff},
    .maxphyaddr = 36,
    .activities = 1,
};

static struct vmx_fields good(void)
{
    return (struct vmx_fields){
        .cr0 = CR0_PG | CR0_NE | CR0_PE | CR0_WP,
        .cr3 = 0x1000,
        .cr4 = CR4_VMXE | CR4_PAE,
        .dr7 = 0x400,
        .rflags = RFLAGS_FIXED | RFLAGS_IF,
        .link = ~0ull,
        .pdpte = {0x2000 | PTE_P, 0, ~1ull, 0x3000 | PTE_P},
        .entry_controls = ENTRY_LOAD_DEBUG,
    };
}

#define BREAKS(name, change)                                                                       \
    do {                                                                                           \
        struct vmx_fields f = good();                                                              \
        change;                                                                                    \
        const char *got = vmx_check_fields(&f, &limits);                                           \
        assert_non_null(got);                                                                      \
        if (!strstr(got, name))                                                                    \
            fail_msg("expected \"%s\", got \"%s\"", name, got);                                    \
    } while (0)

#define PASSES(change)                                                                             \
    do {                                                                                           \
        struct vmx_fields f = good();                                                              \
        change;                                                                                    \
        assert_null(vmx_check_fields(&f, &limits));                                                \
    } while (0)

#define EVENT(type, vector) (VMX_EVENT_VALID | (type) << 8 | (vector))

static void names_registers(void **state)
{
    (void)state;
    PASSES((void)f);
    PASSES(f.entry_controls |= ENTRY_IA32E);
    BREAKS("CR0: a bit", f.cr0 &= ~CR0_NE);
    BREAKS("CR0: a bit", f.cr0 |= 1ull << 32);
    BREAKS("CR4: a bit", f.cr4 &= ~CR4_VMXE);
    BREAKS("CR4: a bit", f.cr4 |= CR4_SMEP);
    BREAKS("IA-32e", f.entry_controls |= ENTRY_IA32E; f.cr4 &= ~CR4_PAE);
    BREAKS("CR3", f.cr3 = 1ull << 36);
    BREAKS("DEBUGCTL", f.debugctl = 1ull << 2);
    BREAKS("DR7", f.dr7 |= 1ull << 32);
    PASSES(f.dr7 |= 1ull << 32; f.entry_controls = 0);
    BREAKS("SYSENTER", f.sysenter_esp = 1ull << 47);
    BREAKS("SYSENTER", f.sysenter_eip = 1ull << 63);
    BREAKS("link", f.link = 0);

    struct vmx_limits unrestricted = limits;
    unrestricted.cr0_fixed[0] = CR0_NE;
    struct vmx_fields f = good();
    f.cr0 &= ~CR0_PE;
    assert_non_null(strstr(vmx_check_fields(&f, &unrestricted), "CR0.PG without"));
    unrestricted.cr4_fixed[1] |= CR4_PCIDE;
    f = good();
    f.cr4 |= CR4_PCIDE;
    assert_non_null(strstr(vmx_check_fields(&f, &unrestricted), "PCIDE"));
    f.entry_controls |= ENTRY_IA32E;
    assert_null(vmx_check_fields(&f, &unrestricted));
}

static void names_activity(void **state)
{
    (void)state;
    PASSES(f.activity = 1);
    BREAKS("activity state", f.activity = 4);
    BREAKS("activity state", f.activity = 2); /* one that this CPU has not */
    BREAKS("SS.DPL", f.activity = 1; f.ss_dpl = 3);
    BREAKS("blocking by STI", f.activity = 1; f.interruptibility = BLOCKED_STI);
    BREAKS("injected event", f.activity = 1; f.event = EVENT(VMX_EVENT_SOFT, 0x80));
    PASSES(f.activity = 1; f.event = EVENT(VMX_EVENT_INTR, 0x30));

    struct vmx_limits all = limits;
    all.activities = 7;
    struct vmx_fields f = good();
    f.activity = 2;
    assert_null(vmx_check_fields(&f, &all));
    f.event = EVENT(VMX_EVENT_INTR, 0x30);
    assert_non_null(strstr(vmx_check_fields(&f, &all), "injected event"));
    f.event = EVENT(VMX_EVENT_NMI, VEC_NMI);
    assert_null(vmx_check_fields(&f, &all));
    f.activity = 3;
    assert_non_null(strstr(vmx_check_fields(&f, &all), "injected event"));
}

static void names_interruptibility(void **state)
{
    (void)state;
    PASSES(f.interruptibility = BLOCKED_STI);
    PASSES(f.interruptibility = BLOCKED_MOV_SS; f.rflags &= ~RFLAGS_IF);
    BREAKS("reserved", f.interruptibility = 1u << 4);
    BREAKS("at once", f.interruptibility = BLOCKED_STI | BLOCKED_MOV_SS);
    BREAKS("IF clear", f.interruptibility = BLOCKED_STI; f.rflags &= ~RFLAGS_IF);
    BREAKS("SMI", f.interruptibility = BLOCKED_SMI);
    BREAKS("injected interrupt", f.interruptibility = BLOCKED_STI;
           f.event = EVENT(VMX_EVENT_INTR, 0x30));
    BREAKS("RFLAGS.IF", f.rflags &= ~RFLAGS_IF; f.event = EVENT(VMX_EVENT_INTR, 0x30));
    PASSES(f.rflags &= ~RFLAGS_IF; f.event = EVENT(VMX_EVENT_EXCEPTION, VEC_UD));
    BREAKS("injected NMI", f.interruptibility = BLOCKED_MOV_SS;
           f.event = EVENT(VMX_EVENT_NMI, VEC_NMI));
    BREAKS("injected NMI", f.interruptibility = BLOCKED_NMI;
           f.event = EVENT(VMX_EVENT_NMI, VEC_NMI));
    PASSES(f.interruptibility = BLOCKED_NMI; f.event = EVENT(VMX_EVENT_EXCEPTION, VEC_UD));
}

static void names_pending_traps(void **state)
{
    (void)state;
    PASSES(f.rflags |= RFLAGS_TF);
    PASSES(f.rflags |= RFLAGS_TF; f.interruptibility = BLOCKED_STI; f.pending_debug = PENDING_BS);
    BREAKS("BS", f.rflags |= RFLAGS_TF; f.interruptibility = BLOCKED_STI);
    BREAKS("BS", f.interruptibility = BLOCKED_MOV_SS; f.pending_debug = PENDING_BS);
    BREAKS("BS", f.activity = 1; f.pending_debug = PENDING_BS);
    PASSES(f.rflags |= RFLAGS_TF; f.interruptibility = BLOCKED_STI; f.debugctl = 2);
    BREAKS("reserved", f.pending_debug = 1u << 13);
}

static void names_pdptes(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 4; i++) {
        BREAKS("PDPTE", f.pdpte[i] = 0x2000 | PTE_P | PTE_W);
        BREAKS("PDPTE", f.pdpte[i] = 1ull << 36 | PTE_P);
        PASSES(f.pdpte[i] = 0x2000 | PTE_P | PTE_W; f.entry_controls |= ENTRY_IA32E);
    }
}

static struct seg segs[SEG_COUNT];

/* 32-bit code at privilege 3 with flat segments. */
static struct vcpu user_program(void)
{
    for (unsigned n = SEG_ES; n <= SEG_GS; n++)
        segs[n] = (struct seg){.sel = 0x2b, .attr = 0xcf3, .limit = ~0u};
    segs[SEG_CS] = (struct seg){.sel = 0x23, .attr = 0xcfb, .limit = ~0u};
    segs[SEG_LDTR] = (struct seg){0};
    segs[SEG_TR] = (struct seg){.sel = 0x30, .attr = 0x8b, .limit = 0x67};
    segs[SEG_GDTR] = segs[SEG_IDTR] = (struct seg){.base = 0x1000, .limit = 0x7ff};
    return (struct vcpu){.seg = segs, .cr0 = CR0_PE, .rip = 0x8048000, .rflags = RFLAGS_FIXED};
}

#define BAD_GUEST(name, change)                                                                    \
    do {                                                                                           \
        struct vcpu v = user_program();                                                            \
        change;                                                                                    \
        const char *got = vmx_check_guest(&v);                                                     \
        assert_non_null(got);                                                                      \
        if (!strstr(got, name))                                                                    \
            fail_msg("expected \"%s\", got \"%s\"", name, got);                                    \
    } while (0)

static void names_segments(void **state)
{
    (void)state;
    struct vcpu program = user_program();
    assert_null(vmx_check_guest(&program));
    BAD_GUEST("real mode", v.cr0 = 0);
    BAD_GUEST("CS access", segs[SEG_CS].attr = 0xcf3);
    BAD_GUEST("CS.DPL", segs[SEG_CS].attr = 0xc9b);
    BAD_GUEST("CS.D with", v.efer = EFER_LMA; segs[SEG_CS].attr |= SEG_L);
    BAD_GUEST("CS base", segs[SEG_CS].base = 1ull << 32);
    BAD_GUEST("CS.G", segs[SEG_CS].limit = 0xfffffffe);
    BAD_GUEST("CS.G", segs[SEG_CS].attr &= ~SEG_G);
    BAD_GUEST("SS.RPL", segs[SEG_SS].sel = 0x28);
    BAD_GUEST("CS.DPL", segs[SEG_SS].attr = 0xc93);
    BAD_GUEST("SS access", segs[SEG_SS].attr = 0xcf1);
    BAD_GUEST("data segment access", segs[SEG_DS].attr = 0xcf2);
    BAD_GUEST("data segment DPL", segs[SEG_ES].attr = 0xc93);
    BAD_GUEST("FS or GS", segs[SEG_FS].base = 1ull << 48);
    BAD_GUEST("TR", segs[SEG_TR].attr = 0x89);
    BAD_GUEST("LDTR", segs[SEG_LDTR].attr = 0x89);
    BAD_GUEST("GDTR", segs[SEG_GDTR].limit = 0x10000);
    BAD_GUEST("IDTR", segs[SEG_IDTR].base = 1ull << 48);
    BAD_GUEST("RIP", v.rip = 1ull << 32);
    BAD_GUEST("RFLAGS", v.rflags = 0);
    BAD_GUEST("RFLAGS", v.rflags |= 1u << 15);
}

static void names_v86(void **state)
{
    (void)state;
    struct vcpu v = user_program();
    v.rflags |= RFLAGS_VM;
    v.rip = 0x100;
    for (unsigned n = SEG_ES; n <= SEG_GS; n++)
        segs[n] = (struct seg){.sel = 0x1000, .base = 0x10000, .attr = 0xf3, .limit = 0xffff};
    assert_null(vmx_check_guest(&v));
    for (unsigned n = SEG_ES; n <= SEG_GS; n++) {
        struct seg keep = segs[n];
        segs[n].base = 0;
        assert_non_null(strstr(vmx_check_guest(&v), "base"));
        segs[n] = keep;
        segs[n].limit = 0xfffff;
        assert_non_null(strstr(vmx_check_guest(&v), "limit"));
        segs[n] = keep;
        segs[n].attr = 0x93;
        assert_non_null(strstr(vmx_check_guest(&v), "access rights"));
        segs[n] = keep;
    }
    v.efer = EFER_LMA;
    assert_non_null(strstr(vmx_check_guest(&v), "RFLAGS.VM"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_registers),
        cmocka_unit_test(names_activity),
        cmocka_unit_test(names_interruptibility),
        cmocka_unit_test(names_pending_traps),
        cmocka_unit_test(names_pdptes),
        cmocka_unit_test(names_segments),
        cmocka_unit_test(names_v86),
    };
    return cmocka_run_group_tests_name("vmx-check", tests, NULL, NULL);
}
