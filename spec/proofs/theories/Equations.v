(** * Equations: a program is a system of equations.
    The value of a cell is what was there at the start plus what all the terms
    contribute to it, at the final values.  In SSA form the system has exactly
    one solution and [eval] finds it; so the order of execution, the grouping of
    terms into statements and the unrolling of recurrences do not matter.      *)
From Coq Require Import Permutation.
From mathcomp Require Import all_ssreflect all_algebra.
From TL Require Import Syntax Semantics.
Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.
Import GRing.Theory.
Local Open Scope ring_scope.

Section Equations.
Variables (P : Type) (M : model P) (V : finType) (Ix : V -> finType).
Notation term := (term P Ix).
Notation prog := (prog P Ix).
Notation store := (store Ix M).
Implicit Types (p q : prog) (x z : store).

Definition total p z : store := \sum_(t <- p) contrib t z.
Definition solves p x z : Prop := z = x + total p z.

Lemma total_cat p q z : total (p ++ q) z = total p z + total q z.
Proof. exact: big_cat. Qed.

Lemma total_out p z c : ~~ written p c -> total p z c = 0.
Proof.
rewrite /total sum_ffunE; elim: p => [|t p IH]; first by rewrite big_nil.
by rewrite negb_or big_cons => /andP[nt /IH ->]; rewrite contrib_out ?addr0.
Qed.

(** what a term of an SSA program reads has its first value already *)
Lemma reads_first t p x z :
  reads_in (predC (written (t :: p))) t -> solves (t :: p) x z ->
  contrib t z = contrib t x.
Proof.
move=> rt sz; apply: contrib_agree rt _ => c nc.
by rewrite sz ffunE total_out ?addr0.
Qed.

(** ** Theorem: execution solves the equations ... *)
Theorem eval_solves p x : ssa p -> solves p x (eval p x).
Proof.
elim: p x => [|t p IH] x /=; first by rewrite /solves /total big_nil addr0.
case=> rt sp; rewrite /solves {1}(IH (eval1 t x) sp) /total big_cons addrA.
congr (_ + _ + _); apply: contrib_agree rt _ => c nc; symmetry.
exact: (@eval_out _ _ _ _ (t :: p) x c nc).
Qed.

(** ** ... and nothing else does. *)
Theorem solution_unique p x z : ssa p -> solves p x z -> z = eval p x.
Proof.
elim: p x => [|t p IH] x /=; first by rewrite /solves /total big_nil addr0.
case=> rt sp sz; apply: IH => //; rewrite /solves /eval1.
by rewrite -(reads_first rt sz) -addrA {1}sz /total big_cons.
Qed.

(** Two SSA programs with the same contributions have the same meaning ...   *)
Corollary eval_same p q x :
  ssa p -> ssa q -> (forall z, total p z = total q z) -> eval p x = eval q x.
Proof.
move=> sp sq e; apply: solution_unique => //.
by rewrite /solves -e; apply: eval_solves.
Qed.

Lemma total_perm p q z : Permutation p q -> total p z = total q z.
Proof.
rewrite /total; elim=> [|t l l' _ IH|t u l|l l' l'' _ -> _ ->] //.
  by rewrite !big_cons IH.
by rewrite !big_cons addrCA.
Qed.

(** ... in particular after any change of the order that keeps the discipline *)
Corollary eval_order p q x : ssa p -> ssa q -> Permutation p q -> eval p x = eval q x.
Proof. by move=> sp sq pq; apply: eval_same => // z; apply: total_perm. Qed.
End Equations.
