(** * Fresh: a program with one more tensor, for the translation of the surface
    language (Lower.v): weakening keeps meaning and cost.                     *)
From mathcomp Require Import all_ssreflect all_algebra.
From TL Require Import Syntax Semantics Cost.
Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.
Import GRing.Theory.
Local Open Scope ring_scope.

Section Ext.
Variables (P : Type) (V : finType) (Ix : V -> finType) (T : finType).
Definition ext (o : option V) : finType := if o is Some v then Ix v else T.
Definition extV : finType := [finType of option V].
Notation Ext := (ext : extV -> finType).

Definition wk_acc (I J : finType) (a : access Ix I J) : access Ext I J :=
  @Access extV ext I J (Some (avar a)) (amap a).
Definition wk_fac (I J : finType) (f : factor P Ix I J) : factor P Ext I J :=
  match f with
  | Rd a => Rd (wk_acc a)
  | Ap g l => Ap g [seq wk_acc a | a <- l]
  end.
Definition wk (s : term P Ix) : term P Ext :=
  @Term P extV ext (Some (out s)) (dom s) (guard s) (test s) (tests s)
        [seq wk_fac f | f <- facs s].

Section Extend.
Variable R : comRingType.
Definition extend (x : store Ix R) (t : T -> R) : store Ext R :=
  [ffun a : cell Ext =>
     match tag a as o return ext o -> R with
     | Some v => fun i => get x i
     | None => fun i => t i
     end (tagged a)].
Lemma get_extS x t v (i : Ix v) : @get extV ext R (extend x t) (Some v) i = get x i.
Proof. by rewrite /get ffunE. Qed.
Lemma get_extN x t i : @get extV ext R (extend x t) None i = t i.
Proof. by rewrite /get ffunE. Qed.
End Extend.

Lemma args_wk I J (fs : seq (factor P Ix I J)) :
  args [seq wk_fac f | f <- fs] = [seq wk_acc a | a <- args fs].
Proof. by rewrite /args map_flatten -!map_comp; congr flatten; apply: eq_map; case. Qed.

Variable M : model P.
Lemma eval_wk1 s (x : store Ix M) t : eval1 (wk s) (extend x t) = extend (eval1 s x) t.
Proof.
apply/storeP => -[v|] i; last by rewrite getD single_out // addr0 !get_extN.
rewrite getD !get_extS getD; congr (_ + _).
have [ev|nv] := eqVneq v (out s); last by rewrite !single_out.
move: i; rewrite ev => i; rewrite (@get_single extV ext M (Some (out s))) get_single.
apply: eq_bigr => j _; rewrite big_map; apply: eq_bigr => -[a|g l] _ /=.
  by rewrite /aval get_extS.
by rewrite -map_comp; congr prm; apply: eq_map => a; rewrite /aval /= get_extS.
Qed.
Lemma eval_wk p (x : store Ix M) t : eval [seq wk s | s <- p] (extend x t) = extend (eval p x) t.
Proof. by elim: p x => //= s p IH x; rewrite eval_wk1 IH. Qed.
Lemma scost_wk (p : prog P Ix) : scost [seq wk s | s <- p] = scost p.
Proof.
by rewrite /scost big_map; apply: eq_bigr => s _; rewrite /scost1 /nargs /= args_wk size_map.
Qed.
End Ext.
