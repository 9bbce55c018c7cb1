(** * InterpCost: the executable cost of the executable adjoint.
    Counting points one by one, primal and adjoint together cost at most K + 2
    times the primal.                                                        *)
From Coq Require Import ZArith.
From mathcomp Require Import all_ssreflect all_algebra.
From TL Require Import Syntax Semantics Derivative Cost Stages Interp InterpAdjoint.
Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.

Section Cost.
Variables (P : Type) (deriv : P -> nat -> P).
Variable (n : nat) (sh : shape).
Hypothesis sh_size : size sh = n.+1.
Hypothesis sh_pos : all (ltn 0%N) sh.
Implicit Types (s : cterm P) (p : seq (cterm P)).

Lemma ccount_sum (t : shape) (h : Z -> Z -> bool) s : ccount t h s =
  \sum_(i <- iota 0 (nth 0 t (cout s))) \sum_(j <- iota 0 (csum s)) h (Zn i) (Zn j).
Proof.
rewrite /ccount; elim: (iota 0 (nth _ _ _)) => [|i l IH] /=; first by rewrite big_nil.
by rewrite big_cons IH -sum1_count big_mkcond.
Qed.

Lemma sum_iota m (F : nat -> nat) : \sum_(i <- iota 0 m) F i = \sum_(i < m) F i.
Proof. by rewrite -{1}[m]subn0 -/(index_iota 0 m) big_mkord. Qed.

(** at most one entry is at a given place                                     *)
Lemma at_most_one m (v : Z) : \sum_(k < m) Z.eqb (Zn k) v <= 1.
Proof.
have [k kE|no] := pickP (fun k : 'I_m => Z.eqb (Zn k) v).
  rewrite (bigD1 k) //= kE big1 // => k' /eqP ne; case: (boolP (Z.eqb _ _)) => // /Z.eqb_eq e.
  by case: ne; apply/val_inj/Nat2Z.inj; rewrite e; symmetry; apply/Z.eqb_eq.
by rewrite big1 // => k _; rewrite no.
Qed.

Lemma cprice_sum (t : shape) s : cprice t s =
  \sum_(i <- iota 0 (nth 0 t (cout s))) \sum_(j <- iota 0 (csum s))
    if cvisits s (Zn i) (Zn j) then (ctests s (Zn i) (Zn j)).+1 else 0.
Proof.
rewrite /cprice; elim: (iota 0 (nth _ _ _)) => [|i l IH] /=; first by rewrite big_nil.
rewrite big_cons IH; congr (_ + _); elim: (iota 0 (csum s)) => [|j m IHm] /=.
  by rewrite big_nil.
by rewrite big_cons IHm; case: (cvisits _ _ _).
Qed.

(** the points of a derived term are among those of its term                  *)
Lemma ccount_pick s q (h h' : Z -> Z -> bool) :
  (forall k i j, k < nth 0 sh (cvar q.1) -> i < nth 0 sh (cout s) -> j < csum s ->
     h' (Zn k) (Zn (i * csum s + j)) =
     h (Zn i) (Zn j) && Z.eqb (Zn k) (ival (cmap q.1) (Zn i) (Zn j))) ->
  ccount (sh ++ sh) h' (cadjoint_pick sh s q) <= ccount sh h s.
Proof.
move=> hE; rewrite !ccount_sum /= szc.
have -> : \sum_(k <- iota 0 (nth 0 sh (cvar q.1)))
    \sum_(J <- iota 0 (nth 0 sh (cout s) * csum s)) h' (Zn k) (Zn J) =
  \sum_(k < nth 0 sh (cvar q.1)) \sum_(i < nth 0 sh (cout s)) \sum_(j < csum s)
    (h (Zn i) (Zn j) && Z.eqb (Zn k) (ival (cmap q.1) (Zn i) (Zn j))).
  rewrite sum_iota; apply: eq_bigr => k _.
  rewrite (sum_flat _ (nth 0 sh (cout s)) (csum s)); apply: eq_bigr => i _.
  by apply: eq_bigr => j _; rewrite hE.
rewrite exchange_big sum_iota; apply: leq_sum => i _.
rewrite exchange_big sum_iota; apply: leq_sum => j _.
case: (h _ _) => /=; last by rewrite big1.
exact: at_most_one.
Qed.

Lemma cprice_pick s (q : cacc * seq (cfac P)) :
  all (fun a => cvar a <= n) (cargs q.2) ->
  (forall b : pred cacc, all b (cargs (cfacs s)) = b q.1 && all b (cargs q.2)) ->
  cprice (sh ++ sh) (cadjoint_pick sh s q) <= cprice sh s.
Proof.
move=> wq qE; rewrite !cprice_sum [nth 0 (sh ++ sh) _]/= szc [csum (cadjoint_pick _ _ _)]/=.
pose W (i j : nat) := if cvisits s (Zn i) (Zn j) then (ctests s (Zn i) (Zn j)).+1 else 0.
apply: (@leq_trans (\sum_(k < nth 0 sh (cvar q.1)) \sum_(i < nth 0 sh (cout s)) \sum_(j < csum s)
    Z.eqb (Zn k) (ival (cmap q.1) (Zn i) (Zn j)) * W i j)).
  rewrite sum_iota; apply: leq_sum => k _.
  rewrite (sum_flat _ (nth 0 sh (cout s)) (csum s)); apply: leq_sum => i _.
  apply: leq_sum => j _; have [dE mE] := flat_point i (ltn_ord j).
  have [-> _] := adjoint_points sh_size wq qE (ltn_ord k) (ltn_ord i) (ltn_ord j).
  rewrite /W /= dE mE; case: (cvisits _ _ _) => //=; by case: (Z.eqb _ _); rewrite ?mul1n.
rewrite exchange_big sum_iota; apply: leq_sum => i _.
rewrite exchange_big sum_iota; apply: leq_sum => j _.
by rewrite -big_distrl /= -[X in _ <= X]mul1n leq_mul2r at_most_one orbT.
Qed.

Lemma ccost1_pick s (q : cacc * seq (cfac P)) :
  all (fun a => cvar a <= n) (cargs q.2) ->
  (forall b : pred cacc, all b (cargs (cfacs s)) = b q.1 && all b (cargs q.2)) ->
  size (cargs q.2) <= size (cargs (cfacs s)) ->
  ccost1 (sh ++ sh) (cadjoint_pick sh s q) <=
  cprice sh s + ccount sh (cholds sh s) s * (size (cargs (cfacs s))).+1.
Proof.
move=> wq qE le; rewrite /ccost1; apply: leq_add; first exact: cprice_pick.
apply: leq_mul => //.
- by apply: ccount_pick => k i j kl il jl; have [_ ->] := adjoint_points sh_size wq qE kl il jl.
- by rewrite cargs_pick /= size_map.
Qed.

Lemma size_cpartials (fs : seq (cfac P)) : size (cpartials deriv fs) = size (cargs fs).
Proof.
elim: fs => //= f fs IH; rewrite size_cat !size_map IH cargs_cons size_cat.
by case: f => //= g l; rewrite size_map size_number.
Qed.
Lemma cargs_cpartials (fs : seq (cfac P)) :
  all [pred q | size (cargs q.2) <= size (cargs fs)] (cpartials deriv fs).
Proof.
elim: fs => //= f fs IH; rewrite all_cat !all_map; apply/andP; split; last first.
  by apply: sub_all IH => q /= h; rewrite !cargs_cons !size_cat leq_add2l.
rewrite cargs_cons size_cat.
case: f => [a|g l] /=; first by rewrite leqW.
rewrite all_map; apply: sub_all (all_predT _) => am _ /=.
by rewrite cargs_cons size_cat.
Qed.

Lemma ccost_cat t p q : ccost t (p ++ q) = ccost t p + ccost t q.
Proof. by rewrite /ccost; elim: p => //= s p ->; rewrite addnA. Qed.

Lemma ccost_adjoint1 s : wft n s ->
  ccost (sh ++ sh) (cadjoint1 deriv sh s) <= (size (cargs (cfacs s))).+1 * ccost1 sh s.
Proof.
move=> /andP[_ ws]; set v := cprice sh s.
set m := ccount sh (cholds sh s) s; set k := size (cargs (cfacs s)).
apply: (@leq_trans (k * (v + m * k.+1))); last first.
  rewrite /ccost1 -/v -/m -/k !mulnDr; apply: leq_add; first by rewrite leq_mul.
  by rewrite mulnCA [k.+1 * (m * k)]mulnCA [k.+1 * k]mulnC.
rewrite {1}/k -size_cpartials /cadjoint1.
have: forall q, List.In q (cpartials deriv (cfacs s)) -> [/\
    all (fun a => cvar a <= n) (cargs q.2),
    (forall b : pred cacc, all b (cargs (cfacs s)) = b q.1 && all b (cargs q.2)) &
    size (cargs q.2) <= k].
  move=> q iq; have qE b := eqP (all_In (all_cpartials deriv b (cfacs s)) iq).
  split=> //; first by move: ws; rewrite qE => /andP[].
  exact: (all_In (cargs_cpartials (cfacs s)) iq).
elim: (cpartials _ _) => //= q l IH ql; rewrite mulSn leq_add //; last first.
  by apply: IH => q' h; apply: ql; right.
by have [h1 h2 h3] := ql q (or_introl erefl); apply: ccost1_pick.
Qed.

Lemma ccost_primal p : all (wft n) p -> ccost (sh ++ sh) p = ccost sh p.
Proof.
rewrite /ccost; elim: p => //= s p IH /andP[/andP[wo wf] /IH ->]; congr (_ + _).
rewrite /ccost1 !ccount_sum !cprice_sum (sz sh_size wo); congr (_ + _ * _).
by apply: eq_bigr => i _; apply: eq_bigr => j _; rewrite /cholds (inside_cat sh_size).
Qed.

(** ** Theorem: cheap gradients, executable. *)
Theorem ccost_cadjoint K p :
  all (wft n) p -> all (fun s => size (cargs (cfacs s)) <= K) p ->
  ccost (sh ++ sh) (cadjoint deriv sh p) <= K.+2 * ccost sh p.
Proof.
move=> wp kp; rewrite ccost_cat ccost_primal // mulSn leq_add2l.
elim: p wp kp => //= s p IH /andP[ws wp] /andP[ks kp].
rewrite ccost_cat mulnDr addnC leq_add ?IH //.
by apply: leq_trans (ccost_adjoint1 ws) _; rewrite leq_mul.
Qed.
End Cost.
