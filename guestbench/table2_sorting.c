/*
 * Table 2: Numeric Sort and String Sort (Nbench): heapsort of numbers, and of
 * strings that lie packed in one area, so that exchanging two moves all between.
 */
#include <string.h>

#include "core/bench.h"
#include "nbench_random.h"

enum {
    NUMBERS = 8111,
    AREA = 8111,
    LONGEST = 76,
    STRINGS = AREA / 2 + 1,
    ROOM = AREA + LONGEST + 1
};

static int32_t unsorted[NUMBERS], numbers[NUMBERS];

static void numeric_setup(struct bench_run *run)
{
    struct nbench_random random = NBENCH_RANDOM_START;
    (void)run;
    for (int i = 0; i < NUMBERS; i++)
        unsorted[i] = nbench_random_next(&random);
}

static void sift_number(int32_t *heap, size_t root, size_t last)
{
    for (size_t child; (child = root * 2 + 1) <= last; root = child) {
        int32_t parent = heap[root];
        if (child < last && heap[child] < heap[child + 1])
            child++;
        if (parent >= heap[child])
            return;
        heap[root] = heap[child];
        heap[child] = parent;
    }
}

static void sort_numbers(int32_t *heap, size_t n)
{
    for (size_t root = n / 2; root-- > 0;)
        sift_number(heap, root, n - 1);
    for (size_t last = n - 1; last > 0; last--) {
        int32_t largest = heap[0];
        heap[0] = heap[last];
        heap[last] = largest;
        sift_number(heap, 0, last - 1);
    }
}

static void numeric_iter(struct bench_run *run, uint64_t n)
{
    (void)run;
    for (; n > 0; n--) {
        memcpy(numbers, unsorted, sizeof numbers);
        sort_numbers(numbers, NUMBERS);
    }
}

/* In order, and the same numbers by their sum. */
static void numeric_verify(struct bench_run *run)
{
    int64_t difference = numbers[0] - (int64_t)unsorted[0];
    for (int i = 1; i < NUMBERS; i++) {
        if (numbers[i] < numbers[i - 1])
            bench_mismatch(run, numbers[i - 1], numbers[i]);
        difference += numbers[i] - (int64_t)unsorted[i];
    }
    if (difference != 0)
        bench_mismatch(run, 0, (double)difference);
    memset(numbers, 0, sizeof numbers);
}

/* Each string is a byte with its length, and that many bytes. */
struct strings {
    uint8_t area[ROOM];
    uint16_t offset[STRINGS];
    size_t n;
};
static struct strings unsorted_strings, strings;

static void string_setup(struct bench_run *run)
{
    struct nbench_random random = NBENCH_RANDOM_START;
    struct strings *list = &unsorted_strings;
    size_t at = 0;
    (void)run;
    for (list->n = 0; at < AREA; list->n++) {
        size_t length = (size_t)nbench_random_below(&random, LONGEST) + 1;
        if (at + 1 + length > AREA)
            length = AREA - at - 1;
        list->offset[list->n] = (uint16_t)at;
        list->area[at++] = (uint8_t)length;
        for (; length > 0; length--)
            list->area[at++] = (uint8_t)nbench_random_below(&random, 254);
    }
}

static const uint8_t *string_at(const struct strings *list, size_t i)
{
    return list->area + list->offset[i];
}

static int compare_strings(const uint8_t *a, const uint8_t *b)
{
    int order = memcmp(a + 1, b + 1, *a < *b ? *a : *b);
    return order ? order : *a - *b;
}

/* Makes string i one of size bytes: all behind it moves, and so do its offsets. */
static void resize_string(struct strings *list, size_t i, size_t size)
{
    size_t old = *string_at(list, i) + 1u;
    if (old == size || i == list->n - 1)
        return;
    size_t behind = list->offset[i + 1];
    size_t end = list->offset[list->n - 1] + *string_at(list, list->n - 1) + 1u;
    memmove(list->area + behind + size - old, list->area + behind, end - behind);
    for (size_t k = i + 1; k < list->n; k++)
        list->offset[k] = (uint16_t)(list->offset[k] + size - old);
}

static void put_string(struct strings *list, size_t i, const uint8_t *string)
{
    resize_string(list, i, *string + 1u);
    memcpy(list->area + list->offset[i], string, *string + 1u);
}

/* In between the area holds one of the two twice: ROOM is for that. */
static void swap_strings(struct strings *list, size_t i, size_t j)
{
    uint8_t first[LONGEST + 1], second[LONGEST + 1];
    memcpy(first, string_at(list, i), *string_at(list, i) + 1u);
    memcpy(second, string_at(list, j), *string_at(list, j) + 1u);
    put_string(list, i, second);
    put_string(list, j, first);
}

static void sift_string(struct strings *list, size_t root, size_t last)
{
    for (size_t child; (child = root * 2 + 1) <= last; root = child) {
        if (child < last && compare_strings(string_at(list, child), string_at(list, child + 1)) < 0)
            child++;
        if (compare_strings(string_at(list, root), string_at(list, child)) >= 0)
            return;
        swap_strings(list, root, child);
    }
}

static void string_iter(struct bench_run *run, uint64_t n)
{
    (void)run;
    for (; n > 0; n--) {
        strings = unsorted_strings;
        for (size_t root = strings.n / 2; root-- > 0;)
            sift_string(&strings, root, strings.n - 1);
        for (size_t last = strings.n - 1; last > 0; last--) {
            swap_strings(&strings, 0, last);
            sift_string(&strings, 0, last - 1);
        }
    }
}

/* How often a string is in a list. */
static size_t occurrences(const struct strings *list, const uint8_t *string)
{
    size_t count = 0;
    for (size_t i = 0; i < list->n; i++)
        count += compare_strings(string_at(list, i), string) == 0;
    return count;
}

static void string_verify(struct bench_run *run)
{
    for (size_t i = 0; i < strings.n; i++) {
        const uint8_t *string = string_at(&strings, i);
        size_t expected = occurrences(&unsorted_strings, string);
        if (i > 0 && compare_strings(string_at(&strings, i - 1), string) > 0)
            bench_fail(run, 0, "string %zu of %zu is out of order", i, strings.n);
        if (expected == 0 || occurrences(&strings, string) != expected)
            bench_mismatch(run, (double)expected, (double)occurrences(&strings, string));
    }
    memset(&strings, 0, sizeof strings);
}

static const struct bench sorting[] = {
    {.name = "nbench.numeric_sort",
     .table = "2",
     .unit = "arrays/s",
     .what = "heapsorts of 8111 32-bit numbers",
     .flags = BENCH_EXTRA,
     .ops = 1,
     .setup = numeric_setup,
     .iter = numeric_iter,
     .verify = numeric_verify},
    {.name = "nbench.string_sort",
     .table = "2",
     .unit = "arrays/s",
     .what = "heapsorts of 8111 bytes of strings that are moved",
     .flags = BENCH_EXTRA,
     .ops = 1,
     .setup = string_setup,
     .iter = string_iter,
     .verify = string_verify},
};

BENCH_TABLE(sorting);
