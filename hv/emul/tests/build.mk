EMUL_SRCS := $(wildcard hv/emul/*.c)
EMUL_T := hv/emul/tests

$(eval $(call host_test,emul-native,$(EMUL_T)/test_native.c $(EMUL_T)/native.c $(EMUL_T)/native_asm.S $(EMUL_T)/machine.c $(EMUL_SRCS),$(HOST_HV)))
