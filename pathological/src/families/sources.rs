//! Where the patterns were met: public threads and the paper.

use crate::Source;

/// The method, and the prototype with its examples.
pub(super) const PAPER: Source = Source {
    title: "Bernstein, Mara, Li, Maclaurin, Ragan-Kelley: Differentiating a Tensor Language (2020)",
    url: "https://arxiv.org/abs/2008.11256",
};
pub(super) const PROTOTYPE: Source =
    Source { title: "gilbo/atl, the paper's prototype", url: "https://github.com/gilbo/atl" };

pub(super) const ZYGOTE_365: Source = Source {
    title: "Zygote.jl 365: getindex performance",
    url: "https://github.com/FluxML/Zygote.jl/issues/365",
};
pub(super) const ZYGOTE_644: Source = Source {
    title: "Zygote.jl 644: How to speed up pullbacks when iterating over arrays?",
    url: "https://github.com/FluxML/Zygote.jl/issues/644",
};
pub(super) const ZYGOTE_962: Source = Source {
    title: "Zygote.jl 962: more efficient ∇getindex",
    url: "https://github.com/FluxML/Zygote.jl/pull/962",
};
pub(super) const CHAIN_RULES_240: Source = Source {
    title: "ChainRules.jl 240: Inplace getindex rrule",
    url: "https://github.com/JuliaDiff/ChainRules.jl/pull/240",
};
pub(super) const FLUX_577: Source = Source {
    title: "Flux.jl 577: Sparse (gradients of embeddings)",
    url: "https://github.com/FluxML/Flux.jl/issues/577",
};
pub(super) const JAX_6872: Source = Source {
    title: "jax 6872: VJP of array slicing is inefficient",
    url: "https://github.com/jax-ml/jax/issues/6872",
};
pub(super) const JAX_10197: Source = Source {
    title: "jax 10197: Big performance discrepancy between JAX and TensorFlow with in-place updates",
    url: "https://github.com/jax-ml/jax/issues/10197",
};
pub(super) const JAX_15906: Source = Source {
    title: "jax 15906: Efficiency of scan in backprop; TensorArray?",
    url: "https://github.com/jax-ml/jax/issues/15906",
};
pub(super) const JAX_17640: Source = Source {
    title: "jax 17640: Grad is very slow in combination with slice update + scan",
    url: "https://github.com/jax-ml/jax/issues/17640",
};
pub(super) const JAX_7949: Source = Source {
    title: "jax 7949: Slow compilation when slicing (Jacobians as dense literals)",
    url: "https://github.com/jax-ml/jax/issues/7949",
};
pub(super) const PYTORCH_427: Source = Source {
    title: "pytorch 427: simpler explode and join",
    url: "https://github.com/pytorch/pytorch/issues/427",
};
pub(super) const PYTORCH_5159: Source = Source {
    title: "pytorch 5159: TakeBackward taking a significant portion of backward time",
    url: "https://github.com/pytorch/pytorch/issues/5159",
};
pub(super) const PYTORCH_9701: Source = Source {
    title: "pytorch 9701: speed-up multidim slicing backward",
    url: "https://github.com/pytorch/pytorch/issues/9701",
};
pub(super) const PYTORCH_17501: Source = Source {
    title: "pytorch 17501: Tensor unfold backward is slow",
    url: "https://github.com/pytorch/pytorch/issues/17501",
};
pub(super) const PYTORCH_41162: Source = Source {
    title: "pytorch 41162: Advanced indexing gradient is extremely slow when there are many duplicate indices",
    url: "https://github.com/pytorch/pytorch/issues/41162",
};
pub(super) const TENSORFLOW_38168: Source = Source {
    title: "tensorflow 38168: tf.gather Converting sparse IndexedSlices warning",
    url: "https://github.com/tensorflow/tensorflow/issues/38168",
};
pub(super) const TENSORFLOW_3862: Source = Source {
    title: "tensorflow 3862: tf.cumprod's gradient produces nans given zeros",
    url: "https://github.com/tensorflow/tensorflow/issues/3862",
};
pub(super) const BURN_5533: Source = Source {
    title: "burn 5533: prod and prod_dim gradients produce NaN for zero inputs",
    url: "https://github.com/tracel-ai/burn/issues/5533",
};
pub(super) const TINYGRAD_1612: Source = Source {
    title: "tinygrad 1612: Embedding/argmax are O(n^2)",
    url: "https://github.com/tinygrad/tinygrad/issues/1612",
};
pub(super) const PYG_95: Source = Source {
    title: "pytorch_geometric 95: Indexing performance in backward",
    url: "https://github.com/pyg-team/pytorch_geometric/issues/95",
};
