// Whether this machine's KVM runs guests by hardware, and guests that are hypervisors.
#pragma once
#include "engine.h"

// Looks at /proc, /sys and /dev below `root` ("" is this machine). A native machine needs a processor
// with VT-x or SVM and access to /dev/kvm; side_hvm also needs nesting. 0 if all is there; else -1 and
// each thing that lacks in `missing`.
int kvm_probe_host(const char *root, enum side side, struct buf *missing);
