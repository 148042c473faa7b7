// QEMU plugin: counts the instructions the emulated CPU executes, guest and hypervisor alike, and
// notes the count at every mark, and at the begin and the end of every sample (docs/reference.md,
// "Marks").
//
// Under -icount an idle machine skips time, so the guest's clock is no measure of work where a test
// waits for a disk. This count is. A mark is five writes to port EDh by "out %al,$0xed" (bytes E6
// ED). A plugin cannot read registers in this version of the interface, so the marks are told apart
// by their order. Samples begin and end with a long NOP of a displacement that nothing else has.
//
// Use: -plugin ./insns.so,out=FILE. FILE gets one line a mark, the count at its last write, and one
// for each begin and end of a sample, with "s " before the count.

#include "qemu_plugin.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

int qemu_plugin_version = qemu_plugin_interface;

enum { writes_a_mark = 5 };

static uint64_t executed;
static unsigned writes;
static FILE *out;

static void on_mark_write(unsigned vcpu, void *unused)
{
    (void)vcpu;
    (void)unused;
    if (++writes % writes_a_mark)
        return;
    fprintf(out, "%" PRIu64 "\n", executed);
    fflush(out);
}

static void on_sample(unsigned vcpu, void *unused)
{
    (void)vcpu;
    (void)unused;
    fprintf(out, "s %" PRIu64 "\n", executed);
}

static bool is_mark_write(const struct qemu_plugin_insn *insn)
{
    const uint8_t *bytes = qemu_plugin_insn_data(insn);
    return qemu_plugin_insn_size(insn) == 2 && bytes[0] == 0xe6 && bytes[1] == 0xed;
}

static bool is_sample(const struct qemu_plugin_insn *insn)
{
    static const uint8_t nop[] = {0x0f, 0x1f, 0x80, 0x45, 0x4d, 0x50, 0x53};
    return qemu_plugin_insn_size(insn) == sizeof(nop) &&
           !memcmp(qemu_plugin_insn_data(insn), nop, sizeof(nop));
}

static void on_translate(qemu_plugin_id_t id, struct qemu_plugin_tb *tb)
{
    (void)id;
    // Counted one by one: a block that is left early by a fault or an exit counts only what it ran.
    for (size_t i = 0; i < qemu_plugin_tb_n_insns(tb); i++) {
        struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(tb, i);
        qemu_plugin_register_vcpu_insn_exec_inline(insn, QEMU_PLUGIN_INLINE_ADD_U64, &executed, 1);
        if (is_mark_write(insn))
            qemu_plugin_register_vcpu_insn_exec_cb(insn, on_mark_write, QEMU_PLUGIN_CB_NO_REGS,
                                                   NULL);
        else if (is_sample(insn))
            qemu_plugin_register_vcpu_insn_exec_cb(insn, on_sample, QEMU_PLUGIN_CB_NO_REGS, NULL);
    }
}

int qemu_plugin_install(qemu_plugin_id_t id, const struct qemu_info_t *info, int argc, char **argv)
{
    (void)info;
    if (argc != 1 || strncmp(argv[0], "out=", 4)) {
        fprintf(stderr, "insns plugin: out=FILE is wanted\n");
        return -1;
    }
    out = fopen(argv[0] + 4, "we");
    if (!out) {
        perror(argv[0] + 4);
        return -1;
    }
    qemu_plugin_register_vcpu_tb_trans_cb(id, on_translate);
    return 0;
}
