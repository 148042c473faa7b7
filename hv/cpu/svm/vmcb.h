#pragma once

/* The virtual machine control block (APM vol. 2, appendix B). */

#include "lib/x86.h"

/* Intercept vector 3 (offset 00Ch). */
enum {
    INT_INTR = 1 << 0,
    INT_NMI = 1 << 1,
    INT_INIT = 1 << 3,
    INT_VINTR = 1 << 4,
    INT_CR0_SEL_WRITE = 1 << 5,
    INT_RDPMC = 1 << 15,
    INT_CPUID = 1 << 18,
    INT_RSM = 1 << 19,
    INT_IRET = 1 << 20,
    INT_INVD = 1 << 22,
    INT_HLT = 1 << 24,
    INT_INVLPG = 1 << 25,
    INT_INVLPGA = 1 << 26,
    INT_IOIO = 1 << 27,
    INT_MSR = 1 << 28,
    INT_TASK_SWITCH = 1 << 29,
    INT_FERR_FREEZE = 1 << 30,
    INT_SHUTDOWN = 1u << 31,
};

/* Intercept vector 4 (offset 010h). */
enum {
    INT_VMRUN = 1 << 0,
    INT_VMMCALL = 1 << 1,
    INT_VMLOAD = 1 << 2,
    INT_VMSAVE = 1 << 3,
    INT_STGI = 1 << 4,
    INT_CLGI = 1 << 5,
    INT_SKINIT = 1 << 6,
    INT_WBINVD = 1 << 9,
    INT_MONITOR = 1 << 10,
    INT_MWAIT = 1 << 11,
    INT_MWAIT_ARMED = 1 << 12,
};

/* Virtual interrupt control (offset 060h). */
#define V_IRQ (1ull << 8)
#define V_IGN_TPR (1ull << 20)
#define V_INTR_MASKING (1ull << 24)
#define V_VECTOR_SHIFT 32
#define V_VECTOR (0xffull << V_VECTOR_SHIFT)

/* EVENTINJ and EXITINTINFO (APM vol. 2, 15.20). */
enum { SVM_EVENT_INTR = 0, SVM_EVENT_NMI = 2, SVM_EVENT_EXCEPTION = 3, SVM_EVENT_SOFT = 4 };
#define SVM_EVENT_TYPE(x) (((x) >> 8) & 7)
#define SVM_EVENT_ERROR (1ull << 11)
#define SVM_EVENT_VALID (1ull << 31)
#define SVM_EVENT_ERROR_SHIFT 32

/* Exit codes (APM vol. 2, appendix C). */
enum {
    VMEXIT_CR0_READ = 0x00,
    VMEXIT_CR0_WRITE = 0x10,
    VMEXIT_CR15_WRITE = 0x1f,
    VMEXIT_EXCP0 = 0x40,
    VMEXIT_EXCP31 = 0x5f,
    VMEXIT_INTR = 0x60,
    VMEXIT_NMI = 0x61,
    VMEXIT_INIT = 0x63,
    VMEXIT_VINTR = 0x64,
    VMEXIT_CR0_SEL_WRITE = 0x65,
    VMEXIT_RDPMC = 0x6f,
    VMEXIT_CPUID = 0x72,
    VMEXIT_RSM = 0x73,
    VMEXIT_IRET = 0x74,
    VMEXIT_INVD = 0x76,
    VMEXIT_HLT = 0x78,
    VMEXIT_INVLPG = 0x79,
    VMEXIT_INVLPGA = 0x7a,
    VMEXIT_IOIO = 0x7b,
    VMEXIT_MSR = 0x7c,
    VMEXIT_TASK_SWITCH = 0x7d,
    VMEXIT_FERR_FREEZE = 0x7e,
    VMEXIT_SHUTDOWN = 0x7f,
    VMEXIT_VMRUN = 0x80,
    VMEXIT_SKINIT = 0x86,
    VMEXIT_WBINVD = 0x89,
    VMEXIT_MONITOR = 0x8a,
    VMEXIT_MWAIT_ARMED = 0x8c,
};
#define VMEXIT_INVALID (~0ull)

/* EXITINFO2 of a task switch, above its error code (15.14.1). */
#define TASK_BY_IRET (1ull << 36)
#define TASK_BY_JMP (1ull << 38)
#define TASK_ERROR (1ull << 44)
#define TASK_RF (1ull << 48)

struct vmcb {
    u16 cr_read, cr_write, dr_read, dr_write;
    u32 exceptions, misc1, misc2;
    u8 reserved0[0x40 - 0x14];
    u64 iopm_hpa, msrpm_hpa, tsc_offset;
    u32 asid;
    u8 tlb_control;
    u8 reserved1[3];
    u64 v_intr;
    u64 int_shadow;
    u64 exit_code, exit_info1, exit_info2, exit_int_info;
    u64 np_enable;
    u8 reserved2[0xa8 - 0x98];
    u64 event_inject;
    u64 n_cr3, lbr_control, clean, next_rip;
    u8 insn_bytes_count, insn_bytes[15];
    u8 reserved3[0x400 - 0xe0];

    struct seg seg[SEG_COUNT];
    u8 reserved4[0xcb - 0xa0];
    u8 cpl;
    u32 reserved5;
    u64 efer;
    u8 reserved6[0x148 - 0xd8];
    u64 cr4, cr3, cr0, dr7, dr6, rflags, rip;
    u8 reserved7[0x1d8 - 0x180];
    u64 rsp;
    u8 reserved8[0x1f8 - 0x1e0];
    u64 rax, star, lstar, cstar, sfmask, kernel_gs_base, sysenter_cs, sysenter_esp, sysenter_eip,
        cr2;
    u8 reserved9[0x268 - 0x248];
    u64 g_pat;
    u8 reserved10[0xc00 - 0x270];
};

_Static_assert(offsetof(struct vmcb, iopm_hpa) == 0x40, "control area");
_Static_assert(offsetof(struct vmcb, exit_code) == 0x70, "control area");
_Static_assert(offsetof(struct vmcb, event_inject) == 0xa8, "control area");
_Static_assert(offsetof(struct vmcb, next_rip) == 0xc8, "control area");
_Static_assert(offsetof(struct vmcb, seg) == 0x400, "state-save area");
_Static_assert(offsetof(struct vmcb, efer) == 0x4d0, "state-save area");
_Static_assert(offsetof(struct vmcb, cr4) == 0x548, "state-save area");
_Static_assert(offsetof(struct vmcb, rsp) == 0x5d8, "state-save area");
_Static_assert(offsetof(struct vmcb, rax) == 0x5f8, "state-save area");
_Static_assert(offsetof(struct vmcb, cr2) == 0x640, "state-save area");
_Static_assert(offsetof(struct vmcb, g_pat) == 0x668, "state-save area");
_Static_assert(sizeof(struct vmcb) == 4096, "one page");
