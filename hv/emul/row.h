#pragma once

/* How the opcode tables are written (SDM vol. 2, appendix A). */

#include "emul/exec.h"

#define M F_MODRM
#define B F_BYTE

/* Handler, destination, source, immediate, argument, flags. */
#define ROW(exec_, dst_, src_, imm_, arg_, flags_)                                                 \
    {                                                                                              \
        {exec_}, (dst_), (src_), (imm_), (arg_), (flags_)                                          \
    }
#define GROUP(rows, imm_, flags_)                                                                  \
    {                                                                                              \
        .group = (rows), .imm = (imm_), .flags = F_MODRM | F_GROUP | (flags_)                      \
    }
#define GROUP16(rows)                                                                              \
    {                                                                                              \
        .group = (rows), .flags = F_MODRM | F_GROUP16                                              \
    }
#define UD                                                                                         \
    {                                                                                              \
        .flags = F_UD                                                                              \
    }
#define UD_M                                                                                       \
    {                                                                                              \
        .flags = F_UD | F_MODRM                                                                    \
    }
/* Known length, not executed. */
#define SKIP(imm_, flags_)                                                                         \
    {                                                                                              \
        .exec = NULL, .imm = (imm_), .flags = F_MODRM | (flags_)                                   \
    }
