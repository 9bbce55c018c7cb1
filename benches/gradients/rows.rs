//! The functions of the examples, at sizes at which a call of the result takes some milliseconds or more.

/// How an index tensor is filled.
#[derive(Clone, Copy)]
pub(super) enum Fill {
    /// Ascending, from the least value to the greatest.
    Ascending,
    /// A permutation.
    Permuted,
    /// At place k a number of `k + 1 .. k + 6`, at most the greatest.
    Above,
    /// At place k the half of k.
    Half,
}

/// A function at a size.
pub(super) struct Row {
    pub(super) file: &'static str,
    pub(super) function: &'static str,
    /// Those that the others do not fix.
    pub(super) sizes: &'static [(&'static str, u64)],
    /// Index tensors that a clause asks for; all others are random.
    pub(super) given: &'static [(&'static str, Fill)],
    /// Numbers at which the function is called; all others are random.
    pub(super) at: &'static [(&'static str, f64)],
    /// Whether the gradient, dense here, has more zeros by structure than the result reads entries.
    pub(super) zeros: bool,
}

const fn row(
    file: &'static str,
    function: &'static str,
    sizes: &'static [(&'static str, u64)],
) -> Row {
    Row { file, function, sizes, given: &[], at: &[], zeros: false }
}

/// By file, in the order of its text.
pub(super) const ROWS: &[Row] = &[
    row("arap", "arap", &[("h", 600), ("w", 600)]),
    row("attention", "attention", &[("n", 2000), ("m", 2000), ("d", 64), ("e", 64)]),
    row("attention", "causal_attention", &[("n", 2000), ("d", 64), ("e", 64)]),
    row("bilinear", "bilinear", &[("h", 1000), ("w", 1000), ("n", 1_000_000)]),
    row("blur", "blur", &[("n", 4_000_000)]),
    row("blur", "blur_image", &[("h", 2000), ("w", 2000)]),
    row("bundle_adjustment", "bundle_adjustment", &[("n", 100), ("m", 10_000), ("p", 100_000)]),
    row("catenary", "catenary", &[("n", 2_000_000)]),
    row("conjugate_gradient", "cg_step", &[("n", 2000)]),
    row("conjugate_gradient", "two_steps", &[("n", 2000)]),
    row("conjugate_gradient", "conjugate_gradient", &[("n", 1000), ("steps", 50)]),
    row("convolution", "correlate", &[("n", 1_000_000), ("k", 31)]),
    row("convolution", "convolve", &[("n", 1_000_000), ("k", 31)]),
    row("convolution", "convolve_image", &[("h", 1000), ("w", 1000), ("a", 3), ("b", 3)]),
    Row {
        given: &[("start", Fill::Ascending)],
        ..row("csr", "csr", &[("n", 100_000), ("m", 100_000), ("nnz", 2_000_000)])
    },
    row("dot", "dot", &[("n", 4_000_000)]),
    row("edit_distance", "edit_distance", &[("n", 1500), ("m", 1500), ("letters", 4)]),
    row("embedding", "embedding", &[("v", 20_000), ("d", 64), ("b", 20_000)]),
    row("factorization", "factorization", &[("n", 1000), ("m", 1000), ("r", 20)]),
    row(
        "factorization",
        "completion",
        &[("n", 20_000), ("m", 20_000), ("r", 20), ("known", 500_000)],
    ),
    row("histogram", "histogram", &[("n", 4_000_000), ("m", 1000)]),
    row("histogram", "weigh", &[("n", 4_000_000), ("m", 1000)]),
    row("image_gradient", "image_gradient", &[("h", 2000), ("w", 2000)]),
    row("jacobi", "jacobi", &[("n", 1000), ("steps", 20)]),
    row("jacobi", "heat", &[("n", 100_000), ("steps", 50)]),
    row("kmeans", "kmeans", &[("n", 200_000), ("k", 15), ("d", 8)]),
    row("laplacian", "laplacian", &[("h", 1000), ("w", 1000)]),
    Row {
        given: &[("next", Fill::Above)],
        ..row("linked_list", "linked_list", &[("n", 2_000_000)])
    },
    row("lstm", "lstm", &[("T", 100), ("d", 128), ("h", 128)]),
    row("matvec", "matvec", &[("n", 2000), ("m", 2000)]),
    row("matvec", "twice", &[("n", 2000), ("m", 2000), ("k", 2000)]),
    row("median", "median", &[("k", 2000)]),
    row("message_passing", "message_passing", &[("n", 20_000), ("edges", 200_000), ("d", 32)]),
    row("nbody", "nbody", &[("n", 2000)]),
    Row { given: &[("p", Fill::Permuted)], ..row("permutation", "permutation", &[("n", 3000)]) },
    // the powers of a smaller number end as subnormals, on which some processors spend a hundred times as long
    Row { at: &[("t", 1.0 - 1e-7)], ..row("polynomial", "horner", &[("n", 2_000_000)]) },
    row("polynomial", "multiply", &[("n", 5000), ("m", 5000)]),
    row("polynomial", "derive", &[("n", 4_000_000)]),
    row("pooling", "max_pool", &[("h", 2000), ("w", 2000)]),
    row("pooling", "dilate", &[("h", 1000), ("w", 1000), ("r", 2)]),
    row("prefix_sums", "prefix_sums", &[("n", 2_000_000)]),
    row("prefix_sums", "triangle_sums", &[("n", 5000)]),
    row("prefix_sums", "area_sums", &[("h", 1000), ("w", 1000)]),
    row("products", "products", &[("n", 5000)]),
    row("quadratic_form", "quadratic_form", &[("n", 2000)]),
    row("rnn", "rnn", &[("T", 500), ("h", 128)]),
    row("sddmm", "sddmm", &[("n", 20_000), ("m", 20_000), ("r", 20), ("nnz", 500_000)]),
    row("softmax", "logsumexp", &[("n", 2_000_000)]),
    row("softmax", "softmax", &[("n", 2_000_000)]),
    row("softmax", "cross_entropy", &[("b", 2000), ("n", 1000)]),
    row("softplus", "logistic_loss", &[("n", 100_000), ("d", 20)]),
    row("spmv", "spmv", &[("n", 100_000), ("m", 100_000), ("nnz", 2_000_000)]),
    Row { zeros: true, ..row("trace", "trace", &[("n", 2000)]) },
    Row { given: &[("parent", Fill::Half)], ..row("tree", "tree", &[("n", 2_000_000)]) },
    Row { zeros: true, ..row("triangular", "energy", &[("n", 2000)]) },
    Row { zeros: true, ..row("triangular", "substitute", &[("n", 2000)]) },
    row("triangular", "cholesky", &[("n", 400)]),
    row("upsample", "upsample", &[("n", 2_000_000)]),
    row("upsample", "haar", &[("n", 4_000_000)]),
    row("upsample", "unhaar", &[("k", 2_000_000)]),
    row("viterbi", "viterbi", &[("T", 1000), ("k", 63), ("symbols", 10)]),
    row("wave", "wave", &[("steps", 30), ("n", 500)]),
];

/// Functions that are not measured: parts of others, and what has no size.
pub(super) const APART: &[(&str, &str)] = &[
    ("arap", "turned"),
    ("arap", "strain"),
    ("attention", "softmax"),
    ("lstm", "gates"),
    ("softplus", "softplus"),
];
