(** * Axioms: every theorem of the development, with its axioms ("Closed under
    the global context" is expected for each; check.sh counts them).           *)
From TL Require Import Syntax Semantics Equations Statements Derivative Correct Cost Closure.
From TL Require Import Stages Recurrence Lexicographic Loops.
From TL Require Import Rewrite Interp Lower Main.
(* meaning *)
Print Assumptions eval_solves.
Print Assumptions solution_unique.
Print Assumptions eval_order.
Print Assumptions run_eval.
Print Assumptions run_meets.
Print Assumptions run_unique.
Print Assumptions total_own.
(* derivatives *)
Print Assumptions vjp_adjoint.
Print Assumptions jvp_dual.
Print Assumptions eval_tangent.
Print Assumptions eval_adjoint.
Print Assumptions adjoint_correct.
Print Assumptions adjoint_correct_io.
Print Assumptions gradient_dual.
(* cost *)
Print Assumptions enum_adjoint.
Print Assumptions cheap_gradient.
Print Assumptions cheap_tangent.
Print Assumptions cheap_gradient_total.
Print Assumptions gather_adjoint_sparse.
Print Assumptions dense_not_cheap.
(* closure *)
Print Assumptions ssa_adjoint.
Print Assumptions ssa_tangent.
Print Assumptions arity_adjoint.
Print Assumptions cheap_second.
(* recurrences *)
Print Assumptions staged_ssa.
Print Assumptions scost_staged.
Print Assumptions solution_solves.
Print Assumptions ranked_unique.
Print Assumptions eval_solution.
Print Assumptions ssa_ranked.
Print Assumptions ssa_solution.
Print Assumptions lex_mono.
Print Assumptions earlier_ranked.
Print Assumptions ranked_adjoint.
Print Assumptions solution_adjoint.
Print Assumptions rec_adjoint_correct.
Print Assumptions rec_dual.
Print Assumptions rec_cheap_gradient.
Print Assumptions unroll_tangent.
Print Assumptions unroll_adjoint.
Print Assumptions code_adjoint_correct.
Print Assumptions code_gradient_dual.
Print Assumptions code_cheap_gradient.
Print Assumptions code_ssa_adjoint.
Print Assumptions rec_block_solution.
Print Assumptions rec_block_adjoint.
Print Assumptions rec_block_scost.
(* laws *)
Print Assumptions sum_fibre.
Print Assumptions scatter_gather.
(* the executable interpreter *)
Print Assumptions crunE.
Print Assumptions ccostE.
(* the surface language *)
Print Assumptions lower_sound.
Print Assumptions scost_lower.
Print Assumptions cheap_surface_gradient.
Print Assumptions surface_gradient.
