# The hypervisor: build/hv.elf, freestanding. mmu, emul, dev and lib are built
# a second time for the host by their tests.

HV_SRCS := $(sort $(wildcard hv/lib/*.c hv/boot/*.c hv/boot/*.S hv/host/*.c hv/host/*.S \
    hv/cpu/*.c hv/cpu/svm/*.c hv/cpu/svm/*.S hv/cpu/vmx/*.c hv/cpu/vmx/*.S hv/mmu/*.c hv/emul/*.c hv/dev/*.c hv/vm/*.c))
HV_OBJS := $(patsubst hv/%,$(B)/hv/%.o,$(HV_SRCS))
HV_CFLAGS := -std=gnu11 -O2 -g $(WARN) -ffreestanding -mgeneral-regs-only -mno-red-zone -fno-pic -fno-pie \
    -fno-stack-protector -fno-asynchronous-unwind-tables -fcf-protection=none -fno-strict-aliasing -Ihv

# An exit passes through six folders: inlined across files it takes a tenth fewer instructions. memcpy and
# its like have no caller before the compiler makes them, so they keep out of it.
HV_LTO := -flto
$(B)/hv/lib/mem.c.o: HV_LTO :=

$(B)/hv/%.o: hv/%
	@mkdir -p $(@D)
	$(CC) $(HV_CFLAGS) $(HV_LTO) -MMD -MP -c -o $@ $<
-include $(HV_OBJS:.o=.d)

# Multiboot 1 loaders take a 32-bit ELF file only; the code inside is 64-bit.
$(B)/hv.elf: hv/boot/hv.lds $(HV_OBJS)
	$(CC) $(HV_CFLAGS) -flto=auto -nostdlib -static -no-pie -Wl,-z,noexecstack \
	    -Wl,-z,max-page-size=4096 -Wl,--build-id=none -T hv/boot/hv.lds -o $@.64 $(HV_OBJS)
	objcopy -O elf32-i386 $@.64 $@

all: $(B)/hv.elf

HOST_HV := -Ihv
HV_LIB_SRCS := $(filter-out hv/lib/mem.c,$(wildcard hv/lib/*.c))
-include $(wildcard hv/*/tests/build.mk)
