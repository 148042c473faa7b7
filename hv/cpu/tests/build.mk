# Tests of what of hv/cpu needs no virtualization to run.

$(eval $(call host_test,vmx-real,hv/cpu/tests/test_vmx_real.c hv/cpu/vmx/real.c hv/cpu/reset.c,$(HOST_HV)))
$(eval $(call host_test,vmx-check,hv/cpu/tests/test_vmx_check.c hv/cpu/vmx/check.c hv/cpu/vmx/check_fields.c,$(HOST_HV)))
$(eval $(call host_test,svm-event,hv/cpu/tests/test_svm_event.c hv/cpu/svm/event.c,$(HOST_HV)))
