(** * Stages: equations that are well-founded by a rank
    A `rec` block is a set of equations in which every read is earlier than the
    write, in the lexicographic order of the recurrence variables (each ascending
    or descending) and then the position of the statement; Lexicographic.v turns such
    orders into ranks.  The meaning of a ranked program is the one solution of
    its equations.  Running it stage by stage, one assigning statement (a sum of
    terms) per rank, finds it; so does every other order that is SSA.         *)
From mathcomp Require Import all_ssreflect all_algebra.
From TL Require Import Syntax Semantics Equations Statements Cost.
Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.
Import GRing.Theory.
Local Open Scope ring_scope.

Lemma big_step R (idx : R) (op : Monoid.law idx) (F : nat -> R) N a :
  (a < N)%N -> \big[op/idx]_(n <- iota 0 N | n == a) F n = F a.
Proof.
move=> h; rewrite -big_filter (@filter_pred1_uniq _ (iota 0 N) a) ?iota_uniq ?mem_iota //.
by rewrite big_seq1.
Qed.

(** exchange of two sums, over a list of any type *)
Lemma exchange_seq R (idx : R) (op : Monoid.com_law idx) A (l : seq nat) (p : seq A) F :
  \big[op/idx]_(n <- l) \big[op/idx]_(t <- p) F n t =
  \big[op/idx]_(t <- p) \big[op/idx]_(n <- l) F n t.
Proof.
elim: p => [|t p IH]; first by rewrite big_nil big1 // => n _; rewrite big_nil.
by rewrite big_cons -IH -big_split; apply: eq_bigr => n _; rewrite big_cons.
Qed.

Section Slices.
Variables (P : Type) (V : finType) (Ix : V -> finType).
Notation term := (term P Ix).
Notation prog := (prog P Ix).
Notation cell := (cell Ix).

(** the points of a term that belong to one step *)
Definition slice (t : term) (k : Ix (out t) -> dom t -> bool) : term :=
  @Term P V Ix (out t) (dom t) (fun i j => guard t i j && k i j) (test t) (tests t) (facs t).

Lemma holds_slice (t : term) k i j : holds (@slice t k) i j = holds t i j && k i j.
Proof. by rewrite /holds /= andbAC. Qed.

Section Steps.
Variables (t : term) (st : Ix (out t) -> dom t -> nat) (N : nat).
Hypothesis st_lt : forall i j, (st i j < N)%N.
Notation step n := (slice (fun i j => st i j == n)).

Lemma contrib_slices (M : model P) (z : store Ix M) :
  \sum_(n <- iota 0 N) contrib (step n) z = contrib t z.
Proof.
apply/ffunP=> c; rewrite sum_ffunE ffunE.
transitivity (\sum_(n <- iota 0 N) \sum_(i : Ix (out t) | Tagged Ix i == c)
  \sum_(j : dom t | holds t i j && (st i j == n)) \prod_(f <- facs t) fval z f i j).
  apply: eq_bigr => n _; rewrite ffunE; apply: eq_bigr => i _.
  by apply: eq_bigl => j; rewrite holds_slice.
rewrite exchange_big; apply: eq_bigr => i _ /=; rewrite /rhs.
rewrite (exchange_big_dep (fun j => holds t i j)) /= => [|n j _ /andP[] //].
apply: eq_bigr => j h; rewrite (eq_bigl (fun n => n == st i j)) => [|n]; last first.
  by rewrite h eq_sym.
exact: big_step.
Qed.

(** slicing costs nothing *)
Lemma scost_slices : (\sum_(n <- iota 0 N) scost1 (step n) = scost1 t)%N.
Proof.
have total (A : Ix (out t) -> dom t -> bool) (w : Ix (out t) * dom t -> nat) :
  (\sum_(n <- iota 0 N) \sum_(ij in [set ij : Ix (out t) * dom t | A ij.1 ij.2 &&
     (st ij.1 ij.2 == n)]) w ij = \sum_(ij in [set ij : Ix (out t) * dom t | A ij.1 ij.2]) w ij)%N.
  under eq_bigr => n _ do rewrite (eq_bigl _ _ (fun ij => in_set _ _)).
  rewrite (exchange_big_dep (fun ij => A ij.1 ij.2)) /= => [|n ij _ /andP[] //].
  rewrite [RHS](eq_bigl _ _ (fun ij => in_set _ _)); apply: eq_bigr => ij h.
  rewrite (eq_bigl (fun n => n == st ij.1 ij.2)) => [|n]; last by rewrite h eq_sym.
  exact: big_step.
rewrite /scost1 -(total (guard t)) -sum1_card -(total (holds t)) big_distrl -big_split /=.
apply: eq_bigr => n _; rewrite -sum1_card; congr (_ + _ * _)%N.
by apply: eq_bigl => ij; rewrite !inE holds_slice.
Qed.
End Steps.

(** ** Ranks and stages *)
Variable r : cell -> nat.

(** every read is of a lower rank than the write *)
Definition ranked (p : prog) : Prop :=
  forall t, List.In t p -> forall i j, holds t i j ->
    all [pred a | (r (acell a i j) < r (ocell i))%N] (args (facs t)).

Definition stage (p : prog) (n : nat) : stmt P Ix :=
  Stmt [pred c | r c == n] [seq slice (fun i _ => r (@ocell _ _ _ t i) == n) | t <- p].
Definition staged (p : prog) (N : nat) : seq (stmt P Ix) := [seq stage p n | n <- iota 0 N].

Lemma targets_stages p l c : targets [seq stage p n | n <- l] c = (r c \in l).
Proof. by elim: l => //= n l IH; rewrite targets_cons IH inE. Qed.

Theorem staged_ssa p N : ranked p -> ssa_stmts (staged p N).
Proof.
rewrite /staged => rp; elim: N 0%N => //= N IH m; split; last exact: IH.
  move=> u /List.in_map_iff[t [<- tp]]; split=> [c /writesE[i [j []]]|i j].
    by rewrite holds_slice => /andP[_ k] ->.
  rewrite holds_slice => /andP[/(rp _ tp) al /eqP e]; apply: sub_all al => a h.
  have -> : forall A, [pred a | predC A (acell a i j)] a = ~~ A (acell a i j) by [].
  rewrite (targets_stages p (m :: iota m.+1 N)) -/(iota m N.+1) mem_iota.
  by move: h; rewrite /= e negb_and -ltnNge => ->.
by move=> c /eqP e; rewrite targets_stages mem_iota e ltnn.
Qed.

Variable N : nat.
Hypothesis r_lt : forall c, (r c < N)%N.

Notation step t n := (slice (fun i (_ : dom t) => r (@ocell _ _ _ t i) == n)).
Lemma big_staged R (idx : R) (op : Monoid.com_law idx) (F : term -> R) p :
  (forall t, \big[op/idx]_(n <- iota 0 N) F (step t n) = F t) ->
  \big[op/idx]_(t <- flat (staged p N)) F t = \big[op/idx]_(t <- p) F t.
Proof.
move=> e; transitivity (\big[op/idx]_(n <- iota 0 N) \big[op/idx]_(t <- p) F (step t n)).
  by rewrite /flat big_flatten !big_map; apply: eq_bigr => n _; rewrite big_map.
by rewrite exchange_seq; apply: eq_bigr => t _; apply: e.
Qed.
Lemma total_staged p (M : model P) (z : store Ix M) : total (flat (staged p N)) z = total p z.
Proof. by apply: big_staged => t; apply: contrib_slices => i j. Qed.
Theorem scost_staged p : scost (flat (staged p N)) = scost p.
Proof. by apply: big_staged => t; apply: scost_slices => i j. Qed.

(** ** The meaning of a ranked program: the solution of its equations.       *)
Definition solution (M : model P) (p : prog) (x : store Ix M) : store Ix M :=
  run x (staged p N) x.
Lemma solutionE (M : model P) p (x : store Ix M) :
  ranked p -> solution p x = eval (flat (staged p N)) x.
Proof.
move=> rp; rewrite /solution run_eval; last exact: staged_ssa.
by congr eval; apply/ffunP=> c; rewrite ffunE; case: ifP.
Qed.

Theorem solution_solves (M : model P) p (x : store Ix M) :
  ranked p -> solves p x (solution p x).
Proof.
move=> rp; rewrite /solves -total_staged solutionE //.
by apply: eval_solves; apply/ssa_flat/staged_ssa.
Qed.
Theorem ranked_unique (M : model P) p (x z : store Ix M) :
  ranked p -> solves p x z -> z = solution p x.
Proof.
move=> rp sz; rewrite solutionE //; apply: solution_unique; first exact/ssa_flat/staged_ssa.
by rewrite /solves total_staged.
Qed.
(** in particular any execution order that is SSA, such as the loops of a `rec`
    block, computes it *)
Corollary eval_solution (M : model P) p q (x : store Ix M) :
  ranked p -> ssa q -> (forall z : store Ix M, total q z = total p z) ->
  eval q x = solution p x.
Proof.
by move=> rp sq e; apply: ranked_unique => //; rewrite /solves -e; apply: eval_solves.
Qed.
End Slices.

(** Every SSA program is ranked: by the last term that writes a cell.         *)
Section LastWrite.
Variables (P : Type) (V : finType) (Ix : V -> finType).
Fixpoint last_write (p : prog P Ix) (c : cell Ix) : nat :=
  if p is t :: p' then
    if written p' c then (last_write p' c).+1 else writes t c
  else 0%N.

Lemma last_write_lt p c : (last_write p c < (size p).+1)%N.
Proof. by elim: p => //= t p IH; case: ifP => // _; case: (writes t c). Qed.

Theorem ssa_ranked p : ssa p -> ranked (last_write p) p.
Proof.
elim: p => [|t p IH] /=; first by move=> _ u [].
move=> [rt sp] u [<-|up] i j h.
  apply: sub_all (rt i j h) => a /=; rewrite /predC /= => /norP[/negbTE na /negbTE np].
  by rewrite [written _ _]np na (writesP h); case: ifP.
apply: sub_all (IH sp u up i j h) => a /= lt.
have -> : written p (ocell i).
  elim: p up {IH sp rt lt} => //= u' p IH [->|/IH]; rewrite written_cons ?(writesP h) // => ->.
  by rewrite orbT.
by case: ifP => // _; case: (writes t _) => //; rewrite ltnS (leq_ltn_trans _ lt).
Qed.
Corollary ssa_solution (M : model P) p (x : store Ix M) :
  ssa p -> eval p x = solution (last_write p) (size p).+1 p x.
Proof. by move=> sp; apply: (eval_solution (last_write_lt p)) => //; apply: ssa_ranked. Qed.
End LastWrite.
