/* laplacian
 *
 * in   u: double[h][w], row-major
 * in   inside_0: int64_t[entries_of_inside], row-major
 * in   inside_1: int64_t[entries_of_inside], row-major
 * out  energy: double[], row-major
 * the tuples (inside_0, inside_1) are distinct and sorted
 * no two arrays overlap; indices are within their sorts
 * returns 0; or -2: no memory, -1: floor of NaN or of a number beyond 64 bits
 */
#ifndef IVERSON_LAPLACIAN_H
#define IVERSON_LAPLACIAN_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

int64_t laplacian(
    int64_t h,
    int64_t w,
    int64_t entries_of_inside,
    const double *u,
    const int64_t *inside_0,
    const int64_t *inside_1,
    double *energy);

#ifdef __cplusplus
}
#endif

#endif
