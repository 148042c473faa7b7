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
