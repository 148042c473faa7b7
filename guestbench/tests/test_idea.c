/* IDEA against the vector of its authors, and back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "../core/random.h"
#include "../idea.h"

/* Lai, On the Design and Security of Block Ciphers, 1992: key 1 to 8, text 0 to 3. */
static void test_vector(void **state)
{
    const uint16_t key[8] = {1, 2, 3, 4, 5, 6, 7, 8}, plain[4] = {0, 1, 2, 3};
    const uint16_t expected[4] = {0x11FB, 0xED2B, 0x0198, 0x6DE5};
    struct idea_schedule schedule;
    uint16_t secret[4];
    (void)state;
    idea_expand(&schedule, key);
    idea_block(&schedule, plain, secret);
    assert_memory_equal(secret, expected, sizeof expected);
}

/* Words of 0, which stand for 65536, among them. */
static void test_inverse(void **state)
{
    uint64_t seed = 1;
    (void)state;
    for (int i = 0; i < 1000; i++) {
        struct idea_schedule schedule, inverse;
        uint16_t key[8], plain[4], secret[4], back[4];
        for (int k = 0; k < 8; k++)
            key[k] = (uint16_t)(random_below(&seed, 4) ? random_next(&seed) : 0);
        for (int k = 0; k < 4; k++)
            plain[k] = (uint16_t)(random_below(&seed, 4) ? random_next(&seed) : 0);
        idea_expand(&schedule, key);
        idea_invert(&inverse, &schedule);
        idea_block(&schedule, plain, secret);
        idea_block(&inverse, secret, back);
        assert_memory_equal(back, plain, sizeof plain);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_vector),
        cmocka_unit_test(test_inverse),
    };
    return cmocka_run_group_tests_name("guestbench IDEA", tests, NULL, NULL);
}
