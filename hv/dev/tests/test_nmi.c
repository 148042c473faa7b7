/* The board's NMI logic from its data sheet (82371AB, 4.2.4). */

#include "fake.h"

#define SERR 0x80
#define IOCHK 0x40
#define STATUS (SERR | IOCHK)

/* Has one come to the CPU? It is taken. */
static bool came(struct fake *f)
{
    bool nmi = machine_nmi(f->m);
    assert_int_equal(machine_pins(f->m) & CPU_NMI, nmi ? CPU_NMI : 0);
    machine_nmi_take(f->m);
    return nmi;
}

static void mask(void **state)
{
    struct fake *f = *state;
    machine_nmi_request(f->m, 0);
    assert_false(came(f)); /* masked by RESET */
    outb(f, 0x70, 0x0d);
    assert_true(came(f)); /* it has waited */
    assert_false(came(f));
    machine_nmi_request(f->m, 0);
    assert_true(came(f));
    outb(f, 0x70, 0x8d);
    machine_nmi_request(f->m, 0);
    machine_nmi_request(f->m, 0);
    assert_false(came(f));
    outb(f, 0x72, 0x0d); /* the second bank's index has no mask */
    assert_false(came(f));
    outb(f, 0x70, 0x0d);
    assert_true(came(f)); /* two are one */
    outb(f, 0x70, 0x8d);
    outb(f, 0x70, 0x0d);
    assert_false(came(f));
}

/* What the CPU has latched is past the mask. */
static void latch(void **state)
{
    struct fake *f = *state;
    outb(f, 0x70, 0x0d);
    machine_nmi_request(f->m, 0);
    outb(f, 0x70, 0x8d);
    assert_true(came(f));
    machine_nmi_request(f->m, 0);
    outb(f, 0x70, 0x0d);
    machine_nmi_request(f->m, 0);
    assert_true(came(f));
    assert_false(came(f));
}

static void sources(void **state)
{
    struct fake *f = *state;
    outb(f, 0x70, 0x0d);
    assert_int_equal(inb(f, 0x61) & STATUS, 0);
    machine_nmi_request(f->m, SERR);
    assert_true(came(f));
    assert_int_equal(inb(f, 0x61) & STATUS, SERR);
    machine_nmi_request(f->m, IOCHK); /* the line is up already: no edge */
    assert_false(came(f));
    assert_int_equal(inb(f, 0x61) & STATUS, STATUS);
    outb(f, 0x61, 0x04); /* clears and shuts SERR# */
    assert_int_equal(inb(f, 0x61) & (STATUS | 0x0f), IOCHK | 0x04);
    machine_nmi_request(f->m, SERR);
    assert_int_equal(inb(f, 0x61) & STATUS, IOCHK);
    outb(f, 0x70, 0x8d); /* the manual's way to find what came meanwhile: down and up */
    outb(f, 0x70, 0x0d);
    assert_true(came(f));
    outb(f, 0x61, 0x08);
    outb(f, 0x61, 0x00);
    outb(f, 0x70, 0x8d);
    outb(f, 0x70, 0x0d);
    assert_false(came(f));
    assert_int_equal(inb(f, 0x61) & STATUS, 0);
    machine_nmi_request(f->m, SERR);
    assert_true(came(f));
}

/* A level that goes away behind the mask has never been. */
static void masked_source(void **state)
{
    struct fake *f = *state;
    machine_nmi_request(f->m, IOCHK);
    assert_int_equal(inb(f, 0x61) & STATUS, IOCHK);
    outb(f, 0x61, 0x08);
    outb(f, 0x70, 0x0d);
    assert_false(came(f));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FAKE_TEST(mask),
        FAKE_TEST(latch),
        FAKE_TEST(sources),
        FAKE_TEST(masked_source),
    };
    return cmocka_run_group_tests_name("dev-nmi", tests, NULL, NULL);
}
