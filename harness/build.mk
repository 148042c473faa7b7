# The `penumbra` command: build/penumbra.

HARNESS_SRCS := $(sort $(wildcard harness/*.c))
HARNESS_OBJS := $(HARNESS_SRCS:harness/%.c=$(B)/harness/%.o)
HARNESS_CFLAGS := -std=gnu11 -D_GNU_SOURCE -O2 -g $(WARN) -Iharness
HARNESS_LIBS := -lyaml -ljansson -lm

$(B)/harness/%.o: harness/%.c
	@mkdir -p $(@D)
	$(CC) $(HARNESS_CFLAGS) -MMD -MP -c -o $@ $<
-include $(HARNESS_OBJS:.o=.d)

$(B)/penumbra: $(HARNESS_OBJS)
	$(CC) -o $@ $(HARNESS_OBJS) $(HARNESS_LIBS)

# Loaded into QEMU; counts instructions.
$(B)/insns.so: harness/plugin/insns.c harness/plugin/qemu_plugin.h
	@mkdir -p $(@D)
	$(CC) -std=gnu11 -O2 -g $(WARN) -shared -fPIC -o $@ $<

all: $(B)/penumbra $(B)/insns.so
include harness/tests.mk

# Both sides of one guest, one after the other; `not ok` points (status 1) still compare.
# The long timeout is for machines that do other things too. APPEND adds words to the guest kernel's command
# line: `make bench-exits APPEND=libata.dma=0` measures PIO.
PENUMBRA_RUN = $(B)/penumbra run --timeout 600 --engine $(ENGINE) --guest $(GUEST) --set $(SET) \
    $(if $(APPEND),--append '$(APPEND)')
run_sides = $(PENUMBRA_RUN) --side native -o $(O)/$(1)native.tap $(2) || [ $$? = 1 ]; \
    $(PENUMBRA_RUN) --side hvm -o $(O)/$(1)hvm.tap $(2) || [ $$? = 1 ]

compare: setup ##  run GUEST natively and under the hypervisor, compare
	+@$(MAKE) --no-print-directory compare-run

compare-run: all image
	set -e; $(call run_sides,)
	$(B)/penumbra compare --json -o $(O)/compare.json $(O)/native.tap $(O)/hvm.tap
	$(B)/penumbra compare $(O)/native.tap $(O)/hvm.tap

noise: setup ##  run GUEST natively twice: what differs is noise
	+@$(MAKE) --no-print-directory noise-run

noise-run: all image
	set -e; for run in first second; do \
	    $(PENUMBRA_RUN) --side native -o $(O)/noise-$$run.tap || [ $$? = 1 ]; done
	$(B)/penumbra compare --aa $(O)/noise-first.tap $(O)/noise-second.tap

EXIT_TESTS := exit.*,disk.*,page_test,fork_test,exec_test,shell_rtns_1,memorymotion,pipe_ctx,brk_test,pipe_cpy,add_int,fun_cal

bench-exits: setup ##  instructions and exits per operation of GUEST, both sides
	+@$(MAKE) --no-print-directory bench-exits-run

bench-exits-run: all image
	set -e; $(call run_sides,exits-,--only '$(EXIT_TESTS)')
	$(B)/penumbra exits --reasons $(O)/exits-native.tap $(O)/exits-hvm.tap

.PHONY: noise noise-run compare-run bench-exits-run
