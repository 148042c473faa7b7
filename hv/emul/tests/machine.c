#include "machine.h"

#include <string.h>

static struct machine *of(struct emul *e)
{
    return e->ctx;
}

static enum emul_result page_fault(struct emul *e, u64 la, unsigned access)
{
    e->fault = (struct emul_fault){.vector = VEC_PF,
                                   .has_error = true,
                                   .cr2 = la,
                                   .error = (access & EMUL_WRITE ? PFEC_W : 0) |
                                            (access & EMUL_FETCH ? PFEC_I : 0)};
    return EMUL_FAULT;
}

static enum emul_result fetch(struct emul *e, u64 la, void *buf, unsigned len, unsigned *got)
{
    struct machine *m = of(e);
    u64 off = la - m->code_la;

    m->fetches++;
    if (off >= m->code_len)
        return page_fault(e, la, EMUL_FETCH);
    *got = (unsigned)min((u64)len, m->code_len - off);
    if (m->fetch_limit)
        *got = min(*got, m->fetch_limit);
    memcpy(buf, m->code + off, *got);
    return EMUL_OK;
}

static u8 *at(struct machine *m, u64 la, unsigned len)
{
    u64 off = la - m->mem_la;
    return off < m->mem_size && len <= m->mem_size - off ? m->mem + off : NULL;
}

static enum emul_result do_read(struct emul *e, u64 la, void *buf, unsigned len, unsigned access)
{
    u8 *p = at(of(e), la, len);

    of(e)->reads++;
    of(e)->read_access = access;
    if (!p || (of(e)->read_only && (access & EMUL_WRITE)))
        return page_fault(e, la, access);
    memcpy(buf, p, len);
    return EMUL_OK;
}

static enum emul_result do_write(struct emul *e, u64 la, const void *buf, unsigned len,
                                 unsigned access)
{
    u8 *p = at(of(e), la, len);

    of(e)->writes++;
    of(e)->write_access = access;
    if (!p || of(e)->read_only)
        return page_fault(e, la, access);
    memcpy(p, buf, len);
    return EMUL_OK;
}

static enum emul_result do_in(struct emul *e, u16 port, unsigned size, u32 *value)
{
    struct machine *m = of(e);
    m->io_port = port;
    m->io_size = size;
    m->io_count++;
    *value = m->io_value;
    return EMUL_OK;
}

static enum emul_result do_out(struct emul *e, u16 port, unsigned size, u32 value)
{
    struct machine *m = of(e);
    m->io_port = port;
    m->io_size = size;
    m->io_count++;
    m->io_value = value;
    return EMUL_OK;
}

static enum emul_result cr_read(struct emul *e, unsigned n, u64 *value)
{
    *value = n == 0 ? e->cr0 : n == 4 ? e->cr4 : of(e)->cr[n];
    return EMUL_OK;
}

static enum emul_result cr_write(struct emul *e, unsigned n, u64 value)
{
    if (n == 0)
        e->cr0 = value;
    else if (n == 4)
        e->cr4 = value;
    else
        of(e)->cr[n] = value;
    return EMUL_OK;
}

static enum emul_result dr_read(struct emul *e, unsigned n, u64 *value)
{
    *value = of(e)->dr[n];
    return EMUL_OK;
}

static enum emul_result dr_write(struct emul *e, unsigned n, u64 value)
{
    of(e)->dr[n] = value;
    return EMUL_OK;
}

static enum emul_result msr_read(struct emul *e, u32 index, u64 *value)
{
    of(e)->msr_index = index;
    *value = of(e)->msr ? of(e)->msr(index) : of(e)->msr_value;
    return EMUL_OK;
}

static enum emul_result msr_write(struct emul *e, u32 index, u64 value)
{
    of(e)->msr_index = index;
    of(e)->msr_value = value;
    return EMUL_OK;
}

static enum emul_result xcr_fault(struct emul *e)
{
    e->fault = (struct emul_fault){.vector = VEC_GP, .has_error = true};
    return EMUL_FAULT;
}

static enum emul_result xcr_read(struct emul *e, u32 index, u64 *value)
{
    *value = of(e)->xcr0;
    return index ? xcr_fault(e) : EMUL_OK;
}

static enum emul_result xcr_write(struct emul *e, u32 index, u64 value)
{
    if (index)
        return xcr_fault(e);
    of(e)->xcr0 = value;
    return EMUL_OK;
}

static void fpu(struct emul *e, enum emul_fpu what, u16 *word)
{
    struct machine *m = of(e);
    switch (what) {
    case EMUL_FPU_INIT:
        m->fpu_control = 0x37f;
        m->fpu_status = 0;
        break;
    case EMUL_FPU_CLEAR: m->fpu_status &= 0x7f00; break;
    case EMUL_FPU_STATUS: *word = m->fpu_status; break;
    case EMUL_FPU_CONTROL: *word = m->fpu_control; break;
    case EMUL_FPU_LOAD_CONTROL: m->fpu_control = *word; break;
    }
}

static enum emul_result do_cpuid(struct emul *e)
{
    e->gpr[RAX] = e->gpr[RBX] = e->gpr[RCX] = e->gpr[RDX] = 0x12345678;
    return EMUL_OK;
}

static enum emul_result do_invlpg(struct emul *e, u64 la)
{
    of(e)->invlpg = la;
    return EMUL_OK;
}

static enum emul_result do_hlt(struct emul *e)
{
    of(e)->halted = true;
    return EMUL_OK;
}

static void vec_read(struct emul *e, unsigned n, void *buf)
{
    memcpy(buf, of(e)->xmm[n], 16);
}

static void vec_write(struct emul *e, unsigned n, const void *buf)
{
    memcpy(of(e)->xmm[n], buf, 16);
}

static const struct emul_ops ops = {
    .fetch = fetch,
    .read = do_read,
    .write = do_write,
    .in = do_in,
    .out = do_out,
    .cr_read = cr_read,
    .cr_write = cr_write,
    .dr_read = dr_read,
    .dr_write = dr_write,
    .msr_read = msr_read,
    .msr_write = msr_write,
    .xcr_read = xcr_read,
    .xcr_write = xcr_write,
    .fpu = fpu,
    .cpuid = do_cpuid,
    .invlpg = do_invlpg,
    .hlt = do_hlt,
    .vec_read = vec_read,
    .vec_write = vec_write,
};

void machine_init(struct machine *m, enum mode mode, unsigned cpl, void *mem, u64 la, u64 size)
{
    u16 db = mode == MODE_32 ? SEG_DB | SEG_G : 0;

    memset(m, 0, sizeof(*m));
    m->mem = mem;
    m->mem_la = la;
    m->mem_size = size;
    m->e = (struct emul){
        .ops = &ops,
        .ctx = m,
        .gpr = m->gpr,
        .seg = m->seg,
        .seg_valid = ~0u,
        .rflags = RFLAGS_FIXED | RFLAGS_IF,
        .cr4 = CR4_OSFXSR,
        .cpl = (u8)cpl,
    };
    if (mode != MODE_REAL)
        m->e.cr0 = CR0_PE;
    if (mode == MODE_V86)
        m->e.rflags |= RFLAGS_VM;
    if (mode == MODE_64)
        m->e.efer = EFER_LMA | EFER_LME;
    for (unsigned i = 0; i < SEG_GDTR; i++) {
        u16 type = i == SEG_CS && mode >= MODE_16 ? 0x9b : 0x93;
        m->seg[i].attr = (u16)(type | cpl << 5 | db);
        m->seg[i].limit = db ? 0xffffffff : 0xffff;
        m->seg[i].sel = mode >= MODE_16 ? (u16)((i + 1) << 3 | cpl) : 0;
    }
    if (mode == MODE_64)
        m->seg[SEG_CS].attr |= SEG_L;
    m->seg[SEG_TR].attr = 0x8b;
    m->seg[SEG_TR].limit = 0x67;
}

void machine_code(struct machine *m, u64 la, const void *code, unsigned len)
{
    memset(m->code, 0x90, sizeof(m->code));
    memcpy(m->code, code, min((size_t)len, sizeof(m->code)));
    m->code_len = sizeof(m->code);
    m->code_la = la;
}

void machine_descriptor(u8 *at, u32 base, u32 limit, u16 attr)
{
    u64 d = (limit & 0xffff) | (u64)(base & 0xffffff) << 16 | (u64)(attr & 0xff) << 40 |
            (u64)(limit >> 16 & 0xf) << 48 | (u64)(attr >> 8) << 52 | (u64)(base >> 24) << 56;
    memcpy(at, &d, 8);
}
