/* Real mode as a virtual-8086 task: which states may be one, its flags, and the tables of its TSS. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cpu/vmx/vmx.h"
#include "mmu/mmu.h"

static u64 shadow_pdpt[4];

/* What real.c uses of the files around it. */
void vmx_update_cr(struct vcpu *v)
{
    (void)v;
}

hpa_t mmu_root(struct mmu_vcpu *v)
{
    (void)v;
    return (hpa_t)shadow_pdpt;
}

static struct vmx_vcpu vcpu;

/* The state in which a boot sector runs. */
static struct vcpu *boot_sector(void)
{
    memset(&vcpu, 0, sizeof vcpu);
    vcpu.vcpu.seg = vcpu.seg;
    vcpu_reset_segments(vcpu.seg);
    vcpu.seg[SEG_CS] = (struct seg){.attr = 0x93, .limit = 0xffff};
    vcpu.seg[SEG_DS] = (struct seg){.sel = 0x9fc0, .base = 0x9fc00, .attr = 0x93, .limit = 0xffff};
    vcpu.vcpu.rip = 0x7c00;
    vcpu.vcpu.rflags = RFLAGS_FIXED | RFLAGS_IF;
    return &vcpu.vcpu;
}

static void accepts_real_mode(void **state)
{
    (void)state;
    struct vcpu *v = boot_sector();
    assert_null(vmx_check_real(v));
    v->seg[SEG_CS].attr = 0x9b; /* as RESET leaves it */
    assert_null(vmx_check_real(v));
    v->seg[SEG_DS].attr = 0x893 | SEG_DB; /* big data segments: what is beyond 64 KiB exits */
    v->seg[SEG_DS].limit = 0xffffffff;
    assert_null(vmx_check_real(v));
    v->seg[SEG_SS].limit = 0xffffffff;
    assert_null(vmx_check_real(v));
}

static void refused(struct vcpu *v, const char *field)
{
    const char *got = vmx_check_real(v);
    assert_non_null(got);
    assert_non_null(strstr(got, field));
}

static void names_what_it_refuses(void **state)
{
    (void)state;
    struct vcpu *v = boot_sector();
    vcpu_reset_segments(v->seg);
    refused(v, "base"); /* CS at RESET: F000 with base FFFF0000 */
    for (unsigned n = SEG_ES; n <= SEG_GS; n++) {
        v = boot_sector();
        v->seg[n].base += 16; /* left over from protected mode */
        refused(v, "base");
        v = boot_sector();
        v->seg[n].limit = 0xfffe;
        refused(v, "limit");
        v = boot_sector();
        v->seg[n].attr = 0x97; /* grows downwards */
        refused(v, "access rights");
        v->seg[n].attr = 0x91; /* read-only */
        refused(v, "access rights");
        v->seg[n].attr = 0x13; /* not present: a null selector of protected mode */
        refused(v, "access rights");
    }
    v = boot_sector();
    v->seg[SEG_DS].attr = 0x9b;
    refused(v, "access rights");
    v = boot_sector();
    v->seg[SEG_CS].attr |= SEG_DB;
    refused(v, "CS.D");
    v = boot_sector();
    v->seg[SEG_SS].attr |= SEG_DB;
    refused(v, "SS.B");
    v = boot_sector();
    v->seg[SEG_IDTR].base = 0x1000;
    refused(v, "IDTR");
    v = boot_sector();
    v->seg[SEG_IDTR].limit = 0x3fe;
    refused(v, "IDTR");
    v = boot_sector();
    v->rip = 0x10000;
    refused(v, "IP");
}

static void hides_the_task_in_flags(void **state)
{
    (void)state;
    const u64 own = RFLAGS_VM | RFLAGS_IOPL | RFLAGS_VIF | RFLAGS_VIP;
    for (u64 iopl = 0; iopl < 4; iopl++) {
        u64 guest =
            RFLAGS_FIXED | RFLAGS_CF | RFLAGS_NT | RFLAGS_AC | RFLAGS_VIF | RFLAGS_VIP | iopl << 12;
        u64 task = vmx_real_flags(guest);
        assert_int_equal(task & own, RFLAGS_VM | RFLAGS_IOPL);
        assert_int_equal(task & ~own, guest & ~own);
        assert_int_equal(vmx_guest_flags(task, guest), guest);
        /* What ran has changed IF and ZF; its CLI and STI are not to be lost. */
        assert_int_equal(vmx_guest_flags(task ^ RFLAGS_IF ^ RFLAGS_ZF, guest),
                         guest ^ RFLAGS_IF ^ RFLAGS_ZF);
    }
}

static void *alloc(void *ctx, u64 bytes)
{
    void *p = aligned_alloc(PAGE_SIZE, bytes);
    *(void **)ctx = p;
    return memset(p, 0, bytes);
}

/* The linear address through the tables at pdpt; 0: not mapped. */
static u64 leaf(const u64 *pdpt, u64 la)
{
    u64 e = pdpt[la >> 30];
    for (int shift = 21; shift >= 12 && e & PTE_P; shift -= 9)
        e = ((const u64 *)(e & PAGE_MASK & ~PTE_NX))[la >> shift & 511];
    return e & PTE_P ? e : 0;
}

static const u8 *byte_at(const u64 *pdpt, u64 la)
{
    u64 e = leaf(pdpt, la);
    assert_int_not_equal(e, 0);
    assert_false(e & PTE_U);
    assert_false(e & PTE_W);
    return (const u8 *)(e & PAGE_MASK & ~PTE_NX) + (la & ~PAGE_MASK);
}

static void tss_is_out_of_reach(void **state)
{
    (void)state;
    void *memory = NULL;
    const u64 base = 0xc0000000; /* above what real mode reaches */
    boot_sector();
    assert_true(vmx_real_create(&vcpu, alloc, &memory));
    const u64 *pdpt = vcpu.real_pdpt;
    for (u64 la = 0; la < 0x110000; la += PAGE_SIZE)
        assert_int_equal(leaf(pdpt, la), 0);
    assert_int_equal(pdpt[1] | pdpt[2], 0);
    unsigned ports = *(const u16 *)byte_at(pdpt, base + 102);
    assert_true(ports >= 104 + 32);
    for (unsigned i = ports - 32; i < ports + 8192; i++) /* INT n to the vector table, all ports */
        assert_int_equal(*byte_at(pdpt, base + i), 0);
    assert_int_equal(*byte_at(pdpt, base + ports + 8192), 0xff);
    /* The guest's part follows the shadow. */
    shadow_pdpt[0] = 0x1234000 | PTE_P;
    assert_int_equal(vmx_real_root(&vcpu), (hpa_t)pdpt);
    assert_int_equal(pdpt[0], shadow_pdpt[0]);
    shadow_pdpt[0] = 0;
    vmx_real_root(&vcpu);
    assert_int_equal(pdpt[0], 0);
    free(memory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(accepts_real_mode),
        cmocka_unit_test(names_what_it_refuses),
        cmocka_unit_test(hides_the_task_in_flags),
        cmocka_unit_test(tss_is_out_of_reach),
    };
    return cmocka_run_group_tests_name("vmx-real", tests, NULL, NULL);
}
