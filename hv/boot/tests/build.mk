# Tests of what the hypervisor is told at its start.

$(eval $(call host_test,boot-multiboot,hv/boot/tests/test_multiboot.c hv/boot/multiboot.c hv/lib/fmt.c,$(HOST_HV)))
$(eval $(call host_test,boot-options,hv/boot/tests/test_options.c hv/boot/options.c hv/lib/fmt.c,$(HOST_HV)))
