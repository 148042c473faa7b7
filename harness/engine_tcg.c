// QEMU's emulator: SVM in software, and with -icount a clock that counts instructions.

#include "cpu_mask.h"
#include "qemu.h"

#include <stdlib.h>
#include <unistd.h>

static int tcg_probe(enum side side, struct buf *found, struct buf *missing)
{
    (void)side;
    struct buf again = {0};
    int rc = qemu_probe("-accel help", "tcg", found, missing);
    if (!rc)
        rc = qemu_probe("-cpu help", "svm", &again, missing);
    buf_free(&again);
    return rc;
}

// The plugin that counts instructions, where the build made it.
static int counter_words(const struct job *job, struct words *argv)
{
    char *plugin = xasprintf("%s/build/insns.so", top_dir());
    int rc = access(plugin, R_OK) ? 0 : job_link(job, plugin, "insns.so");
    if (!rc && !access(plugin, R_OK)) {
        words_add(argv, "-plugin");
        words_add(argv, "./insns.so,out=insns");
    }
    free(plugin);
    return rc;
}

static int tcg_command(const struct job *job, struct words *argv)
{
    // Leaf 40000000h is hidden as a whole. Without SVM QEMU would end the extended leaves before the
    // processor's name (80000002h to 80000004h), which the hypervisor passes on.
    char *cpu = cpu_native_model("max,tcg-cpuid=off,min-xlevel=0x8000000a");
    int rc = qemu_command(job, argv, "tcg,tb-size=512", cpu, "max");
    free(cpu);
    if (!rc && job->exact)
        words_split(argv, "-icount shift=0,sleep=off");
    return rc || !job->exact ? rc : counter_words(job, argv);
}

// one_cpu: a thread for the disk then takes the CPU from the guest's own at once, so that a request is
// done before the guest goes on. Else it is the host's scheduler that decides how long a guest waits,
// and so what it executes meanwhile.
const struct engine engine_tcg = {
    .name = "tcg",
    .summary = "QEMU's emulator with SVM; instruction-exact time",
    .is_auto = true,
    .counts = true,
    .clocks = true,
    .has_terminal = true,
    .qemu_arguments = true,
    .one_cpu = true,
    .probe = tcg_probe,
    .command = tcg_command,
    .ending = qemu_ending,
    .where = qemu_where,
};
