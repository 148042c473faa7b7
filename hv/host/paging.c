#include "host/paging.h"
#include "host/cpu.h"

/*  0        image_start   text_end    rodata_end       image_end       top of RAM      4 GiB
 *  | RW     | RX          | R         | RW, guards     | RW ...        | RW uncached   |
 *  (page 0 not mapped; NX everywhere but in RX)
 * 4 KiB pages in the 2 MiB regions that hold page 0 and the image, 2 MiB pages elsewhere. */

extern u8 image_start[], text_end[], rodata_end[], image_end[], boot_stack_guard[],
    fault_stack_guard[];

enum { ENTRIES = 512 };
#define LARGE (2 * MiB)

static u64 small_entry(hpa_t at)
{
    if (at == 0 || at == (hpa_t)boot_stack_guard || at == (hpa_t)fault_stack_guard)
        return 0;
    if (at >= (hpa_t)image_start && at < (hpa_t)text_end)
        return at | PTE_P;
    if (at >= (hpa_t)text_end && at < (hpa_t)rodata_end)
        return at | PTE_P | PTE_NX;
    return at | PTE_P | PTE_W | PTE_NX;
}

static hpa_t ram_top(const struct boot_info *boot)
{
    hpa_t top = 0;
    for (unsigned i = 0; i < boot->regions; i++)
        if (boot->region[i].hpa < HOST_MEM_MAX)
            top = max(top, min(boot->region[i].hpa + boot->region[i].bytes, HOST_MEM_MAX));
    for (unsigned i = 0; i < boot->modules; i++)
        top = max(top, boot->module[i].hpa + boot->module[i].bytes);
    return top;
}

static u64 *small_table(struct host_memory *m, hpa_t from)
{
    u64 *pt = host_alloc(m, PAGE_SIZE, PAGE_SIZE);
    for (unsigned i = 0; pt && i < ENTRIES; i++)
        pt[i] = small_entry(from + i * PAGE_SIZE);
    return pt;
}

bool host_paging_init(struct host_memory *m, const struct boot_info *boot)
{
    u64 *pml4 = host_alloc(m, PAGE_SIZE, PAGE_SIZE), *pdpt = host_alloc(m, PAGE_SIZE, PAGE_SIZE);
    u64 *pd = host_alloc(m, 4 * PAGE_SIZE, PAGE_SIZE);
    hpa_t top = ram_top(boot);

    if (!pml4 || !pdpt || !pd)
        return false;
    pml4[0] = (hpa_t)pdpt | PTE_P | PTE_W;
    for (unsigned i = 0; i < 4; i++)
        pdpt[i] = (hpa_t)(pd + i * ENTRIES) | PTE_P | PTE_W;
    for (unsigned i = 0; i < 4 * ENTRIES; i++) {
        hpa_t at = i * LARGE;
        if (at < align_up((hpa_t)image_end, LARGE)) {
            u64 *pt = small_table(m, at);
            if (!pt)
                return false;
            pd[i] = (hpa_t)pt | PTE_P | PTE_W;
        } else {
            pd[i] = at | PTE_P | PTE_W | PTE_PS | PTE_NX |
                    (at >= align_up(top, LARGE) ? PTE_PCD | PTE_PWT : 0);
        }
    }
    wrmsr(MSR_EFER, rdmsr(MSR_EFER) | EFER_NXE);
    write_cr3((hpa_t)pml4);
    write_cr0(read_cr0() | CR0_WP);
    return true;
}
