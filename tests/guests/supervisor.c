/* What CR4.SMEP and SMAP keep ring 0 from, and other rules of paging for it (SDM vol. 3, 4.6). */

#include "pages.h"

enum { IDENTITY = 16 << 20 };

/* The identity map with U or without: ring 0 runs in it. */
static void identity_user(bool on)
{
    for (u8 *va = NULL; va < (u8 *)IDENTITY; va += paging_large_level2_bytes()) {
        u64 entry = paging_get(va, 2);
        paging_set(va, 2, on ? entry | PTE_U : entry & ~(u64)PTE_U);
    }
    write_cr3(read_cr3());
}

static bool leaf7(unsigned bit)
{
    return cpuid(0, 0).eax >= 7 && cpuid(7, 0).ebx >> bit & 1;
}

static void call_window(void)
{
    __asm__ volatile("call *%0" : : "r"(WINDOW) : "memory");
}

TEST_PAGED(smep, "CR4.SMEP: ring 0 does not fetch from pages of ring 3")
{
    u8 *page = page_alloc();
    if (!leaf7(7)) {
        test_skip("the CPU has none");
        return;
    }
    *page = 0xc3;
    paging_map(WINDOW, page, PTE_ALL);
    CHECK_EQ(CATCH(call_window()), NO_TRAP);
    identity_user(false);
    for (unsigned i = 0; i < 3; i++) {
        write_cr4(read_cr4() | CR4_SMEP);
        CHECK_EQ(CATCH(call_window()), PF);
        CHECK_EQ(trap_last.error, PF_P | PF_I);
        CHECK_EQ(trap_last.cr2, (ulong)WINDOW);
        CHECK_EQ(CATCH((void)seen(WINDOW)), NO_TRAP);
        CHECK_EQ(CATCH(*(volatile u8 *)WINDOW = 0xc3), NO_TRAP);
        paging_map(WINDOW, page, PTE_P | PTE_W);
        CHECK_EQ(CATCH(call_window()), NO_TRAP);
        paging_map(WINDOW, page, PTE_ALL);
        write_cr4(read_cr4() & ~CR4_SMEP);
        CHECK_EQ(CATCH(call_window()), NO_TRAP);
    }
    identity_user(true);
}

static ulong with_ac(bool write)
{
    return (ulong)(write ? CATCH(__asm__ volatile("pushf; orl $0x40000, (%%" LONG_OR_SHORT(
                                                      "rsp", "esp") "); popf; movb $1, (%0)"
                                                  :
                                                  : "r"(WINDOW)
                                                  : "memory", "cc"))
                         : CATCH(__asm__ volatile("stac; movb (%0), %%al; clac"
                                                  :
                                                  : "r"(WINDOW)
                                                  : "memory", "cc", "eax")));
}

TEST_PAGED(smap, "CR4.SMAP: ring 0 touches data of ring 3 with EFLAGS.AC only")
{
    u8 *page = page_alloc();
    if (!leaf7(20)) {
        test_skip("the CPU has none");
        return;
    }
    paging_map(WINDOW, page, PTE_ALL);
    (void)seen(WINDOW);
    identity_user(false);
    ulong flags = read_flags();
    for (unsigned i = 0; i < 3; i++) {
        write_cr4(read_cr4() | CR4_SMAP);
        write_flags(flags & ~FLAG_AC);
        CHECK_EQ(CATCH((void)seen(WINDOW)), PF);
        CHECK_EQ(trap_last.error, PF_P);
        CHECK_EQ(CATCH(*(volatile u8 *)WINDOW = 1), PF);
        CHECK_EQ(trap_last.error, PF_P | PF_W);
        CHECK_EQ(with_ac(false), (ulong)NO_TRAP);
        CHECK_EQ(with_ac(true), (ulong)NO_TRAP);
        write_flags(flags & ~FLAG_AC);
        paging_map(WINDOW, page, PTE_P | PTE_W);
        CHECK_EQ(CATCH((void)seen(WINDOW)), NO_TRAP);
        paging_map(WINDOW, page, PTE_ALL);
        write_cr4(read_cr4() & ~CR4_SMAP);
        CHECK_EQ(CATCH((void)seen(WINDOW)), NO_TRAP);
    }
    identity_user(true);
    CHECK_EQ(CATCH(__asm__ volatile("stac; clac")), NO_TRAP);
}

TEST_PAGED(wp_off, "CR0.WP off: ring 0 writes read-only pages, and on again it faults")
{
    u8 *page = page_alloc();
    ulong cr0 = read_cr0();
    paging_map(WINDOW, page, PTE_P | PTE_U);
    for (unsigned i = 1; i < 6; i++) {
        write_cr0(cr0 & ~CR0_WP);
        CHECK_EQ(CATCH(*(volatile u8 *)WINDOW = (u8)i), NO_TRAP);
        CHECK_EQ(*page, i);
        write_cr0(cr0 | CR0_WP);
        CHECK_EQ(CATCH(*(volatile u8 *)WINDOW = 99), PF);
        CHECK_EQ(trap_last.error, PF_P | PF_W);
        CHECK_EQ(seen(WINDOW), i);
    }
    CHECK_EQ(paging_get(WINDOW, 1) & (PTE_A | PTE_D), PTE_A | PTE_D);
}

TEST_PAGED(ad_levels, "A in every entry of the way, D in the last one only")
{
    u8 *page = page_alloc();
    for (unsigned write = 0; write < 2; write++) {
        paging_map(WINDOW, page, PTE_ALL);
        for (unsigned level = mode->levels; level > 1; level--)
            if (mode->levels != 3 || level != 3)
                paging_set(WINDOW, level, paging_get(WINDOW, level) & ~(u64)(PTE_A | PTE_D));
        write_cr3(read_cr3());
        if (write)
            *(volatile u8 *)WINDOW = 1;
        else
            (void)seen(WINDOW);
        for (unsigned level = mode->levels; level >= 1; level--) {
            if (mode->levels == 3 && level == 3)
                continue; /* a PDPTE has neither */
            u64 want = PTE_A | (write && level == 1 ? PTE_D : 0);
            CHECK_EQ(paging_get(WINDOW, level) & (PTE_A | PTE_D), want);
            CONTEXT("# level %u write %u\n", level, write);
        }
    }
}

TEST_PAGED(ad_large, "A and D of a large page, on a read and on a write")
{
    const u64 entry = 8 << 20 | PTE_ALL | PTE_PS;
    for (unsigned i = 0; i < 3; i++) {
        paging_set(WINDOW, 2, entry);
        (void)seen(WINDOW + 7 * PAGE);
        CHECK_EQ(paging_get(WINDOW, 2), entry | PTE_A);
        *(volatile u8 *)(WINDOW + 9 * PAGE) = 1;
        CHECK_EQ(paging_get(WINDOW, 2), entry | PTE_A | PTE_D);
    }
}

TEST_PAGED(a_code, "A is set by a fetch, D is not")
{
    u8 *page = page_alloc();
    *page = 0xc3;
    paging_map(WINDOW, page, PTE_P | PTE_W);
    call_window();
    CHECK_EQ(paging_get(WINDOW, 1) & (PTE_A | PTE_D), PTE_A);
}

TEST_PAGED(invlpg_large, "INVLPG of any address in a large page drops it")
{
    unsigned bytes = paging_large_level2_bytes();
    volatile u8 *a = (u8 *)(8 << 20), *b = (u8 *)(12 << 20);
    a[5 * PAGE] = 1;
    b[5 * PAGE] = 2;
    for (unsigned i = 0; i < 6; i++) {
        paging_set(WINDOW, 2, (i & 1 ? (ulong)b : (ulong)a) | PTE_ALL | PTE_PS);
        CHECK_EQ(seen(WINDOW + 5 * PAGE), (i & 1) + 1);
        if (mode->entry_bytes == 4)
            *(volatile u32 *)paging_entry(WINDOW, 2) =
                (u32)(i & 1 ? (ulong)a : (ulong)b) | PTE_ALL | PTE_PS;
        else
            *(volatile u64 *)paging_entry(WINDOW, 2) =
                (i & 1 ? (ulong)a : (ulong)b) | PTE_ALL | PTE_PS;
        invlpg(WINDOW + bytes - PAGE);
        CHECK_EQ(seen(WINDOW + 5 * PAGE), 2 - (i & 1));
    }
}

TEST_PAGED(global_invlpg, "INVLPG drops global pages too, MOV to CR3 need not")
{
    u8 *page[2] = {tagged(1), tagged(2)};
    write_cr4(read_cr4() | CR4_PGE);
    for (unsigned i = 0; i < 6; i++) {
        paging_map(WINDOW, page[i & 1], PTE_ALL | PTE_G);
        CHECK_EQ(seen(WINDOW), (i & 1) + 1);
        write_cr3(read_cr3());
        CHECK_EQ(seen(WINDOW), (i & 1) + 1);
    }
    write_cr4(read_cr4() & ~CR4_PGE);
}

/* ---- Code over the end of a page ---- */

static u8 *second_page;
static unsigned second_faults;
static ulong second_error, second_ip;

static bool map_second(struct frame *f)
{
    if (read_cr2() != (ulong)WINDOW + PAGE)
        return false;
    second_faults++;
    second_error = f->error;
    second_ip = f->ip;
    paging_map(WINDOW + PAGE, second_page, PTE_ALL);
    return true;
}

static void code_over_end(u64 second, ulong error)
{
    static const u8 code[] = {0xb8, 0x44, 0x33, 0x22, 0x11, 0xc3}; /* MOV EAX, imm32; RET */
    u8 *first = page_alloc();
    ulong ax;
    second_page = page_alloc();
    memcpy(first + PAGE - 2, code, 2);
    memcpy(second_page, code + 2, 4);
    paging_map(WINDOW, first, PTE_ALL);
    paging_set(WINDOW + PAGE, 1, second);
    second_faults = 0;
    trap_handle(PF, map_second);
    __asm__ volatile("call *%1" : "=a"(ax) : "r"(WINDOW + PAGE - 2) : "memory");
    trap_handle(PF, NULL);
    CHECK_EQ(ax, 0x11223344);
    CHECK_EQ(second_faults, 1);
    CHECK_EQ(second_error, error);
    CHECK_EQ(second_ip, (ulong)WINDOW + PAGE - 2);
}

TEST_PAGED(code_crosses, "an instruction over the end of a page: the second page is absent")
{
    code_over_end(0, has_nx() ? PF_I : 0);
}

TEST_PAGED(code_crosses_nx, "an instruction over the end of a page: the second page is no code")
{
    if (!has_nx()) {
        test_skip("no NX in this mode");
        return;
    }
    code_over_end((ulong)page_alloc() | PTE_ALL | PTE_NX, PF_P | PF_I);
}

TEST_PAGED(code_changes_itself, "code that changes the instruction behind it runs the new one")
{
    /* MOV byte [DI], imm8 to the MOV's operand; JMP over nothing; MOV EAX, imm32; RET */
    static const u8 code[] = {0xc6, 0x07, 0x5a, 0xeb, 0x00, 0xb8, 0, 0, 0, 0, 0xc3};
    u8 *page = page_alloc();
    ulong ax;
    memcpy(page, code, sizeof code);
    paging_map(WINDOW, page, PTE_ALL);
    for (unsigned i = 0; i < 10; i++) {
        page[2] = (u8)(i + 1);
        (void)cpuid(0, 0);
        __asm__ volatile("call *%1" : "=a"(ax) : "r"(WINDOW), "D"(WINDOW + 6) : "memory");
        CHECK_EQ(ax, i + 1);
    }
}

/* ---- Memory and device memory at once ---- */

#define TEXT_PAGE ((void *)0xb8000)

TEST_PAGED(ram_and_device, "accesses over the border between memory and device memory")
{
    u8 *page = page_alloc();
    volatile u8 *text = TEXT_PAGE;
    u8 saved[8];
    for (unsigned i = 0; i < 8; i++)
        saved[i] = text[i];
    paging_map(WINDOW, page, PTE_ALL);
    paging_map(WINDOW + PAGE, TEXT_PAGE, PTE_ALL);
    volatile u8 *end = WINDOW + PAGE;
    *(volatile u32 *)(end - 2) = 0x44332211;
    CHECK_EQ(page[PAGE - 2], 0x11);
    CHECK_EQ(page[PAGE - 1], 0x22);
    CHECK_EQ(text[0], 0x33);
    CHECK_EQ(text[1], 0x44);
    CHECK_EQ(*(volatile u32 *)(end - 2), 0x44332211);
    CHECK_EQ(*(volatile u16 *)(end - 1), 0x3322);
    __asm__ volatile("addl $0x01010101, %0" : "+m"(*(volatile u32 *)(end - 3)));
    CHECK_EQ(page[PAGE - 1], 0x23);
    CHECK_EQ(text[0], 0x34);
    const u8 *from = (const u8 *)"12345678";
    volatile u8 *to = end - 4;
    ulong n = 8;
    __asm__ volatile("rep movsb" : "+S"(from), "+D"(to), "+c"(n) : : "memory");
    CHECK_EQ(page[PAGE - 1], '4');
    CHECK_EQ(text[0], '5');
    CHECK_EQ(text[3], '8');
    paging_map(WINDOW + 2 * PAGE, page, PTE_ALL); /* behind it: memory again */
    volatile u8 *last = (volatile u8 *)TEXT_PAGE + PAGE - 2;
    u8 a = last[0], b = last[1];
    *(volatile u32 *)(WINDOW + 2 * PAGE - 2) = 0x88776655;
    CHECK_EQ(last[0], 0x55);
    CHECK_EQ(last[1], 0x66);
    CHECK_EQ(page[0], 0x77);
    CHECK_EQ(page[1], 0x88);
    last[0] = a;
    last[1] = b;
    for (unsigned i = 0; i < 8; i++)
        text[i] = saved[i];
}

TEST_PAGED(locked_device, "locked instructions on device memory")
{
    volatile u32 *cell = (volatile u32 *)0xb8ff0;
    u32 home = *cell, ax = 5;
    *cell = 5;
    __asm__ volatile("lock cmpxchg %2, %1" : "+a"(ax), "+m"(*cell) : "r"(9) : "cc");
    CHECK_EQ(*cell, 9);
    __asm__ volatile("lock cmpxchg %2, %1" : "+a"(ax), "+m"(*cell) : "r"(11) : "cc");
    CHECK_EQ(ax, 9);
    u32 add = 4;
    __asm__ volatile("lock xadd %0, %1" : "+r"(add), "+m"(*cell) : : "cc");
    CHECK_EQ(add, 9);
    CHECK_EQ(*cell, 13);
    __asm__ volatile("lock btsl $4, %0; lock orb $0x80, 1+%0; lock negl %0" : "+m"(*cell) : : "cc");
    CHECK_EQ(*cell, -(0x801du));
    *cell = home;
}

TEST_PAGED(device_stack, "PUSH, POP, CALL and RET with the stack in device memory")
{
    ulong got;
    volatile u32 *top = (volatile u32 *)0xb8f80;
    __asm__ volatile(
        "mov %%" LONG_OR_SHORT("rsp", "esp") ", %%" LONG_OR_SHORT(
            "rbx", "ebx") "\n"
                          "mov %1, %%" LONG_OR_SHORT(
                              "rsp", "esp") "\n"
                                            "push $0x1234\n"
                                            "call 1f\n"
                                            "jmp 2f\n"
                                            "1: ret\n"
                                            "2: pop %0\n"
                                            "mov %%" LONG_OR_SHORT(
                                                "rbx", "ebx") ", %%" LONG_OR_SHORT("rsp", "esp")
        : "=&a"(got)
        : "r"(top)
        : "ebx", "memory");
    CHECK_EQ(got, 0x1234);
}

static ulong fault_cx, fault_si, fault_di, fault_error;

static bool note_string(struct frame *f)
{
    fault_cx = f->cx;
    fault_si = f->si;
    fault_di = f->di;
    fault_error = f->error;
    return false;
}

TEST_PAGED(outs_faults, "REP OUTSB stops at a page fault with its registers at the element")
{
    paging_map(WINDOW, page_alloc(), PTE_ALL);
    paging_set(WINDOW + PAGE, 1, 0);
    trap_handle(PF, note_string);
    CHECK_EQ(CATCH(__asm__ volatile("rep outsb"
                                    :
                                    : "S"(WINDOW + PAGE - 10), "c"(100), "d"(0xee)
                                    : "memory")),
             PF);
    trap_handle(PF, NULL);
    CHECK_EQ(fault_cx, 90);
    CHECK_EQ(fault_si, (ulong)WINDOW + PAGE);
    CHECK_EQ(trap_last.cr2, (ulong)WINDOW + PAGE);
    CHECK_EQ(fault_error, 0);
}

TEST_PAGED(ins_faults, "REP INSB stops at a read-only page with its registers at the element")
{
    paging_map(WINDOW, page_alloc(), PTE_ALL);
    paging_map(WINDOW + PAGE, page_alloc(), PTE_P);
    trap_handle(PF, note_string);
    CHECK_EQ(CATCH(__asm__ volatile("rep insb"
                                    :
                                    : "D"(WINDOW + PAGE - 10), "c"(100), "d"(0x240)
                                    : "memory")),
             PF);
    trap_handle(PF, NULL);
    CHECK_EQ(fault_cx, 90);
    CHECK_EQ(fault_di, (ulong)WINDOW + PAGE);
    CHECK_EQ(fault_error, PF_P | PF_W);
}

TEST_PAGED(movs_faults, "REP MOVSB between device memory and an absent page")
{
    paging_map(WINDOW, page_alloc(), PTE_ALL);
    paging_set(WINDOW + PAGE, 1, 0);
    trap_handle(PF, note_string);
    CHECK_EQ(CATCH(__asm__ volatile("rep movsb"
                                    :
                                    : "S"(0xb8000), "D"(WINDOW + PAGE - 10), "c"(100)
                                    : "memory")),
             PF);
    trap_handle(PF, NULL);
    CHECK_EQ(fault_cx, 90);
    CHECK_EQ(fault_di, (ulong)WINDOW + PAGE);
    CHECK_EQ(fault_si, 0xb8000 + 10);
    CHECK_EQ(fault_error, PF_W);
}
