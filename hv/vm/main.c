/* From the boot loader to the guest, and to the end of the machine. */

#include "host/cpu.h"
#include "host/idt.h"
#include "host/log.h"
#include "host/machine_end.h"
#include "host/nmi.h"
#include "host/paging.h"
#include "vm/vm.h"

#define VERSION "0.1"

extern u8 image_start[], image_end[];
void hv_main(u32 magic, u32 info) __attribute__((noreturn));

static struct boot_info boot;
static struct host_memory memory;
static struct serial console;
static u8 early_ring[SERIAL_RING];

static void fail(const char *why) __attribute__((noreturn));
static void fail(const char *why)
{
    log_line("error: %s", why);
    machine_end_now(VM_CONFIG, 0);
}

static void start_record(const struct vm *vm)
{
    log_line("@hv start version=%s virt=%s mem_bytes=%lu tsc_hz=%lu cmdline=\"%s\"", VERSION,
             vm->vcpu->virt->name, vm->options.mem_bytes, vm->clock.tsc_hz, boot.cmdline);
    vm_cpuid_log();
}

/* Ports for the console and the log; the console's receiver interrupts, so that a halted guest wakes. */
static void start_ports(const struct options *o)
{
    u8 *ring = host_alloc(&memory, SERIAL_RING, PAGE_SIZE);
    if (!ring)
        fail("no memory left for the console's ring");
    bool shared = o->log_port && o->log_port == o->console_port;
    if (o->log_port != 0x2f8 || shared) {
        log_drain();
        if (!shared)
            log_init(o->log_port, early_ring);
    }
    serial_init(&console, o->console_port, ring, true);
    if (shared)
        log_share(&console);
    machine_end_console(&console);
}

/* The guest's vector registers stay in the CPU, and the emulator moves to and from them there
 * (SDM vol. 3, 13.1): without these bits its moves raise #UD or #NM. */
static void allow_vector_moves(void)
{
    write_cr0(read_cr0() & ~(CR0_EM | CR0_TS));
    write_cr4(read_cr4() | CR4_OSFXSR | CR4_OSXMMEXCPT);
}

void hv_main(u32 magic, u32 info)
{
    static struct vm vm; /* the one VM; everything of it hangs off this */
    char why[240];

    log_init(0x2f8, early_ring);
    host_idt_init();
    allow_vector_moves();
    if (!multiboot_parse(magic, info, 0, &boot, why, sizeof why))
        fail(why);
    host_memory_init_raised(&memory, &boot, (hpa_t)image_start, (hpa_t)image_end);
    if (!options_parse(boot.cmdline, mmu_option_names, MMU_OPT_COUNT, &vm.options, why, sizeof why))
        fail(why);
    start_ports(&vm.options);
    if (!(cpuid(0x80000001, 0).edx & 1u << 20))
        fail("this CPU lacks the no-execute bit (CPUID 80000001h EDX bit 20)");
    if (!host_paging_init(&memory, &boot))
        fail("no memory left for the hypervisor's own page tables");
    host_pic_init(vm.options.console_port == 0x3f8   ? 1 << 4
                  : vm.options.console_port == 0x2f8 ? 1 << 3
                                                     : 0);
    if (!host_clock_init(&vm.clock))
        fail("this CPU lacks a local APIC (CPUID 1 EDX bit 9)");
    host_nmi_init();
    vm.memory = &memory;
    vm.console = &console;
    if (!vm_create(&vm, &boot, why, sizeof why))
        fail(why);
    start_record(&vm);
    log_drain();

    vm.tsc_base = rdtsc();
    vm.vcpu->virt->set_tsc_offset(vm.vcpu, -vm.tsc_base);
    enum vm_end end = vm_run(&vm);
    counters_end(&vm.counters, vm.mmu);
    if (end >= VM_TRIPLE_FAULT)
        vm_report(&vm);
    machine_end_now(end, vm.vcpu->rip);
}
