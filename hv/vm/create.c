/* Builds a VM from what the boot loader handed over. */

#include "dev/block.h"
#include "dev/block_mem.h"
#include "host/cpu.h"
#include "host/ide_host.h"
#include "host/log.h"
#include "lib/fmt.h"
#include "lib/string.h"
#include "vm/vm.h"

#define LARGE (2 * MiB)
enum { POOL_RAM_SHARE = 16 };

/* ---- What the devices reach. ---- */

static bool op_read(void *ctx, gpa_t gpa, void *buf, u64 len)
{
    return mmu_read(((struct vm *)ctx)->mmu, gpa, buf, len);
}

static bool op_write(void *ctx, gpa_t gpa, const void *buf, u64 len)
{
    return mmu_write(((struct vm *)ctx)->mmu, gpa, buf, len);
}

static void *op_ptr(void *ctx, gpa_t gpa, u64 len)
{
    return mmu_ptr(((struct vm *)ctx)->mmu, gpa, len);
}

static void op_will_write(void *ctx, gpa_t gpa, u64 len)
{
    mmu_will_write(((struct vm *)ctx)->mmu, gpa, len);
}

static void op_map(void *ctx, gpa_t gpa, u64 size, int kind, void *mem)
{
    static const enum p2m_kind kinds[] = {
        [MEM_MMIO] = P2M_MMIO, [MEM_RAM] = P2M_RAM, [MEM_ROM] = P2M_ROM};
    struct vm *vm = ctx;
    if (!mmu_map(vm->mmu, gpa, size, kinds[kind], mem ? (hpa_t)mem : vm->ram + gpa))
        log_line("no room to map %lx bytes at %lx: it reads as no memory", size, gpa);
    vm->code.gva = NO_PAGE;
}

static void op_a20(void *ctx, bool on)
{
    struct vm *vm = ctx;
    mmu_set_a20(vm->mmu, on);
    vm->code.gva = NO_PAGE;
}

static void op_end(void *ctx, int end, const char *why)
{
    vm_end(ctx, end, why);
}

static void op_console_put(void *ctx, u8 byte)
{
    struct vm *vm = ctx;
    vm->alive = vm->now;
    serial_put(vm->console, byte);
}

static int op_console_get(void *ctx)
{
    return serial_get(((struct vm *)ctx)->console);
}

static void op_mark(void *ctx, unsigned kind, unsigned id)
{
    struct vm *vm = ctx;
    vm->alive = vm->now;
    vm->log_due = true;
    counters_mark(&vm->counters, vm->mmu, kind, id, vm->now);
}

static void op_log(void *ctx, const char *text)
{
    (void)ctx;
    log_line("%s", text);
}

static void op_cpu_init(void *ctx)
{
    ((struct vm *)ctx)->init_due = true;
}

static void *op_alloc(void *ctx, u64 size)
{
    return host_alloc(((struct vm *)ctx)->memory, size, PAGE_SIZE);
}

static const struct machine_ops machine_ops = {
    .read = op_read,
    .write = op_write,
    .ptr = op_ptr,
    .will_write = op_will_write,
    .map = op_map,
    .a20 = op_a20,
    .end = op_end,
    .console_put = op_console_put,
    .console_get = op_console_get,
    .mark = op_mark,
    .log = op_log,
    .alloc = op_alloc,
    .cpu_init = op_cpu_init,
};

/* ---- Memory ---- */

static bool create_memory(struct vm *vm, const struct virt_ops *virt, char *why, size_t why_size)
{
    u64 ram = vm->options.mem_bytes;
    u64 pool = mmu_min_pool(ram) + ram / POOL_RAM_SHARE;
    struct cpuid_regs r = cpuid(0x80000001, 0);

    /* Low, so that guest-physical addresses name host frames of the block: see hv/mmu/targets.c. */
    vm->ram = (hpa_t)host_alloc_low(vm->memory, ram, LARGE);
    if (!vm->ram) {
        fmt_snprintf(why, why_size,
                     "mem=%luM: the machine has no such piece of memory left; %luM is the largest, "
                     "of which %luM go to shadow tables",
                     ram / MiB, host_memory_largest(vm->memory) / MiB, pool / MiB + 1);
        return false;
    }
    void *pool_memory = host_alloc(vm->memory, pool, LARGE);
    if (!pool_memory) {
        fmt_snprintf(why, why_size, "mem=%luM: no %luM left for its shadow tables", ram / MiB,
                     pool / MiB + 1);
        return false;
    }
    struct mmu_config config = {
        .ram_bytes = ram,
        .ram_hpa = vm->ram,
        .pool_hpa = (hpa_t)pool_memory,
        .pool_bytes = pool,
        .options = vm->options.shadow,
        .maxphyaddr = cpuid(0x80000008, 0).eax & 0xff,
        .nx = r.edx & 1u << 20,
        .gbpages = r.edx & 1u << 26,
    };
    if (virt->paging)
        virt->paging(&config);
    vm->mmu = mmu_create(&config);
    return true;
}

/* ---- Disks ---- */

static struct block *module_block(struct vm *vm, const struct boot_info *boot, const char *name,
                                  bool read_only, char *why, size_t why_size)
{
    const struct boot_module *m = boot_module(boot, name);
    if (!m) {
        fmt_snprintf(why, why_size, "module %s is missing: the boot loader has to load it", name);
        return NULL;
    }
    if (!m->bytes || m->bytes % 512) {
        fmt_snprintf(why, why_size, "module %s has %lu bytes: a multiple of 512 expected", name,
                     m->bytes);
        return NULL;
    }
    struct block_mem *b = host_alloc(vm->memory, sizeof *b, PAGE_SIZE);
    if (!b) {
        fmt_snprintf(why, why_size, "no memory left for %s", name);
        return NULL;
    }
    block_mem_init(b, (void *)m->hpa, m->bytes, read_only);
    return &b->block;
}

static bool create_disks(struct vm *vm, const struct boot_info *boot, struct machine_config *c,
                         char *why, size_t why_size)
{
    static const char *const names[OPTION_DISKS] = {"disk0", "disk1", "disk2", "disk3"};
    for (unsigned i = 0; i < OPTION_DISKS; i++) {
        enum disk_backing backing = vm->options.disk[i].backing;
        if (backing == DISK_AUTO)
            backing = boot_module(boot, names[i]) ? DISK_MODULE : DISK_NONE;
        if (backing == DISK_MODULE &&
            !(c->disk[i] = module_block(vm, boot, names[i], false, why, why_size)))
            return false;
        if (backing == DISK_HOST &&
            !(c->disk[i] = ide_host_open(vm->options.disk[i].host, op_alloc, vm, why, why_size)))
            return false;
    }
    bool cd = vm->options.cdrom == DISK_MODULE ||
              (vm->options.cdrom == DISK_AUTO && boot_module(boot, "cdrom"));
    if (cd && !(c->cdrom = module_block(vm, boot, "cdrom", true, why, why_size)))
        return false;
    c->boot_cdrom =
        vm->options.boot == BOOT_CDROM || (vm->options.boot == BOOT_AUTO && !c->disk[0]);
    return true;
}

static bool create_machine(struct vm *vm, const struct boot_info *boot, char *why, size_t why_size)
{
    const struct boot_module *bios = boot_module(boot, "seabios"),
                             *vga = boot_module(boot, "vgabios");
    struct machine_config c = {.ram_bytes = vm->options.mem_bytes,
                               .tsc_hz = vm->clock.tsc_hz,
                               .rtc_unix = host_clock_unix(),
                               .cpu_count = 1};

    if (!bios) {
        fmt_snprintf(
            why, why_size,
            "module seabios is missing: the guest's firmware (bios-256k.bin of Debian's seabios)");
        return false;
    }
    c.firmware = (const void *)bios->hpa;
    c.firmware_bytes = (u32)bios->bytes;
    if (vga) {
        c.vga_rom = (const void *)vga->hpa;
        c.vga_rom_bytes = (u32)vga->bytes;
    }
    if (!create_disks(vm, boot, &c, why, why_size))
        return false;
    vm->machine = machine_create(&c, &machine_ops, vm, why, why_size);
    return vm->machine;
}

static bool create_counters(struct vm *vm)
{
    struct counters *c = &vm->counters;
    c->port_cur = op_alloc(vm, PORTS * 2 * sizeof *c->port_cur);
    c->port_total = op_alloc(vm, PORTS * 2 * sizeof *c->port_total);
    return c->port_cur && c->port_total;
}

/* The one place that knows which backends there are. */
static const struct virt_ops *find_virt(char *why, size_t why_size)
{
    static const struct virt_ops *const backends[] = {&svm_ops, &vmx_ops};
    char missing[array_size(backends)][96];
    for (unsigned i = 0; i < array_size(backends); i++)
        if (backends[i]->probe(missing[i], sizeof missing[i]))
            return backends[i];
    fmt_snprintf(why, why_size, "this CPU cannot run guests: it lacks %s, and %s", missing[0],
                 missing[1]);
    return NULL;
}

bool vm_create(struct vm *vm, const struct boot_info *boot, char *why, size_t why_size)
{
    const struct virt_ops *virt = find_virt(why, why_size);
    if (!virt || !create_memory(vm, virt, why, why_size))
        return false;
    struct vcpu *v = virt->create(op_alloc, vm);
    if (!v || !vm_msr_init(vm) || !create_counters(vm) || !(v->mmu = mmu_vcpu_create(vm->mmu))) {
        fmt_snprintf(why, why_size, "mem=%luM: no memory left for the hypervisor's own tables",
                     vm->options.mem_bytes / MiB);
        return false;
    }
    vm->vcpu = v;
    v->vm = vm;
    vm->fault_page = vm->code.gva = NO_PAGE;
    if (!create_machine(vm, boot, why, why_size))
        return false;
    vm_msr_reset(vm);
    vm_cpu_reset(vm, false);
    return true;
}
