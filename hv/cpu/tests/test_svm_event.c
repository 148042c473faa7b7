/* Events in the VMCB: what an entry delivers, and what an exit says of it. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "cpu/svm/svm.h"

enum { TPR = 5, VECTOR = 0x3e };

static struct vmcb vmcb;
static struct svm_vcpu svm;
static struct vcpu *const v = &svm.vcpu;

static int start(void **state)
{
    (void)state;
    memset(&vmcb, 0, sizeof vmcb);
    memset(&svm, 0, sizeof svm);
    svm.vmcb = &vmcb;
    svm_event_reset(&svm);
    vmcb.v_intr |= TPR; /* the guest's, by CR8 */
    return 0;
}

static void inject_intr(void)
{
    svm_inject(v, &(struct event){.type = EVENT_INTR, .vector = VECTOR});
}

/* The virtual interrupt, and whether its intercept is on. */
static void expect_virtual(u64 v_intr, bool intercept)
{
    assert_int_equal(vmcb.v_intr, v_intr | V_INTR_MASKING | TPR);
    assert_int_equal(!!(vmcb.misc1 & INT_VINTR), intercept);
}

static void interrupt_is_virtual(void **state)
{
    (void)state;
    inject_intr();
    expect_virtual(V_IRQ | V_IGN_TPR | (u64)VECTOR << V_VECTOR_SHIFT, false);
    assert_int_equal(vmcb.event_inject, 0);
}

static void delivered_interrupt_is_gone(void **state)
{
    (void)state;
    inject_intr();
    vmcb.v_intr &= ~V_IRQ; /* as the CPU does */
    svm_event_exit(&svm);
    assert_int_equal(v->interrupted.type, EVENT_NONE);
    expect_virtual(0, false);
}

/* What EXITINTINFO says then is nothing, or in QEMU an exception of that vector. */
static void interrupt_that_waits_is_interrupted(void **state)
{
    static const u64 info[] = {0, SVM_EVENT_VALID | SVM_EVENT_INTR << 8 | VECTOR,
                               SVM_EVENT_VALID | SVM_EVENT_EXCEPTION << 8 | VECTOR};
    (void)state;
    for (unsigned i = 0; i < array_size(info); i++) {
        inject_intr();
        vmcb.exit_int_info = info[i];
        svm_event_exit(&svm);
        assert_int_equal(v->interrupted.type, EVENT_INTR);
        assert_int_equal(v->interrupted.vector, VECTOR);
        assert_false(v->interrupted.has_error);
        expect_virtual(0, false);
    }
}

static void window_is_an_intercept(void **state)
{
    (void)state;
    svm_intr_window(v, true);
    expect_virtual(V_IRQ | V_IGN_TPR, true);
    svm_event_exit(&svm);
    assert_int_equal(v->interrupted.type, EVENT_NONE);
    expect_virtual(V_IRQ | V_IGN_TPR, true);
    svm_intr_window(v, false);
    expect_virtual(0, false);
}

/* The order of an exit by the window: the interrupt is injected, then the window closed. */
static void closing_the_window_keeps_the_interrupt(void **state)
{
    (void)state;
    svm_intr_window(v, true);
    inject_intr();
    expect_virtual(V_IRQ | V_IGN_TPR | (u64)VECTOR << V_VECTOR_SHIFT, false);
    svm_intr_window(v, false);
    expect_virtual(V_IRQ | V_IGN_TPR | (u64)VECTOR << V_VECTOR_SHIFT, false);
}

static void window_comes_back_after_the_interrupt(void **state)
{
    (void)state;
    inject_intr();
    svm_intr_window(v, true);
    expect_virtual(V_IRQ | V_IGN_TPR | (u64)VECTOR << V_VECTOR_SHIFT, false);
    vmcb.v_intr &= ~V_IRQ;
    svm_event_exit(&svm);
    expect_virtual(V_IRQ | V_IGN_TPR, true);
}

static void exceptions_and_nmis_are_events(void **state)
{
    (void)state;
    svm_inject(v, &(struct event){.type = EVENT_EXCEPTION,
                                  .vector = VEC_PF,
                                  .has_error = true,
                                  .error = 2,
                                  .cr2 = 0x1000});
    assert_int_equal(vmcb.event_inject, SVM_EVENT_VALID | SVM_EVENT_ERROR | 3 << 8 | VEC_PF |
                                            2ull << SVM_EVENT_ERROR_SHIFT);
    assert_int_equal(vmcb.cr2, 0x1000);
    svm_event_exit(&svm);
    assert_int_equal(vmcb.event_inject, 0);
    svm_inject(v, &(struct event){.type = EVENT_NMI, .vector = VEC_NMI});
    assert_int_equal(vmcb.event_inject, SVM_EVENT_VALID | 2 << 8 | VEC_NMI);
    assert_true(svm_nmi_blocked(v));
    svm_block_nmi(v, false);
    assert_false(svm_nmi_blocked(v));
    expect_virtual(0, false);
}

static void interrupted_events_have_their_type(void **state)
{
    (void)state;
    vmcb.exit_int_info = VEC_PF | 3 << 8 | SVM_EVENT_ERROR; /* stale */
    svm_event_exit(&svm);
    assert_int_equal(v->interrupted.type, EVENT_NONE);
    vmcb.exit_int_info |= SVM_EVENT_VALID | 6ull << SVM_EVENT_ERROR_SHIFT;
    svm_event_exit(&svm);
    assert_int_equal(v->interrupted.type, EVENT_EXCEPTION);
    assert_int_equal(v->interrupted.error, 6);
    vmcb.exit_int_info = SVM_EVENT_VALID | 3 << 8 | VEC_BP; /* INT3 */
    svm_event_exit(&svm);
    assert_int_equal(v->interrupted.type, EVENT_SOFT);
    vmcb.exit_int_info = SVM_EVENT_VALID | 4 << 8 | 0x80;
    svm_event_exit(&svm);
    assert_int_equal(v->interrupted.type, EVENT_SOFT);
    vmcb.exit_int_info = SVM_EVENT_VALID | 2 << 8 | VEC_NMI;
    svm_event_exit(&svm);
    assert_int_equal(v->interrupted.type, EVENT_NMI);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(interrupt_is_virtual, start),
        cmocka_unit_test_setup(delivered_interrupt_is_gone, start),
        cmocka_unit_test_setup(interrupt_that_waits_is_interrupted, start),
        cmocka_unit_test_setup(window_is_an_intercept, start),
        cmocka_unit_test_setup(closing_the_window_keeps_the_interrupt, start),
        cmocka_unit_test_setup(window_comes_back_after_the_interrupt, start),
        cmocka_unit_test_setup(exceptions_and_nmis_are_events, start),
        cmocka_unit_test_setup(interrupted_events_have_their_type, start),
    };
    return cmocka_run_group_tests_name("svm-event", tests, NULL, NULL);
}
