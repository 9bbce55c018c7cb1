(** * Blocks: a `rec` block in the lexicographic order
    Several recurrence variables, each ascending or descending, then the position
    of the statement.  If every read of a tensor of the block is earlier in this
    order, the loops of the block compute the solution of its equations, and the
    loops in the reverse order that of the adjoint equations.                 *)
From mathcomp Require Import all_ssreflect all_algebra.
From TL Require Import Syntax Semantics Equations Statements Stages Lexicographic.
From TL Require Import Derivative Correct Cost Closure Recurrence Loops.
Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.

Section Block.
Variables (P : Type) (V : finType) (Ix : V -> finType).
Variable mine : pred V.                       (* the tensors of the block     *)
Variable position : V -> nat.                 (* of their statements          *)
Variable m : nat.
Hypothesis position_lt : forall v, mine v -> position v < m.
(** the values of the recurrence variables at a cell, counted in the direction of
    each variable ([digit]), and the ranges of the variables                  *)
Variables (ranges : seq nat) (digits : cell Ix -> seq nat).
Hypothesis digits_in : forall c, mine (tag c) -> in_range ranges (digits c).

Definition place (c : cell Ix) : seq nat := rcons (digits c) (position (tag c)).
Definition step (c : cell Ix) : nat := if mine (tag c) then lex ranges (digits c) else 0.
Definition steps : nat := (\prod_(k <- ranges) k).+1.
Let block (c : cell Ix) := mine (tag c).
Definition rank := lex_rank block (rcons ranges m) place.
Definition ranks : nat := (\prod_(k <- rcons ranges m) k).+1.

Lemma place_in c : block c -> in_range (rcons ranges m) (place c).
Proof.
move=> bc; have := digits_in bc; have := position_lt bc; rewrite /place.
elim: ranges (digits c) => [|k l IH] [|d ds] //=; first by rewrite andbT.
by move=> pl /andP[-> /(IH _ pl) ->].
Qed.

(** the rank is the step and then the position                                *)
Lemma lex_rcons ns ds k d : in_range ns ds ->
  lex (rcons ns k) (rcons ds d) = lex ns ds * k + d.
Proof.
elim: ns ds => [|a ns IH] [|b ds] //=; first by rewrite big_nil muln1 addn0.
case/andP=> _ /IH ->; rewrite -cats1 big_cat big_seq1 /=.
by rewrite mulnDl addnA mulnA.
Qed.
Lemma rankE c : block c -> rank c = (step c * m + position (tag c)).+1.
Proof. by move=> bc; rewrite /rank /lex_rank bc lex_rcons ?digits_in // /step [mine _]bc. Qed.

Lemma step_lt c : step c < steps.
Proof. by rewrite /step ltnS; case: ifP => // /digits_in /lex_bound /ltnW. Qed.
Lemma rank_lt c : rank c < ranks.
Proof. exact: lex_rank_lt place_in c. Qed.
Lemma steps_first c d : step c < step d -> rank c <= rank d.
Proof.
move=> cd; have bd : block d by move: cd; rewrite /step /block; case: (mine (tag d)).
case: (boolP (block c)) => bc; last by rewrite /rank /lex_rank (negbTE bc).
rewrite !rankE // ltnS; apply: leq_trans (leq_addr _ _).
apply: (@leq_trans ((step c).+1 * m)); last by rewrite leq_mul.
by rewrite mulSn addnC leq_add2r ltnW ?position_lt.
Qed.

Variable p : prog P Ix.
(** every read of the block is earlier; statements come in their positions    *)
Hypothesis reads_earlier : earlier block place p.
Hypothesis in_position : sorted leq [seq position (out t) | t <- p].

Lemma block_ranked : ranked rank p.
Proof. exact: earlier_ranked place_in _ reads_earlier. Qed.

Lemma block_in_order : in_order rank step p.
Proof.
have bw t c : List.In t p -> writes t c -> block c /\ tag c = out t.
  by move=> tp /writesE[i [j [h ->]]]; have [b _] := reads_earlier tp h.
elim: p in_position bw => //= t l IH srt bw; split; last first.
  by apply: IH => [|u c ul]; [apply: path_sorted srt | apply: bw; right].
move=> c d /(bw t c (or_introl erefl))[bc tc] wd sE.
have [u ul /(bw u d ul)[bd td]] := written_In wd.
rewrite !rankE // sE ltnS leq_add2l tc td.
have/allP al := order_path_min leq_trans srt.
case: ul => [->//|]; elim: (l) al => //= v k IHk al [<-|].
  by apply: al; rewrite inE eqxx.
by apply: IHk => q qk; apply: al; rewrite inE qk orbT.
Qed.

(** ** Theorem: the loops of the block solve its equations ...                *)
Theorem block_loop (M : model P) (x : store Ix M) :
  exec (rec_block step p steps) x = solution rank ranks p x.
Proof.
apply: (rec_block_solution rank_lt step_lt steps_first);
  [exact: block_ranked | exact: block_in_order].
Qed.
(** ... and, with the steps reversed, those of the adjoint.                    *)
Theorem block_adjoint_loop (deriv : P -> nat -> P) (M : model P) (x u : store Ix M) :
  exec (code_adjoint deriv (rec_block step p steps)) (join x u) =
  solution (rank_adjoint rank ranks) (ranks + ranks) (adjoint deriv p) (join x u).
Proof.
apply: (rec_block_adjoint rank_lt step_lt steps_first);
  [exact: block_ranked | exact: block_in_order].
Qed.
Theorem block_scost : scost (unroll (rec_block step p steps)) = scost p.
Proof. exact: rec_block_scost (step_lt). Qed.
End Block.
