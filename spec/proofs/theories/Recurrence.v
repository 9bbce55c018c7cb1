(** * Recurrence: derivatives of recurrences
    The adjoint of a ranked program is ranked the other way round: it is the
    recurrence of the adjoint terms in the reverse order, and each cotangent is
    one statement, its seed plus the sum of all the terms that contribute to it.
    Adjoint identity, dual numbers and cheap gradients for ranked programs.    *)
From mathcomp Require Import all_ssreflect all_algebra.
From TL Require Import Syntax Semantics Equations Statements Stages.
From TL Require Import Dual Derivative Correct Cost Closure.
Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.
Import GRing.Theory.
Local Open Scope ring_scope.

Section Derivatives.
Variables (P : Type) (deriv : P -> nat -> P) (V : finType) (Ix : V -> finType).
Notation term := (term P Ix).
Notation prog := (prog P Ix).
Notation cell := (cell Ix).
Notation cell2 := (Semantics.cell (Ix2 Ix)).
Variables (r : cell -> nat) (N : nat).
Hypothesis r_lt : forall c, (r c < N)%N.

(** tangents keep the order; cotangents come after, in the reverse order     *)
Definition split_rank (f : nat -> nat) (c : cell2) : nat :=
  match tag c as v return Ix2 Ix v -> nat with
  | inl v => fun i => r (Tagged Ix i)
  | inr v => fun i => f (r (Tagged Ix i))
  end (tagged c).
Definition rank_tangent := split_rank (addn N).
Definition rank_adjoint := split_rank (fun n => (N + (N - n.+1))%N).

Lemma split_rank_lt f B : (N <= B)%N -> (forall n, (n < N)%N -> (f n < B)%N) ->
  forall c, (split_rank f c < B)%N.
Proof.
by move=> nb fb [[v|v] i]; rewrite /split_rank /=; [apply: leq_trans (r_lt _) nb | apply: fb].
Qed.
Lemma rank_tangent_lt c : (rank_tangent c < N + N)%N.
Proof. by apply: split_rank_lt => [|n h]; rewrite ?leq_addr ?ltn_add2l. Qed.
Lemma rank_adjoint_lt c : (rank_adjoint c < N + N)%N.
Proof.
apply: split_rank_lt => [|n h]; rewrite ?leq_addr // ltn_add2l ltn_subrL.
exact: leq_ltn_trans h.
Qed.

Lemma ranked_lift f (I J I' J' : finType) (h : I' -> J' -> I * J) (l : seq (factor P Ix I J)) i j n :
  (N <= n)%N ->
  all [pred a | (split_rank f (acell a i j) < n)%N] (args [seq lift h g | g <- l]).
Proof.
move=> Nn; rewrite args_lift all_map; apply: sub_all (all_predT _) => a _ /=.
exact: leq_trans (r_lt _) Nn.
Qed.
Lemma ranked_primal f (p : prog) : ranked r p -> ranked (split_rank f) (primal p).
Proof.
move=> rp u /List.in_map_iff[t [<- tp]] i j h.
by rewrite args_lift all_map; apply: rp tp _ _ h.
Qed.

Lemma in_tangent (p : prog) u : List.In u (tangent deriv p) ->
  List.In u (primal p) \/ exists2 t, List.In t p & List.In u (tangent1 deriv t).
Proof.
elim: p => //= t p IH /List.in_app_iff[h|[<-|/IH[h|[t' tp h]]]].
- by right; exists t => //; left.
- by left; left.
- by left; right.
- by right; exists t' => //; right.
Qed.
Lemma in_backward (p : prog) u : List.In u (backward deriv p) ->
  exists2 t, List.In t p & List.In u (adjoint1 deriv t).
Proof.
elim: p => //= t p IH /List.in_app_iff[/IH[t' tp h]|h].
  by exists t' => //; right.
by exists t => //; left.
Qed.

(** the partial derivatives of a ranked term *)
Lemma in_partials (p : prog) t : ranked r p -> List.In t p ->
  forall q, List.In q (partials deriv (facs t)) -> forall i j, holds t i j ->
  (r (acell q.1 i j) < r (ocell i))%N.
Proof.
move=> rp tp q iq i j h.
by case/andP: (all_In (all_partials deriv (rp t tp i j h)) iq).
Qed.

Theorem ranked_tangent (p : prog) : ranked r p -> ranked rank_tangent (tangent deriv p).
Proof.
move=> rp u /in_tangent[|[t tp /List.in_map_iff[q [<- iq]]] i j h].
  exact: ranked_primal.
rewrite -[args _]/(_ :: args _) /=; apply/andP; split.
  by rewrite /rank_tangent /split_rank /= ltn_add2l; exact: (in_partials rp tp iq h).
by apply: ranked_lift; rewrite /split_rank /= leq_addr.
Qed.

(** ** Theorem: the adjoint is a recurrence in the reverse order *)
Theorem ranked_adjoint (p : prog) : ranked r p -> ranked rank_adjoint (adjoint deriv p).
Proof.
move=> rp u /List.in_app_iff[|/in_backward[t tp /List.in_map_iff[q [<- iq]]] k ij].
  exact: ranked_primal.
rewrite holds_adjoint => /andP[h /eqP e]; rewrite -[args _]/(_ :: args _) /=.
apply/andP; split; last by apply: ranked_lift; rewrite /split_rank /= leq_addr.
rewrite /rank_adjoint /split_rank /= ltn_add2l e.
by apply: ltn_sub2l; [apply: leq_ltn_trans (r_lt (ocell ij.1)); apply: (in_partials rp tp iq h) |
  rewrite ltnS; apply: (in_partials rp tp iq h)].
Qed.

(** ** The derived equations do not depend on the stages *)
Variable M : model P.
Notation store := (store Ix M).
Notation store2 := (Semantics.store (Ix2 Ix) M).
Implicit Types (p : prog) (z : store2).

Lemma total_primal p z : total (primal p) z = \sum_(t <- p) contrib (primal1 t) z.
Proof. exact: big_map. Qed.
Lemma total_backward p z : total (backward deriv p) z = \sum_(t <- p) total (adjoint1 deriv t) z.
Proof.
elim: p => [|t p IH]; first by rewrite /total !big_nil.
by rewrite total_cat IH big_cons addrC.
Qed.
Lemma total_tangent p z : total (tangent deriv p) z =
  \sum_(t <- p) (total (tangent1 deriv t) z + contrib (primal1 t) z).
Proof.
elim: p => [|t p IH]; first by rewrite /total !big_nil.
by rewrite total_cat /total big_cons -/(total (tangent deriv p) z) IH big_cons addrA.
Qed.

Notation st t n := (slice (fun i (_ : dom t) => r (@ocell _ _ _ t i) == n)).
Lemma primal_slices t z : \sum_(n <- iota 0 N) contrib (primal1 (st t n)) z = contrib (primal1 t) z.
Proof. by apply: (@contrib_slices _ _ _ (primal1 t) (fun i _ => r (@ocell _ _ _ t i))). Qed.
Lemma tangent_slices t z :
  \sum_(n <- iota 0 N) total (tangent1 deriv (st t n)) z = total (tangent1 deriv t) z.
Proof.
rewrite /total [RHS]big_map; transitivity (\sum_(n <- iota 0 N) \sum_(q <- partials deriv (facs t)) contrib (@tangent_pick _ _ _ (st t n) q) z).
  by apply: eq_bigr => n _; rewrite big_map.
rewrite exchange_seq; apply: eq_bigr => q _.
exact: (@contrib_slices _ _ _ (tangent_pick q) (fun i _ => r (@ocell _ _ _ t i))).
Qed.
(** the adjoint of a step is a step of the adjoint *)
Lemma adjoint_slices t z :
  \sum_(n <- iota 0 N) total (adjoint1 deriv (st t n)) z = total (adjoint1 deriv t) z.
Proof.
rewrite /total [RHS]big_map; transitivity (\sum_(n <- iota 0 N) \sum_(q <- partials deriv (facs t)) contrib (@adjoint_pick _ _ _ (st t n) q) z).
  by apply: eq_bigr => n _; rewrite big_map.
rewrite exchange_seq; apply: eq_bigr => q _.
rewrite -(@contrib_slices _ _ _ (adjoint_pick q)
  (fun _ ij => r (@ocell _ _ _ t ij.1)) N (fun _ _ => r_lt _)).
apply: eq_bigr => n _; apply: eq_single => k; apply: eq_bigl => ij.
by rewrite !holds_adjoint !holds_slice holds_adjoint andbAC.
Qed.

Notation ordered p := (flat (staged r p N)).
Notation sol := (solution r N).

Theorem solution_tangent p (x d : store) : ranked r p ->
  solution rank_tangent (N + N) (tangent deriv p) (join x d) =
  join (sol p x) (jvp deriv (ordered p) x d).
Proof.
move=> rp; have sp : ssa (ordered p) by apply/ssa_flat/staged_ssa.
rewrite [sol p x]solutionE // -eval_tangent //; symmetry.
apply: (eval_solution rank_tangent_lt); [exact: ranked_tangent | exact: ssa_tangent |].
move=> z; rewrite !total_tangent !big_split /=.
by congr (_ + _); apply: big_staged => t; [apply: tangent_slices | apply: primal_slices].
Qed.

Theorem solution_adjoint p (x u : store) : ranked r p ->
  solution rank_adjoint (N + N) (adjoint deriv p) (join x u) =
  join (sol p x) (vjp deriv (ordered p) x u).
Proof.
move=> rp; have sp : ssa (ordered p) by apply/ssa_flat/staged_ssa.
rewrite [sol p x]solutionE // -eval_adjoint //; symmetry.
apply: (eval_solution rank_adjoint_lt); [exact: ranked_adjoint | exact: ssa_adjoint |].
move=> z; rewrite !total_cat !total_primal !total_backward.
by congr (_ + _); apply: big_staged => t; [apply: primal_slices | apply: adjoint_slices].
Qed.

(** ** Theorem A for recurrences: adjoint identity *)
Theorem rec_adjoint_correct p (x dx dy : store) : ranked r p ->
  dot dy (cot (solution rank_tangent (N + N) (tangent deriv p) (join x dx))) =
  dot (cot (solution rank_adjoint (N + N) (adjoint deriv p) (join x dy))) dx.
Proof.
by move=> rp; rewrite solution_tangent // solution_adjoint // !cot_join vjp_adjoint.
Qed.

(** ** Theorem A' for recurrences: the tangent is the eps-part *)
Theorem rec_dual p (x dx : store) : ranked r p ->
  sol p (dstore deriv x dx) =
  dstore deriv (sol p x)
    (cot (solution rank_tangent (N + N) (tangent deriv p) (join x dx))).
Proof. by move=> rp; rewrite solution_tangent // cot_join !solutionE // jvp_dual. Qed.

(** ** Theorem B for recurrences: running primal and adjoint, stage by stage *)
Theorem rec_cheap_gradient K p : arity_le K p ->
  (scost (flat (staged rank_adjoint (adjoint deriv p) (N + N))) <=
   K.+2 * scost (flat (staged r p N)))%N.
Proof.
move=> kp; rewrite (scost_staged rank_adjoint_lt) (scost_staged r_lt).
exact: cheap_gradient.
Qed.
End Derivatives.

(** ** Assigning programs: statements whose right-hand sides are sums of terms *)
Section Assigning.
Variables (P : Type) (deriv : P -> nat -> P) (V : finType) (Ix : V -> finType).
Variable M : model P.
Notation store := (store Ix M).
Implicit Types (x u : store) (D : seq (stmt P Ix)).

(** The cotangent statements of an SSA program: for each cotangent one statement,
    seed plus sum of terms, in the order in which the backward pass completes
    them.                                                                     *)
Definition cotangent_run (p : prog P Ix) (z : Semantics.store (Ix2 Ix) M) :=
  let N := (size p).+1 in
  run z (staged (rank_adjoint (last_write p) N) (adjoint deriv p) (N + N)) z.

Theorem cotangent_runE p x u : ssa p ->
  cotangent_run p (join x u) = eval (adjoint deriv p) (join x u).
Proof.
move=> sp; symmetry; apply: (eval_solution (rank_adjoint_lt (last_write_lt p))) => //.
  by apply: ranked_adjoint; [exact: last_write_lt | exact: ssa_ranked].
exact: ssa_adjoint.
Qed.

(** ** Theorem: the gradient of an assigning program, as an assigning program.
    [k] is a cell of an input, [l] a cell of a result.                        *)
Theorem stmts_gradient D x v (k : Ix v) w (l : Ix w) :
  ssa_stmts D -> ~~ targets D (Tagged Ix k) ->
  get (cot (cotangent_run (flat D) (join (start 0 D x) (basis M l)))) k =
  eps (get (run 0 D (dstore deriv x (basis M k))) l).
Proof.
move=> sD nk; have sp := ssa_flat sD.
rewrite cotangent_runE // gradient_dual // run_eval //.
rewrite [start 0 D (dstore _ _ _)](_ : _ = dstore deriv (start 0 D x) (basis M k)) //.
apply/ffunP=> c; rewrite !ffunE; case: ifP => // tc; congr Dual.
symmetry; apply: big1 => i /eqP e; case: eqP => // ei.
by move: nk; rewrite -ei e tc.
Qed.

(** at most K + 2 times the cost of the program, for at most K accesses a term *)
Theorem stmts_cheap_gradient K D :
  arity_le K (flat D) ->
  let N := (size (flat D)).+1 in
  (scost (flat (staged (rank_adjoint (last_write (flat D)) N) (adjoint deriv (flat D)) (N + N)))
   <= K.+2 * scost (flat D))%N.
Proof.
move=> kD /=; rewrite (scost_staged (rank_adjoint_lt (last_write_lt _))).
exact: cheap_gradient.
Qed.
End Assigning.
