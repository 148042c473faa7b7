#include "vm.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { POOL = 8 << 20 };

struct vm vm_new(struct mmu_config config)
{
    struct vm m = {.host = aligned_alloc(2 * MiB, config.ram_bytes + POOL)};

    config.ram_hpa = VM_HPA;
    config.hpa_ptr = (intptr_t)m.host - (intptr_t)VM_HPA;
    config.pool_hpa = VM_HPA + config.ram_bytes;
    config.pool_bytes = POOL;
    memset(m.host, 0, config.ram_bytes);
    m.mmu = mmu_create(&config);
    assert_non_null(m.mmu);
    m.v = mmu_vcpu_create(m.mmu);
    assert_non_null(m.v);
    return m;
}

void vm_end(struct vm *m)
{
    char text[200];

    assert_int_equal(mmu_audit(m->mmu, text, sizeof(text)), 0);
    free(m->host);
}

void vm_put64(struct vm *m, gpa_t gpa, u64 e)
{
    assert_true(mmu_write(m->mmu, gpa, &e, 8));
}
