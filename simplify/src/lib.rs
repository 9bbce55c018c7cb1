//! The algebra of Iverson brackets: Tensor SSA to Tensor SSA (spec chapter 6).
