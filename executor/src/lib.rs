//! From Tensor SSA to loops, and from loops to results, fast (spec chapter 7).

pub mod math;
