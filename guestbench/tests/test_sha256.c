/* The examples of FIPS 180-4 and the lengths at which padding changes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <string.h>

#include "../core/sha256.h"

static void expect(const void *data, size_t size, const char *digest)
{
    struct sha256 hash;
    char hex[65];
    sha256_init(&hash);
    sha256_update(&hash, data, size);
    sha256_final(&hash, hex);
    assert_string_equal(hex, digest);
}

static void test_examples(void **state)
{
    (void)state;
    expect("", 0, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    expect("abc", 3, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    expect("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 56,
           "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
}

static void test_million(void **state)
{
    (void)state;
    struct sha256 hash;
    char hex[65], part[1000];
    memset(part, 'a', sizeof part);
    sha256_init(&hash);
    for (int i = 0; i < 1000; i++)
        sha256_update(&hash, part, sizeof part);
    sha256_final(&hash, hex);
    assert_string_equal(hex, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

/* However the input is cut up, the digest is the same. */
static void test_pieces(void **state)
{
    (void)state;
    char data[200], whole[65], pieces[65];
    struct sha256 hash;
    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (char)(i * 7);
    for (size_t size = 50; size <= 130; size++) {
        sha256_init(&hash);
        sha256_update(&hash, data, size);
        sha256_final(&hash, whole);
        sha256_init(&hash);
        for (size_t at = 0; at < size; at++)
            sha256_update(&hash, data + at, 1);
        sha256_final(&hash, pieces);
        assert_string_equal(whole, pieces);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_examples),
        cmocka_unit_test(test_million),
        cmocka_unit_test(test_pieces),
    };
    return cmocka_run_group_tests_name("guestbench sha256", tests, NULL, NULL);
}
