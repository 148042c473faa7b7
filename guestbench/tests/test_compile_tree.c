/* The generated sources: the host's compiler must get what the generator says. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../compile_tree.h"
#include "../core/workdir.h"

static char directory[WORKDIR_MAX];

static int enter(void **state)
{
    (void)state;
    return workdir_make("/tmp", directory) == 0 ? chdir(directory) : -1;
}

static int leave(void **state)
{
    (void)state;
    if (chdir("/") != 0)
        return -1;
    workdir_remove(directory);
    return 0;
}

static void test_result(void **state)
{
    struct tree tree;
    char text[16] = "";
    (void)state;
    assert_int_equal(tree_make(&tree, 3, 42), 0);
    assert_int_equal(tree.headers, TREE_INCLUDES_MOST);
    assert_in_range(tree.include_count, 3 * TREE_INCLUDES_LEAST, 3 * TREE_INCLUDES_MOST);
    assert_int_equal(system("gcc -Wall -Werror -Wno-builtin-declaration-mismatch -O0 -nostdlib"
                            " -nostdinc -static -fno-stack-protector -Iinclude0 -Iinclude1"
                            " -Iinclude2 -Iinclude3 -Iinclude4 -Iinclude5 -Iinclude6 -Iinclude7"
                            " -o program main.c part00/*.c"),
                     0);
    FILE *program = popen("./program", "re");
    assert_non_null(program);
    assert_non_null(fgets(text, sizeof text, program));
    assert_int_equal(pclose(program), 0);
    assert_int_equal(strtoul(text, NULL, 16), tree.result);
}

static void test_seed(void **state)
{
    struct tree tree, other;
    (void)state;
    assert_int_equal(tree_make(&tree, 2, 1), 0);
    assert_int_equal(tree_make(&other, 2, 1), 0);
    assert_int_equal(tree.result, other.result);
    assert_int_equal(tree_make(&other, 2, 2), 0);
    assert_int_not_equal(tree.result, other.result);
}

static void test_no_room(void **state)
{
    struct tree tree;
    (void)state;
    assert_int_equal(chdir("/proc"), 0);
    assert_int_equal(tree_make(&tree, 1, 1), -1);
    assert_int_equal(chdir(directory), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_result, enter, leave),
        cmocka_unit_test_setup_teardown(test_seed, enter, leave),
        cmocka_unit_test_setup_teardown(test_no_room, enter, leave),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
