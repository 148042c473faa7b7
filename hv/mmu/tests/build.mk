HV_MMU_SRCS := $(wildcard hv/mmu/*.c) hv/lib/fmt.c

$(eval $(call host_test,mmu-random,hv/mmu/tests/test_random.c hv/mmu/tests/model.c $(HV_MMU_SRCS),$(HOST_HV)))
$(eval $(call host_test,mmu-exits,hv/mmu/tests/test_exits.c hv/mmu/tests/vm.c $(HV_MMU_SRCS),$(HOST_HV)))
$(eval $(call host_test,mmu-walk,hv/mmu/tests/test_walk.c hv/mmu/tests/vm.c $(HV_MMU_SRCS),$(HOST_HV)))

$(B)/bench-mmu: hv/mmu/tests/bench.c $(HV_MMU_SRCS)
	$(CC) -std=gnu11 -O2 -g $(WARN) -fno-strict-aliasing $(HOST_HV) -o $@ $^

.PHONY: bench-mmu
bench-mmu: $(B)/bench-mmu ##  instructions per operation of the shadow paging code
	hv/mmu/tests/bench.sh $(B)/bench-mmu
