(** * Correct: the tangent and adjoint *programs* compute jvp and vjp        *)
From mathcomp Require Import all_ssreflect all_algebra.
From TL Require Import Syntax Semantics Dual Derivative.
Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.
Import GRing.Theory.
Local Open Scope ring_scope.

Section Join.
Variables (P : Type) (deriv : P -> nat -> P) (M : model P).
Variables (V : finType) (Ix : V -> finType).
Notation store := (store Ix M).
Notation store2 := (Semantics.store (Ix2 Ix) M).
Notation term := (term P Ix).

(** primal part and (co)tangent part, side by side *)
Definition join (x d : store) : store2 :=
  [ffun a : cell (Ix2 Ix) =>
     match tag a as v return Ix2 Ix v -> M with
     | inl v => fun i => get x i
     | inr v => fun i => get d i
     end (tagged a)].

Lemma get_joinl x d v (i : Ix v) : @get _ (Ix2 Ix) M (join x d) (inl v) i = get x i.
Proof. by rewrite /get ffunE. Qed.
Lemma get_joinr x d v (i : Ix v) : @get _ (Ix2 Ix) M (join x d) (inr v) i = get d i.
Proof. by rewrite /get ffunE. Qed.

Lemma joinP (z : store2) x d :
  (forall v (i : Ix v), @get _ (Ix2 Ix) M z (inl v) i = get x i) ->
  (forall v (i : Ix v), @get _ (Ix2 Ix) M z (inr v) i = get d i) ->
  z = join x d.
Proof.
by move=> el er; apply/storeP => -[v|v] i; rewrite ?get_joinl ?get_joinr.
Qed.

Lemma joinD x x' d d' : join x d + join x' d' = join (x + x') (d + d').
Proof. by apply: joinP => v i; rewrite !getD ?get_joinl ?get_joinr. Qed.

Lemma single_inl v (s : Ix v -> M) :
  @single _ (Ix2 Ix) M (inl v) s = join (single s) 0.
Proof.
apply: joinP => w i; last by rewrite single_out ?get0.
have [ewv|nwv] := eqVneq w v; last by rewrite !single_out.
by move: i; rewrite ewv => i; rewrite !get_single.
Qed.
Lemma single_inr v (s : Ix v -> M) :
  @single _ (Ix2 Ix) M (inr v) s = join 0 (single s).
Proof.
apply: joinP => w i; first by rewrite single_out ?get0.
have [ewv|nwv] := eqVneq w v; last by rewrite !single_out.
by move: i; rewrite ewv => i; rewrite !get_single.
Qed.

(** ** Factors of the derived terms *)
Lemma prod_lift x d (I J I' J' : finType) (h : I' -> J' -> I * J)
    (l : seq (factor P Ix I J)) i j :
  \prod_(f <- [seq lift h f | f <- l]) fval (join x d) f i j =
  \prod_(f <- l) fval x f (h i j).1 (h i j).2.
Proof.
rewrite big_map; apply: eq_bigr => -[a|g m] _ /=; rewrite /aval ?get_joinl //.
by rewrite -map_comp; congr prm; apply: eq_map => a /=; rewrite get_joinl.
Qed.

Notation pick t := (access Ix (Ix (out t)) (dom t) *
                    seq (factor P Ix (Ix (out t)) (dom t)))%type.

Lemma eval_primal1 (t : term) (x d : store) :
  eval1 (primal1 t) (join x d) = join (eval1 t x) d.
Proof.
rewrite /eval1 /contrib /= single_inl joinD addr0; congr (join (_ + _) _).
by apply: eq_single => i; apply: eq_bigr => j _; rewrite prod_lift.
Qed.

Lemma eval_tangent_pick (t : term) (q : pick t) x d :
  eval1 (tangent_pick q) (join x d) = join x (d + D1_pick x d q).
Proof.
rewrite /eval1 /contrib /= single_inr joinD addr0; congr (join _ (_ + _)).
by apply: eq_single => i; apply: eq_bigr => j _; rewrite big_cons prod_lift /= /aval get_joinr.
Qed.

Lemma holds_adjoint (t : term) (q : pick t) k ij :
  holds (adjoint_pick q) k ij = holds t ij.1 ij.2 && (k == amap q.1 ij.1 ij.2).
Proof. by rewrite /holds /= andbAC. Qed.

Lemma eval_adjoint_pick (t : term) (q : pick t) x u :
  eval1 (adjoint_pick q) (join x u) = join x (u + D1T_pick x u q).
Proof.
rewrite /eval1 /contrib /= single_inr joinD addr0; congr (join _ (_ + _)).
apply: eq_single => k; rewrite /rhs (eq_bigl _ _ (@holds_adjoint t q k)).
by apply: eq_bigr => ij _; rewrite big_cons prod_lift /= /aval get_joinr.
Qed.

(** ** One term: its partial derivatives may be run one after the other,
    because it does not read what it writes.                                 *)
Definition no_self (t : term) := reads_in (predC (writes t)) t.

Lemma ssa_no_self t p : ssa (t :: p) -> no_self t.
Proof. by case=> rt _; apply: reads_in_sub rt => c; rewrite /= negb_or => /andP[]. Qed.

(** a property of the accesses of a term, for every partial derivative *)
Definition pall (t : term) (A : pred (cell Ix)) (l : seq (pick t)) : Prop :=
  forall i j, holds t i j ->
    all [pred q : pick t | A (acell q.1 i j) && all [pred a | A (acell a i j)] (args q.2)] l.
Lemma pall_partials (t : term) A : reads_in A t -> pall A (partials deriv (facs t)).
Proof. by move=> rt i j /rt /all_partials; apply. Qed.

Lemma eval_tangent_picks (t : term) (l : seq (pick t)) x (d d' : store) :
  pall (predC (writes t)) l -> (forall c, ~~ writes t c -> d' c = d c) ->
  eval [seq tangent_pick q | q <- l] (join x d') = join x (d' + \sum_(q <- l) D1_pick x d q).
Proof.
elim: l d' => [|q l IH] d' pl ed /=; first by rewrite big_nil addr0.
have -> : eval1 (tangent_pick q) (join x d') = join x (d' + D1_pick x d q).
  rewrite eval_tangent_pick; congr (join _ (_ + _)); apply: eq_single => i.
  apply: eq_bigr => j h; congr (_ * _); apply: ed.
  by case/andP: (pl i j h) => /andP[].
rewrite IH ?big_cons ?addrA // => [i j /pl /andP[] //|c nc].
rewrite ffunE ed // ffunE big1 ?addr0 // => i /eqP e; apply: big_pred0 => j.
by apply/negP => /writesP h; case/negP: nc; rewrite -e.
Qed.

Lemma eval_tangent1 t x d :
  no_self t -> eval (tangent1 deriv t) (join x d) = join x (d + D1 deriv t x d).
Proof. by move=> ns; apply: eval_tangent_picks => //; apply: pall_partials. Qed.

Lemma eval_adjoint_picks (t : term) (l : seq (pick t)) x (u u' : store) :
  pall (predC (writes t)) l -> (forall c, writes t c -> u' c = u c) ->
  eval [seq adjoint_pick q | q <- l] (join x u') = join x (u' + \sum_(q <- l) D1T_pick x u q).
Proof.
elim: l u' => [|q l IH] u' pl eu /=; first by rewrite big_nil addr0.
have -> : eval1 (adjoint_pick q) (join x u') = join x (u' + D1T_pick x u q).
  rewrite eval_adjoint_pick; congr (join _ (_ + _)); apply: eq_single => k.
  by apply: eq_bigr => ij /andP[/writesP h _]; congr (_ * _); apply: eu.
rewrite IH ?big_cons ?addrA // => [i j /pl /andP[] //|c wc].
rewrite ffunE eu // ffunE big1 ?addr0 // => k /eqP e; apply: big_pred0 => ij.
apply/negP => /andP[/pl /andP[/andP[nw _] _]] /eqP ek; case/negP: nw.
by rewrite /acell -ek e.
Qed.

Lemma eval_adjoint1 t x u :
  no_self t -> eval (adjoint1 deriv t) (join x u) = join x (u + D1T deriv t x u).
Proof. by move=> ns; apply: eval_adjoint_picks => //; apply: pall_partials. Qed.

(** ** Theorem (tangent program). *)
Theorem eval_tangent p x d :
  ssa p -> eval (tangent deriv p) (join x d) = join (eval p x) (jvp deriv p x d).
Proof.
elim: p x d => //= t p IH x d sp; have ns := ssa_no_self sp; have [_ sp'] := sp.
by rewrite eval_cat eval_tangent1 //= eval_primal1 IH.
Qed.

(** The reverse pass may use the last primal state in place of the state in
    which the term was executed.                                             *)
Lemma D1T_agree (A : pred (cell Ix)) (t : term) (x y u : store) :
  reads_in A t -> (forall c, A c -> x c = y c) -> D1T deriv t x u = D1T deriv t y u.
Proof.
move=> /pall_partials + e; rewrite /D1T.
elim: (partials _ _) => [|q l IH] pl; first by rewrite !big_nil.
rewrite !big_cons IH => [|i j /pl /andP[] //]; congr (_ + _).
apply: eq_single => k; apply: eq_bigr => -[i j] /andP[h _] /=; congr (_ * _).
case/andP: (pl i j h) => /andP[_ al] _; apply: fvals_agree.
by apply: sub_all al => a /= /e ->.
Qed.

Lemma eval_backward p x u :
  ssa p ->
  eval (backward deriv p) (join (eval p x) u) = join (eval p x) (vjp deriv p x u).
Proof.
elim: p x u => //= t p IH x u sp; have ns := ssa_no_self sp; have [rt sp'] := sp.
rewrite eval_cat IH // eval_adjoint1 //.
congr (join _ (_ + _)); apply: D1T_agree rt _ => c nc.
exact: (@eval_out _ _ _ _ (t :: p) x c nc).
Qed.

(** ** Theorem (adjoint program). *)
Lemma eval_primal p x u : eval (primal p) (join x u) = join (eval p x) u.
Proof. by elim: p x => //= t p IH x; rewrite eval_primal1 IH. Qed.

Theorem eval_adjoint p x u :
  ssa p -> eval (adjoint deriv p) (join x u) = join (eval p x) (vjp deriv p x u).
Proof. by move=> sp; rewrite /adjoint eval_cat eval_primal eval_backward. Qed.

Definition cot (z : store2) : store := [ffun a => get z (tagged a : Ix2 Ix (inr (tag a)))].
Lemma cot_join x d : cot (join x d) = d.
Proof. by apply/ffunP=> -[v i]; rewrite ffunE get_joinr. Qed.

(** ** Theorem A, program form. *)
Theorem adjoint_correct p x dx dy :
  ssa p ->
  dot dy (cot (eval (tangent deriv p) (join x dx))) =
  dot (cot (eval (adjoint deriv p) (join x dy))) dx.
Proof.
by move=> sp; rewrite eval_tangent // eval_adjoint // !cot_join vjp_adjoint.
Qed.
End Join.
