EMUL_SRCS := $(wildcard hv/emul/*.c)
EMUL_T := hv/emul/tests

$(eval $(call host_test,emul-native,$(EMUL_T)/test_native.c $(EMUL_T)/forms.c $(EMUL_T)/native.c $(EMUL_T)/native_asm.S $(EMUL_T)/machine.c $(EMUL_SRCS),$(HOST_HV)))
$(eval $(call host_test,emul-decode,$(EMUL_T)/test_decode.c $(EMUL_T)/insns.S $(EMUL_T)/machine.c $(EMUL_SRCS),$(HOST_HV)))
$(eval $(call host_test,emul-fuzz,$(EMUL_T)/test_fuzz.c $(EMUL_T)/machine.c $(EMUL_SRCS),$(HOST_HV)))
$(eval $(call host_test,emul-access,$(EMUL_T)/test_access.c $(EMUL_T)/machine.c $(EMUL_SRCS),$(HOST_HV)))
$(eval $(call host_test,emul-task,$(EMUL_T)/test_task.c $(EMUL_T)/machine.c $(EMUL_SRCS),$(HOST_HV)))
$(eval $(call host_test,emul-system,$(EMUL_T)/test_system.c $(EMUL_T)/machine.c $(EMUL_SRCS),$(HOST_HV)))
$(eval $(call host_test,emul-opcodes,$(EMUL_T)/test_opcodes.c $(EMUL_T)/forms.c $(EMUL_T)/machine.c $(EMUL_SRCS),$(HOST_HV)))
$(eval $(call host_test,emul-far,$(EMUL_T)/test_far.c $(EMUL_T)/machine.c $(EMUL_SRCS),$(HOST_HV)))
