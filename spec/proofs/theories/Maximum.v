(** * Maximum: reductions by max are reads through an index tensor
    max_j e[j] is e[m] with m = argmax_j e[j], the first position of the largest
    value.  The index m is a function of the primal point and constant for
    differentiation, so the adjoint is that of a read: [j = m].  The same for
    min, with the order reversed.                                             *)
From mathcomp Require Import all_ssreflect all_algebra.
From TL Require Import Syntax Semantics Dual Derivative Correct Closure.
Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.
Import GRing.Theory.
Local Open Scope ring_scope.

Section First.
Variables (R : Type) (le : rel R).
Hypotheses (le_refl : reflexive le) (le_trans : transitive le) (le_total : total le).
Variable e : nat -> R.

(** the first largest position among 0 .. n, by one pass *)
Fixpoint argmax (n : nat) : nat :=
  if n is k.+1 then if le (e n) (e (argmax k)) then argmax k else n else 0%N.

Lemma argmax_le n : (argmax n <= n)%N.
Proof. by elim: n => //= n IH; case: ifP => // _; apply: leqW. Qed.
Theorem argmax_max n i : (i <= n)%N -> le (e i) (e (argmax n)).
Proof.
elim: n => [|n IH]; first by rewrite leqn0 => /eqP ->.
rewrite leq_eqVlt => /predU1P[->|/IH h] /=; case: ifP => // /negbT lt.
by apply: le_trans h _; case/orP: (le_total (e n.+1) (e (argmax n))) => //; rewrite (negbTE lt).
Qed.
(** ties go to the first *)
Theorem argmax_first n i : (i < argmax n)%N -> ~~ le (e (argmax n)) (e i).
Proof.
elim: n => //= n IH; case: ifPn => [_ /IH //|lt].
rewrite ltnS => /(@argmax_max n) h; apply: contra lt => /le_trans; exact.
Qed.
End First.

(** The maximum over dual numbers, compared by their real parts, first wins: the
    value and the derivative are those of the entry at argmax.                *)
Section DualMax.
Variables (R : comRingType) (le : rel R) (e d : nat -> R).
Fixpoint dmax (n : nat) : dual R :=
  if n is k.+1 then if le (e n) (re (dmax k)) then dmax k else Dual (e n) (d n)
  else Dual (e 0) (d 0).
Theorem dmax_argmax n : dmax n = Dual (e (argmax le e n)) (d (argmax le e n)).
Proof. by elim: n => //= n ->; case: ifP. Qed.
End DualMax.

(** A read through index maps [m], a fixed function of the primal point:
    the adjoint of  y[i] = v[m i]  is  dv[k] += sum_i [k = m i] dy[i].         *)
Section ReadAt.
Variables (P : Type) (deriv : P -> nat -> P) (M : model P).
Variables (V : finType) (Ix : V -> finType) (v y : V) (m : Ix y -> Ix v).
Definition read_at : term P Ix :=
  @Term P V Ix y [finType of unit] (fun _ _ => true) (fun _ _ => true) (fun _ _ => 0%N)
    [:: Rd (@Access V Ix _ _ v (fun i _ => m i))].

Theorem read_at_adjoint (x u : store Ix M) (k : Ix v) : v != y ->
  get (cot (eval (adjoint deriv [:: read_at]) (join x u))) k =
  get u k + \sum_i (k == m i)%:R * get u i.
Proof.
move=> vy; rewrite eval_adjoint; last first.
  by split=> // i j _ /=; rewrite andbT; apply/negP => /written_outs; rewrite inE (negbTE vy).
rewrite cot_join /= getD /D1T big_seq1 get_single; congr (_ + _).
rewrite (reindex (fun i : Ix y => (i, tt))) /=; last by exists fst => // -[i []].
rewrite big_mkcond; apply: eq_bigr => i _; rewrite /holds /partial /= big_nil mulr1.
by case: (k == m i); rewrite ?mul0r ?mul1r.
Qed.
End ReadAt.
