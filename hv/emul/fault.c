#include "emul/internal.h"

enum emul_result emul_raise(struct emul *e, unsigned vector)
{
    e->fault = (struct emul_fault){.vector = (u8)vector};
    return EMUL_FAULT;
}

enum emul_result emul_raise_error(struct emul *e, unsigned vector, u32 error)
{
    /* Real mode pushes no error codes (SDM vol. 3, 20.1.4). */
    bool has_error = e->cr0 & CR0_PE;
    e->fault = (struct emul_fault){
        .vector = (u8)vector, .has_error = has_error, .error = has_error ? error : 0};
    return EMUL_FAULT;
}

enum emul_result emul_gp0(struct emul *e)
{
    return emul_raise_error(e, VEC_GP, 0);
}

enum emul_result emul_ud(struct emul *e)
{
    return emul_raise(e, VEC_UD);
}
