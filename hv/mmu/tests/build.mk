HV_MMU_SRCS := $(wildcard hv/mmu/*.c) hv/lib/fmt.c

$(eval $(call host_test,mmu-random,hv/mmu/tests/test_random.c hv/mmu/tests/model.c $(HV_MMU_SRCS),$(HOST_HV)))
