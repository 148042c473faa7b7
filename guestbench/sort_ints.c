#include "sort_ints.h"

enum { SHORT = 12 };

static void swap(int *a, int *b)
{
    int other = *a;
    *a = *b;
    *b = other;
}

static void insertion_sort(int *values, size_t n, int (*compare)(const void *, const void *))
{
    for (size_t i = 1; i < n; i++) {
        for (size_t at = i; at > 0 && compare(&values[at - 1], &values[at]) > 0; at--)
            swap(&values[at - 1], &values[at]);
    }
}

/* Puts the median of the first, middle and last value into the middle. */
static void median_of_three(int *first, int *middle, int *last,
                            int (*compare)(const void *, const void *))
{
    if (compare(first, middle) > 0)
        swap(first, middle);
    if (compare(middle, last) > 0) {
        swap(middle, last);
        if (compare(first, middle) > 0)
            swap(first, middle);
    }
}

/* Hoare's partition. Returns how many values are in the lower part, 1 to n - 1. */
static size_t partition(int *values, size_t n, int (*compare)(const void *, const void *))
{
    size_t low = 0, high = n - 1;
    median_of_three(values, &values[n / 2], &values[high], compare);
    int pivot = values[n / 2];
    for (;;) {
        while (compare(&values[low], &pivot) < 0)
            low++;
        while (compare(&values[high], &pivot) > 0)
            high--;
        if (low >= high)
            return high + 1;
        swap(&values[low++], &values[high--]);
    }
}

/* The smaller part is the one that recurses: log2(n) deep at most. */
void sort_ints(int *values, size_t n, int (*compare)(const void *, const void *))
{
    while (n > SHORT) {
        size_t lower = partition(values, n, compare);
        if (lower < n - lower) {
            sort_ints(values, lower, compare);
            values += lower;
            n -= lower;
        } else {
            sort_ints(values + lower, n - lower, compare);
            n = lower;
        }
    }
    insertion_sort(values, n, compare);
}
