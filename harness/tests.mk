# Tests of the harness: all but main.c once more with sanitizers, in one library.

HARNESS_TEST_OBJS := $(patsubst harness/%.c,$(B)/tests/harness/%.o,\
    $(filter-out harness/main.c,$(HARNESS_SRCS)) harness/tests/fixture.c)
HARNESS_TEST_LIB := $(B)/tests/libharness.a

$(B)/tests/harness/%.o: harness/%.c
	@mkdir -p $(@D)
	$(CC) $(HOST_CFLAGS) -D_GNU_SOURCE -Iharness -MMD -MP -c -o $@ $<
-include $(HARNESS_TEST_OBJS:.o=.d)

$(HARNESS_TEST_LIB): $(HARNESS_TEST_OBJS)
	@rm -f $@
	$(AR) rcs $@ $(HARNESS_TEST_OBJS)

$(foreach t,stats tap compare parts figure engines,$(eval $(call host_test,harness_$(t),harness/tests/test_$(t).c \
    $(HARNESS_TEST_LIB),-D_GNU_SOURCE -Iharness $(HARNESS_LIBS))))
$(foreach t,cli run bochs hw,$(eval $(call script_test,harness/tests/$(t).t,$(B)/penumbra)))
