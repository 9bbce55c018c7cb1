(** * InterpCost: the executable cost of the executable adjoint.
    Counting points one by one, primal and adjoint together cost at most K + 2
    times the primal.                                                        *)
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

Lemma ccount_sum (t : shape) (h : nat -> nat -> bool) s : ccount t h s =
  \sum_(i <- iota 0 (nth 0 t (cout s))) \sum_(j <- iota 0 (csum s)) h i j.
Proof.
rewrite /ccount; elim: (iota 0 (nth _ _ _)) => [|i l IH] /=; first by rewrite big_nil.
by rewrite big_cons IH -sum1_count big_mkcond.
Qed.

Lemma sum_iota m (F : nat -> nat) : \sum_(i <- iota 0 m) F i = \sum_(i < m) F i.
Proof. by rewrite -{1}[m]subn0 -/(index_iota 0 m) big_mkord. Qed.

(** the points of a derived term are those of its term                       *)
Lemma ccount_pick s q (h h' : nat -> nat -> bool) :
  (forall i j, h i j -> ival (cmap q.1) i j < nth 0 sh (cvar q.1)) ->
  (forall k i j, k < nth 0 sh (cvar q.1) -> i < nth 0 sh (cout s) -> j < csum s ->
     h' k (i * csum s + j) = h i j && (k == ival (cmap q.1) i j)) ->
  ccount (sh ++ sh) h' (cadjoint_pick sh s q) = ccount sh h s.
Proof.
move=> hb hE; rewrite !ccount_sum /= szc.
transitivity (\sum_(k <- iota 0 (nth 0 sh (cvar q.1)))
  \sum_(i < nth 0 sh (cout s)) \sum_(j < csum s) (h i j && (k == ival (cmap q.1) i j))).
  rewrite big_seq [RHS]big_seq; apply: eq_bigr => k; rewrite mem_iota => /andP[_ kl].
  rewrite (sum_flat _ (nth 0 sh (cout s)) (csum s)); apply: eq_bigr => i _.
  by apply: eq_bigr => j _; rewrite hE.
rewrite exchange_big sum_iota; apply: eq_bigr => i _.
rewrite exchange_big sum_iota; apply: eq_bigr => j _.
case: (boolP (h i j)) => [hij|_] /=; last by rewrite big1.
rewrite (eq_bigr (fun k => if k == ival (cmap q.1) i j then 1 else 0)) => [|k _]; last by case: eqP.
by rewrite -big_mkcond (big_step _ (fun=> 1) (hb i j hij)).
Qed.

Lemma ccost1_pick s (q : cacc * seq (cfac P)) :
  all (fun a => cvar a <= n) (cargs q.2) ->
  (forall b : pred cacc, all b (cargs (cfacs s)) = b q.1 && all b (cargs q.2)) ->
  size (cargs q.2) <= size (cargs (cfacs s)) ->
  ccost1 (sh ++ sh) (cadjoint_pick sh s q) <=
  ccount sh (cvisits sh s) s * (ctests s).+1 +
  ccount sh (cholds sh s) s * (size (cargs (cfacs s))).+1.
Proof.
move=> wq qE le.
have inb i j : cvisits sh s i j -> ival (cmap q.1) i j < nth 0 sh (cvar q.1).
  by rewrite /cvisits qE => /and3P[].
rewrite /ccost1 (ccount_pick (h := cvisits sh s)) // => [|k i j kl il jl]; last first.
  by have [-> _] := adjoint_points sh_size wq qE kl il jl.
rewrite (ccount_pick (h := cholds sh s)) => [|i j /andP[/inb //]|k i j kl il jl]; last first.
  by have [_ ->] := adjoint_points sh_size wq qE kl il jl.
by rewrite leq_add2l cargs_pick leq_mul //= size_map.
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
move=> /andP[_ ws]; set v := ccount sh (cvisits sh s) s * (ctests s).+1.
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
have vE i j : cvisits (sh ++ sh) s i j = cvisits sh s i j.
  by rewrite /cvisits (inside_cat sh_size).
rewrite /ccost1 !ccount_sum (sz sh_size wo); congr (_ * _ + _ * _);
  by apply: eq_bigr => i _; apply: eq_bigr => j _; rewrite /cholds vE.
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
