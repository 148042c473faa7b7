/* SYSENTER and SYSEXIT (SDM vol. 3, 5.8.7). */

#include "../core/guest.h"

#define MSR_SYSENTER_CS 0x174
#define MSR_SYSENTER_ESP 0x175
#define MSR_SYSENTER_EIP 0x176

extern volatile u32 sysenter_seen, sysenter_esp, sysenter_cs, sysenter_ss;
void sysenter_user(void);
void sysenter_entry(void);

TEST(sysenter, "SYSENTER and SYSEXIT")
{
    static u8 stack[256];
    if (!(cpuid(1, 0).edx & 1 << 11)) {
        test_skip("the CPU has none");
        return;
    }
    wrmsr(MSR_SYSENTER_CS, SEL_CODE);
    wrmsr(MSR_SYSENTER_ESP, (ulong)(stack + sizeof stack));
    wrmsr(MSR_SYSENTER_EIP, (ulong)sysenter_entry);
    for (unsigned i = 0; i < 10; i++) {
        sysenter_seen = 0;
        CHECK_EQ(user_run(sysenter_user, 0), NO_TRAP);
        CHECK_EQ(sysenter_seen, 0x103);
        CHECK_EQ(sysenter_esp, (ulong)(stack + sizeof stack));
        CHECK_EQ(sysenter_cs & 0xffff, SEL_CODE);
        CHECK_EQ(sysenter_ss & 0xffff, SEL_DATA);
        CHECK_EQ(trap_last.cs, SEL_UCODE);
    }
    wrmsr(MSR_SYSENTER_CS, 0);
    CHECK_EQ(user_run(sysenter_user, 0), GP);
    CHECK_EQ(trap_last.error, 0);
}
