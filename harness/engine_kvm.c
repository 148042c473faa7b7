// QEMU with KVM: the processor's own VT-x or SVM, nested for the hypervisor's side. Time is time.

#include "cpu_mask.h"
#include "kvm_probe.h"
#include "qemu.h"

#include <stdlib.h>

static int kvm_probe(enum side side, struct buf *found, struct buf *missing)
{
    int rc = qemu_probe("-accel help", "kvm", found, missing);
    return kvm_probe_host("", side, missing) ? -1 : rc;
}

static int kvm_command(const struct job *job, struct words *argv)
{
    // Leaves 40000000h and up are hidden as a whole.
    char *cpu = cpu_native_model("host,kvm=off");
    int rc = qemu_command(job, argv, "kvm", cpu, "host");
    free(cpu);
    return rc;
}

const struct engine engine_kvm = {
    .name = "kvm",
    .summary = "the processor's VT-x or SVM, nested by KVM; time",
    .is_auto = true,
    .clocks = true,
    .has_terminal = true,
    .qemu_arguments = true,
    .probe = kvm_probe,
    .command = kvm_command,
    .ending = qemu_ending,
    .where = qemu_where,
};
