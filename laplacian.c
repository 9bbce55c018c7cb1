/* laplacian: see laplacian.h. Compile with -O3 -ffp-contract=off. */

#include "laplacian.h"
#include <stdint.h>
#include <stdlib.h>

typedef double real;

/* a * b, or INT64_MAX where that is more; 0 where a or b is not positive. */
static int64_t iv_times(int64_t a, int64_t b) {
    if (a <= 0 || b <= 0) return 0;
    return a > INT64_MAX / b ? INT64_MAX : a * b;
}

/* A bit for each point of a box of n0 .., set for count tuples; NULL where the box has more than
   64 points for each, or there is no memory: then tuples are searched for. */
static uint64_t *iv_bits_2(int64_t count, int64_t n0, int64_t n1, const int64_t *c0, const int64_t *c1) {
    const int64_t points = iv_times(n0, n1);
    if (points <= 0 || (points - 1) / 64 >= count) return NULL;
    uint64_t *bits = calloc((size_t)((points - 1) / 64 + 1), sizeof *bits);
    if (!bits) return NULL;
    for (int64_t e = 0; e < count; e++) {
        const int64_t place = c0[e] * n1 + c1[e];
        bits[place >> 6] |= (uint64_t)1 << (place & 63);
    }
    return bits;
}

/* Whether tuple e comes before (w0, ..). */
static inline int iv_before_2(const int64_t *c0, const int64_t *c1, int64_t w0, int64_t w1, int64_t e) {
    return c0[e] < w0 || (c0[e] == w0 && (c1[e] < w1));
}

/* Whether (w0, ..) is among count sorted tuples; the search begins at *at. */
static inline int iv_search_2(int64_t count, const int64_t *c0, const int64_t *c1, int64_t w0, int64_t w1, int64_t *at) {
    const int64_t next = *at + 1;
    if (next < count && c0[next] == w0 && c1[next] == w1) {
        *at = next;
        return 1;
    }
    int64_t low = -1, high = count, step = 1;
    if (*at < count && iv_before_2(c0, c1, w0, w1, *at)) {
        low = *at;
        while (low + step < count && iv_before_2(c0, c1, w0, w1, low + step)) {
            low += step;
            step *= 2;
        }
        if (low + step < count) high = low + step;
    } else {
        high = *at;
        while (high - step >= 0 && !iv_before_2(c0, c1, w0, w1, high - step)) {
            high -= step;
            step *= 2;
        }
        if (high - step >= 0) low = high - step;
    }
    while (high - low > 1) {
        const int64_t middle = low + (high - low) / 2;
        if (iv_before_2(c0, c1, w0, w1, middle)) low = middle;
        else high = middle;
    }
    *at = high;
    return high < count && c0[high] == w0 && c1[high] == w1;
}

/* Whether (w0, ..) is among count sorted tuples in a box of n0 ..: its bit, where there are bits. */
static inline int iv_member_2(const uint64_t *bits, int64_t count, int64_t n0, int64_t n1, const int64_t *c0, const int64_t *c1,
        int64_t w0, int64_t w1, int64_t *at) {
    if (!bits) return iv_search_2(count, c0, c1, w0, w1, at);
    if (w0 < 0 || w0 >= n0 || w1 < 0 || w1 >= n1) return 0;
    const int64_t place = w0 * n1 + w1;
    return (int)(bits[place >> 6] >> (place & 63) & 1);
}


int64_t laplacian(
    int64_t h,
    int64_t w,
    int64_t entries_of_inside,
    const double * restrict u,
    const int64_t * restrict inside_0,
    const int64_t * restrict inside_1,
    double * restrict energy) {
    int64_t iv_at_0 = 0;
    int64_t iv_at_1 = 0;
    int64_t iv_at_2 = 0;
    int64_t iv_at_3 = 0;
    uint64_t *iv_in_0 = iv_bits_2(entries_of_inside, h, w, inside_0, inside_1);
    real energy_2 = 0.0;
    /* flow */
    for (int64_t e = 0; e < entries_of_inside; e++) {
        int64_t i = inside_0[e];
        int64_t j_5 = inside_1[e];
        real flow_2 = 0.0;
        if (i >= 1) {
            if (iv_member_2(iv_in_0, entries_of_inside, h, w, inside_0, inside_1, i - 1, j_5, &iv_at_0)) {
                flow_2 += u[(i - 1) * w + j_5];
                flow_2 += (-1.0) * u[i * w + j_5];
            }
        }
        if (h >= i + 2) {
            if (iv_member_2(iv_in_0, entries_of_inside, h, w, inside_0, inside_1, i + 1, j_5, &iv_at_1)) {
                flow_2 += u[(i + 1) * w + j_5];
                flow_2 += (-1.0) * u[i * w + j_5];
            }
        }
        if (j_5 >= 1) {
            if (iv_member_2(iv_in_0, entries_of_inside, h, w, inside_0, inside_1, i, j_5 - 1, &iv_at_2)) {
                flow_2 += u[i * w + j_5 - 1];
                flow_2 += (-1.0) * u[i * w + j_5];
            }
        }
        if (w >= j_5 + 2) {
            if (iv_member_2(iv_in_0, entries_of_inside, h, w, inside_0, inside_1, i, j_5 + 1, &iv_at_3)) {
                flow_2 += u[i * w + j_5 + 1];
                flow_2 += (-1.0) * u[i * w + j_5];
            }
        }
        /* energy */
        energy_2 += flow_2 * flow_2;
    }
    energy[0] = energy_2;
    free(iv_in_0);
    return 0;
}
