/*
 * The suite's own sort: musl's qsort is a smoothsort, whose cost has little in
 * common with that of the quicksorts that AIM9 was run with.
 */
#ifndef GUESTBENCH_SORT_INTS_H
#define GUESTBENCH_SORT_INTS_H

#include <stddef.h>

/* Sorts n ints as compare says, in the manner of qsort; quicksort, not stable. */
void sort_ints(int *values, size_t n, int (*compare)(const void *, const void *));

#endif
