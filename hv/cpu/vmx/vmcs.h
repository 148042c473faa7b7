#pragma once

/* The virtual-machine control structure: fields, controls and exit reasons (SDM vol. 3, appendices A to
 * C), and the instructions that reach them. */

#include "lib/x86.h"

/* Capability MSRs (SDM vol. 3, appendix A). */
#define MSR_FEATURE_CONTROL 0x3a
#define FEATURE_LOCKED (1u << 0)
#define FEATURE_VMX (1u << 2)
#define MSR_VMX_BASIC 0x480
#define MSR_VMX_PIN 0x481
#define MSR_VMX_PROC 0x482
#define MSR_VMX_EXIT 0x483
#define MSR_VMX_ENTRY 0x484
#define MSR_VMX_MISC 0x485
#define MSR_VMX_MISC 0x485
#define MSR_VMX_CR0_FIXED0 0x486
#define MSR_VMX_CR0_FIXED1 0x487
#define MSR_VMX_CR4_FIXED0 0x488
#define MSR_VMX_CR4_FIXED1 0x489

/* Pin-based controls (24.6.1). */
enum { PIN_INTR = 1 << 0, PIN_NMI = 1 << 3, PIN_VIRTUAL_NMI = 1 << 5 };

/* Primary processor-based controls (24.6.2). */
enum {
    PROC_INTR_WINDOW = 1 << 2,
    PROC_TSC_OFFSET = 1 << 3,
    PROC_HLT = 1 << 7,
    PROC_INVLPG = 1 << 9,
    PROC_MWAIT = 1 << 10,
    PROC_RDPMC = 1 << 11,
    PROC_CR3_LOAD = 1 << 15,
    PROC_CR3_STORE = 1 << 16,
    PROC_CR8_LOAD = 1 << 19,
    PROC_CR8_STORE = 1 << 20,
    PROC_TPR_SHADOW = 1 << 21,
    PROC_NMI_WINDOW = 1 << 22,
    PROC_IO_BITMAPS = 1 << 25,
    PROC_MSR_BITMAPS = 1 << 28,
    PROC_MONITOR = 1 << 29,
};

/* VM-exit and VM-entry controls (24.7.1, 24.8.1). */
enum { EXIT_SAVE_DEBUG = 1 << 2, EXIT_HOST_64 = 1 << 9 };
enum { ENTRY_LOAD_DEBUG = 1 << 2, ENTRY_IA32E = 1 << 9 };

/* Field encodings (appendix B). */
enum vmcs_field {
    GUEST_ES_SEL = 0x800, /* ES CS SS DS FS GS LDTR TR, each 2 on */
    GUEST_TR_SEL = 0x80e,
    HOST_ES_SEL = 0xc00,
    HOST_CS_SEL = 0xc02,
    HOST_SS_SEL = 0xc04,
    HOST_DS_SEL = 0xc06,
    HOST_FS_SEL = 0xc08,
    HOST_GS_SEL = 0xc0a,
    HOST_TR_SEL = 0xc0c,
    IO_BITMAP_A = 0x2000,
    IO_BITMAP_B = 0x2002,
    MSR_BITMAP = 0x2004,
    TSC_OFFSET = 0x2010,
    VIRTUAL_APIC = 0x2012,
    VMCS_LINK = 0x2800,
    GUEST_DEBUGCTL = 0x2802,
    PIN_CONTROLS = 0x4000,
    PROC_CONTROLS = 0x4002,
    EXCEPTION_BITMAP = 0x4004,
    PFEC_MASK = 0x4006,
    PFEC_MATCH = 0x4008,
    CR3_TARGETS = 0x400a,
    EXIT_CONTROLS = 0x400c,
    EXIT_MSR_STORES = 0x400e,
    EXIT_MSR_LOADS = 0x4010,
    ENTRY_CONTROLS = 0x4012,
    ENTRY_MSR_LOADS = 0x4014,
    ENTRY_INTR_INFO = 0x4016,
    ENTRY_ERROR_CODE = 0x4018,
    ENTRY_INSN_LENGTH = 0x401a,
    TPR_THRESHOLD = 0x401c,
    INSN_ERROR = 0x4400,
    EXIT_REASON = 0x4402,
    EXIT_INTR_INFO = 0x4404,
    EXIT_ERROR_CODE = 0x4406,
    IDT_VECTORING_INFO = 0x4408,
    IDT_VECTORING_ERROR = 0x440a,
    EXIT_INSN_LENGTH = 0x440c,
    GUEST_ES_LIMIT = 0x4800,
    GUEST_TR_LIMIT = 0x480e,
    GUEST_GDTR_LIMIT = 0x4810,
    GUEST_IDTR_LIMIT = 0x4812,
    GUEST_ES_ACCESS = 0x4814,
    GUEST_SS_ACCESS = 0x4818,
    GUEST_LDTR_ACCESS = 0x4820,
    GUEST_TR_ACCESS = 0x4822,
    GUEST_INTERRUPTIBILITY = 0x4824,
    GUEST_ACTIVITY = 0x4826,
    GUEST_SYSENTER_CS = 0x482a,
    HOST_SYSENTER_CS = 0x4c00,
    CR0_MASK = 0x6000,
    CR4_MASK = 0x6002,
    CR0_SHADOW = 0x6004,
    CR4_SHADOW = 0x6006,
    CR3_TARGET_0 = 0x6008, /* each 2 on */
    EXIT_QUALIFICATION = 0x6400,
    GUEST_CR0 = 0x6800,
    GUEST_CR3 = 0x6802,
    GUEST_CR4 = 0x6804,
    GUEST_ES_BASE = 0x6806,
    GUEST_TR_BASE = 0x6814,
    GUEST_GDTR_BASE = 0x6816,
    GUEST_IDTR_BASE = 0x6818,
    GUEST_DR7 = 0x681a,
    GUEST_RSP = 0x681c,
    GUEST_RIP = 0x681e,
    GUEST_RFLAGS = 0x6820,
    GUEST_PENDING_DEBUG = 0x6822,
    GUEST_SYSENTER_ESP = 0x6824,
    GUEST_SYSENTER_EIP = 0x6826,
    HOST_CR0 = 0x6c00,
    HOST_CR3 = 0x6c02,
    HOST_CR4 = 0x6c04,
    HOST_FS_BASE = 0x6c06,
    HOST_GS_BASE = 0x6c08,
    HOST_TR_BASE = 0x6c0a,
    HOST_GDTR_BASE = 0x6c0c,
    HOST_IDTR_BASE = 0x6c0e,
    HOST_SYSENTER_ESP = 0x6c10,
    HOST_SYSENTER_EIP = 0x6c12,
    HOST_RSP = 0x6c14,
    HOST_RIP = 0x6c16,
};

/* Access rights beside the descriptor's own bits (24.4.1). */
#define ACCESS_UNUSABLE (1u << 16)

/* Interruptibility (24.4.2) and pending debug exceptions. */
#define BLOCKED_STI (1u << 0)
#define BLOCKED_MOV_SS (1u << 1)
#define BLOCKED_SMI (1u << 2)
#define BLOCKED_NMI (1u << 3)
#define PENDING_BS (1u << 14)

/* Interruption information (24.8.3, 24.9.2). */
enum { VMX_EVENT_INTR = 0, VMX_EVENT_NMI = 2, VMX_EVENT_EXCEPTION = 3, VMX_EVENT_SOFT = 4 };
#define VMX_EVENT_TYPE(x) (((x) >> 8) & 7)
#define VMX_EVENT_ERROR (1u << 11)
#define VMX_EVENT_IRET (1u << 12) /* of an exit: NMIs were unblocked by the IRET that faulted */
#define VMX_EVENT_VALID (1u << 31)

/* Basic exit reasons (appendix C). */
enum {
    VMX_EXCEPTION_NMI = 0,
    VMX_INTR = 1,
    VMX_TRIPLE_FAULT = 2,
    VMX_INIT = 3,
    VMX_INTR_WINDOW = 7,
    VMX_NMI_WINDOW = 8,
    VMX_TASK_SWITCH = 9,
    VMX_CPUID = 10,
    VMX_GETSEC = 11,
    VMX_HLT = 12,
    VMX_INVD = 13,
    VMX_INVLPG = 14,
    VMX_RDPMC = 15,
    VMX_RSM = 17,
    VMX_VMCALL = 18,
    VMX_VMXON = 27,
    VMX_CR = 28,
    VMX_IO = 30,
    VMX_RDMSR = 31,
    VMX_WRMSR = 32,
    VMX_ENTRY_GUEST = 33,
    VMX_ENTRY_MSR = 34,
    VMX_MWAIT = 36,
    VMX_MONITOR = 39,
    VMX_ENTRY_MACHINE_CHECK = 41,
    VMX_INVEPT = 50,
    VMX_INVVPID = 53,
    VMX_WBINVD = 54,
    VMX_XSETBV = 55,
};
#define VMX_ENTRY_FAILED (1u << 31)

static inline u64 vmread(u64 field)
{
    u64 value;
    __asm__ volatile("vmread %1, %0" : "=r"(value) : "r"(field) : "cc");
    return value;
}

static inline void vmwrite(u64 field, u64 value)
{
    __asm__ volatile("vmwrite %1, %0" : : "r"(field), "r"(value) : "cc");
}

/* VMXON, VMCLEAR, VMPTRLD: false is VMfail (30.2). */
#define VMX_POINTER_INSN(name)                                                                     \
    static inline bool name(hpa_t hpa)                                                             \
    {                                                                                              \
        bool failed;                                                                               \
        __asm__ volatile(#name " %1; setna %0" : "=q"(failed) : "m"(hpa) : "cc", "memory");        \
        return !failed;                                                                            \
    }
VMX_POINTER_INSN(vmxon)
VMX_POINTER_INSN(vmclear)
VMX_POINTER_INSN(vmptrld)
