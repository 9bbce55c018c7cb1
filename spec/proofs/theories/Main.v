(** * Main: from the surface language to a cheap and correct gradient        *)
From mathcomp Require Import all_ssreflect all_algebra.
From TL Require Import Syntax Semantics Dual Derivative Correct Cost Closure Fresh Lower.
Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.
Import GRing.Theory.

Section Shape.
Variables (P : Type) (V0 : finType) (Ix0 : V0 -> finType).

(** lowered programs are in normal form: SSA, at most two accesses a term     *)
Definition ok (s : st P) := ssa_names (sp s) && arity_le 2 (sp s).
Definition ok_push (s : st P) (T : finType) (b : prog P (@fresh _ s T)) :=
  all [pred t | [&& out t == None, all isSome (reads t) & nargs t <= 2]] b.

Lemma outs_wk (V : finType) (Ix : V -> finType) (T : finType) (p : prog P Ix) :
  outs [seq wk T t | t <- p] = [seq Some w | w <- outs p].
Proof. by rewrite /outs -!map_comp. Qed.
Lemma reads_wk (V : finType) (Ix : V -> finType) (T : finType) (t : term P Ix) :
  reads (wk T t) = [seq Some w | w <- reads t].
Proof. by rewrite /reads args_wk -!map_comp. Qed.

Lemma ssa_wk (V : finType) (Ix : V -> finType) (T : finType) (p : prog P Ix) :
  ssa_names p -> ssa_names [seq wk T t | t <- p].
Proof.
elim: p => //= t p IH /andP[rt /IH ->]; rewrite andbT reads_wk all_map.
apply: sub_all rt => v /=; rewrite outs_wk !inE.
have -> : (Some v == Some (out t)) = (v == out t) by [].
by rewrite (mem_map Some_inj).
Qed.

Lemma ssa_fresh s T (b : prog P (@fresh _ s T)) : ok_push b -> ssa_names b.
Proof.
move=> ob; have oN : all [pred v | v == None] (outs b).
  by rewrite all_map; apply: sub_all ob => t /= /andP[].
elim: b ob oN => //= t b IH /andP[/and3P[_ rt _] ob] /andP[tN bN].
rewrite IH // andbT; apply: sub_all rt => v /=.
rewrite inE negb_or => vS; apply/andP; split.
  by apply: contraL vS => /eqP ->; rewrite (eqP tN).
by apply: contraL vS => /(allP bN) /= /eqP ->.
Qed.

Lemma ssa_names_cat (V : finType) (Ix : V -> finType) (p q : prog P Ix) :
  ssa_names p -> ssa_names q -> all [pred t | all [pred v | v \notin outs q] (reads t)] p ->
  ssa_names (p ++ q).
Proof.
elim: p => //= t p IH /andP[rt sp] sq /andP[rq /(IH sp sq) ->]; rewrite andbT.
apply/allP => v vt; have n1 := allP rt v vt; have n2 := allP rq v vt.
by rewrite /= /outs map_cat -[_ \in _]/(v \in outs (t :: p) ++ outs q) mem_cat negb_or; apply/andP.
Qed.

Lemma ok_pushE s T (b : prog P (@fresh _ s T)) :
  ok s -> ok_push b -> ok (rs (push b)).
Proof.
move=> /andP[ss ks] ob; rewrite /ok /push /=; apply/andP; split.
  apply: ssa_names_cat; [exact: ssa_wk | exact: ssa_fresh |].
  have oN : all [pred v | v == None] (outs b).
    by rewrite all_map; apply: sub_all ob => t /= /andP[].
  rewrite all_map; apply: sub_all (all_predT _) => t _; rewrite /= reads_wk all_map.
  by apply: sub_all (all_predT _) => v _ /=; apply/negP => /(allP oN).
rewrite /arity_le all_cat; apply/andP; split.
  by rewrite all_map; apply: sub_all ks => t /=; rewrite /nargs args_wk size_map.
by apply: sub_all ob => t /= /and3P[].
Qed.

Theorem lower_ok (I : finType) (e : expr P Ix0 I) q s (r : forall v, addr (Ix0 v) s) :
  ok s -> ok (rs (lower e q r)).
Proof.
elim: e q s r => {}I //=; try by move=> *; apply: ok_pushE => //; eauto.
Qed.

(** ** The whole pipeline *)
Definition start : st P := @St P V0 Ix0 [::].
Definition start_ad (v : V0) : addr (Ix0 v) start := @Ad P _ start v id.
Definition compile (I : finType) (e : expr P Ix0 I) : res I start :=
  lower e xpredT start_ad.
Definition code (I : finType) (e : expr P Ix0 I) := sp (rs (compile e)).

Lemma code_ok (I : finType) (e : expr P Ix0 I) : ssa (code e) /\ arity_le 2 (code e).
Proof.
have /andP[s2 k2] : ok (rs (compile e)) by apply: lower_ok.
by split=> //; apply: ssa_namesP.
Qed.

(** Gradient of a surface expression: at most 16 times its sparse cost. *)
Theorem cheap_surface_gradient (deriv : P -> nat -> P) (I : finType) (e : expr P Ix0 I) :
  scost (adjoint deriv (code e)) <= 16 * \sum_(i : I) ecost e i.
Proof.
have [_ k2] := code_ok e; apply: leq_trans (cheap_gradient2 deriv k2) _.
rewrite -[16]/(4 * 4)%N -mulnA leq_mul2l /=.
apply: leq_trans (scost_lower e xpredT start_ad) _.
by rewrite {1}/scost big_nil.
Qed.

(** ... and it is the derivative: for every index [i] of the result and every
    cell [k] of an input tensor [v],
      d e[i] / d v[k]  =  the cotangent of v[k] when e[i] is seeded with 1.   *)
Section Correct.
Variables (deriv : P -> nat -> P) (M : model P).
Local Open Scope ring_scope.
Notation D := (dual_model deriv M).

Lemma den_compile (I : finType) (e : expr P Ix0 I) (x0 : store Ix0 M) i :
  let R := compile e in
  get (eval (code e) (up R x0)) (aphi (tgt R) i) = den e x0 i.
Proof.
have H v j : @val P M start _ x0 (start_ad v) j = get x0 j by [].
by have [_ h] := lower_sound e xpredT H; exact: h.
Qed.

Lemma extend_dual (V : finType) (Ix : V -> finType) (T : finType) (x d : store Ix M) :
  extend (dstore deriv x d) (fun=> 0) =
  dstore deriv (extend x (fun _ : T => 0)) (extend d (fun=> 0)).
Proof.
by apply/storeP => -[v|] i; rewrite get_dstore ?get_extS ?get_extN ?get_dstore.
Qed.
Lemma extend_basis (V : finType) (Ix : V -> finType) (T : finType) v (k : Ix v) :
  extend (basis M k) (fun _ : T => 0) = @basis _ M _ (ext Ix T) (Some v) k.
Proof.
apply/storeP => -[w|] i; rewrite ?get_extS ?get_extN; last by rewrite single_out.
have [e|n] := eqVneq w v; last by rewrite !single_out.
by move: i; rewrite e => i; rewrite get_single (@get_single _ (ext Ix T) _ (Some v)).
Qed.

Lemma up_natural (I : finType) (e : expr P Ix0 I) q s (r : forall v, addr (Ix0 v) s) :
  (forall x d : store (@sIx _ s) M,
     up (lower e q r) (dstore deriv x d) =
     dstore deriv (up (lower e q r) x) (up (lower e q r) d)) /\
  (forall J (a : addr J s) j,
     up (lower e q r) (basis M (aphi a j)) =
     basis M (aphi (carry (lower e q r) a) j)).
Proof.
elim: e q s r => {}I /=.
- by move=> c q s r; split=> *; [apply: extend_dual | apply: extend_basis].
- by [].
- move=> a IHa b IHb q s r; have [da ba] := IHa q s r.
  have [db bb] := IHb q _ (fun v => carry (lower a q r) (r v)).
  by split=> *; rewrite ?da ?db ?ba ?bb; [apply: extend_dual | apply: extend_basis].
- move=> a IHa b IHb q s r; have [da ba] := IHa q s r.
  have [db bb] := IHb q _ (fun v => carry (lower a q r) (r v)).
  by split=> *; rewrite ?da ?db ?ba ?bb; [apply: extend_dual | apply: extend_basis].
- move=> p a IHa q s r; have [da ba] := IHa (fun i => q i && p i) s r.
  by split=> *; rewrite ?da ?ba; [apply: extend_dual | apply: extend_basis].
- move=> J a IHa q s r; have [da ba] := IHa (fun ij => q ij.1) s r.
  by split=> *; rewrite ?da ?ba; [apply: extend_dual | apply: extend_basis].
- move=> g a IHa q s r; have [da ba] := IHa q s r.
  by split=> *; rewrite ?da ?ba; [apply: extend_dual | apply: extend_basis].
- move=> g a IHa b IHb q s r; have [da ba] := IHa q s r.
  have [db bb] := IHb q _ (fun v => carry (lower a q r) (r v)).
  by split=> *; rewrite ?da ?db ?ba ?bb; [apply: extend_dual | apply: extend_basis].
Qed.

Theorem surface_gradient (I : finType) (e : expr P Ix0 I) (x0 : store Ix0 M)
    (i : I) (v : V0) (k : Ix0 v) :
  let R := compile e in
  get (cot (eval (adjoint deriv (code e))
                 (join (up R x0) (basis M (aphi (tgt R) i)))))
      (aphi (carry R (start_ad v)) k)
  = eps (den e (dstore deriv x0 (basis M k) : store Ix0 D) i).
Proof.
move=> R; have [se _] := code_ok e.
have [dR bR] := up_natural e xpredT start_ad.
rewrite gradient_dual // -(bR _ (start_ad v) k) -dR.
have H w j : @val P D start _ (dstore deriv x0 (basis M k)) (start_ad w) j
             = get (dstore deriv x0 (basis M k)) j by [].
have [_ h] := lower_sound e xpredT H.
by rewrite -(h i).
Qed.
End Correct.
End Shape.
