(** * Primitives: a table of partial derivatives that is right
    Primitives given as scalar expressions in their arguments, over a field;
    [pderiv] is the symbolic partial derivative.  Acting on dual numbers by the
    partial derivatives is the same as computing with dual numbers: the lift that
    Derivative.v assumes of every primitive is a theorem for these.  Powers,
    quotients and conditionals are among them; transcendental functions stay
    names with a given derivative.                                            *)
From mathcomp Require Import all_ssreflect all_algebra.
From TL Require Import Syntax Semantics Dual Derivative.
Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.
Import GRing.Theory.
Local Open Scope ring_scope.

(** ** Scalar expressions, over any operations: this part is extracted too.   *)
Section Expressions.
(** scalars, and conditions of the arguments, constant for differentiation,
    such as x >= y                                                            *)
Variables T Q : Type.
Inductive prim :=
| Arg of nat
| Cst of T
| Plus of prim & prim
| Times of prim & prim
| Inverse of prim
| Power of prim & nat
| Cond of Q & prim & prim.

Record operations := Operations {
  of_nat : nat -> T; minus_one : T; plus : T -> T -> T; times : T -> T -> T;
  inverse : T -> T; power : T -> nat -> T; holdsq : Q -> seq T -> bool }.
Variable O : operations.

Fixpoint pval (e : prim) (l : seq T) : T :=
  match e with
  | Arg n => nth (of_nat O 0) l n
  | Cst c => c
  | Plus a b => plus O (pval a l) (pval b l)
  | Times a b => times O (pval a l) (pval b l)
  | Inverse a => inverse O (pval a l)
  | Power a n => power O (pval a l) n
  | Cond q a b => if holdsq O q l then pval a l else pval b l
  end.

Fixpoint pderiv (e : prim) (m : nat) : prim :=
  match e with
  | Arg n => Cst (of_nat O (n == m))
  | Cst _ => Cst (of_nat O 0)
  | Plus a b => Plus (pderiv a m) (pderiv b m)
  | Times a b => Plus (Times a (pderiv b m)) (Times (pderiv a m) b)
  | Inverse a =>
      Times (Cst (minus_one O)) (Times (Times (Inverse a) (Inverse a)) (pderiv a m))
  | Power a n =>
      if n is k.+1 then Times (Times (Cst (of_nat O k.+1)) (Power a k)) (pderiv a m)
      else Cst (of_nat O 0)
  | Cond q a b => Cond q (pderiv a m) (pderiv b m)
  end.
End Expressions.
Arguments Arg {T Q}.
Arguments Cst {T Q}.

(** ** Over a field *)
Section Primitives.
Variables (F : fieldType) (Q : Type) (test : Q -> seq F -> bool).
Definition field_operations : operations F Q := {|
  of_nat := fun n => n%:R; minus_one := -1; plus := +%R; times := *%R;
  inverse := @GRing.inv F; power := @GRing.exp F; holdsq := test |}.
Notation prim := (prim F Q).
Notation pval := (pval field_operations).
Notation pderiv := (pderiv field_operations).

Definition field_model : model prim := @Model prim F (fun e l => pval e l).

(** arithmetic on dual numbers over the field *)
Notation dF := (dual_comRingType F).
Definition dinv (z : dF) : dF := Dual (re z)^-1 (- ((re z)^-1 * (re z)^-1 * eps z)).
Fixpoint dval_ (e : prim) (l : seq dF) : dF :=
  match e with
  | Arg n => nth 0 l n
  | Cst c => Dual c 0
  | Plus a b => dval_ a l + dval_ b l
  | Times a b => dval_ a l * dval_ b l
  | Inverse a => dinv (dval_ a l)
  | Power a n => dval_ a l ^+ n
  | Cond q a b => if test q [seq re z | z <- l] then dval_ a l else dval_ b l
  end.

Lemma dual_mulV (z : dF) : re z != 0 -> dinv z * z = 1.
Proof.
move=> z0; rewrite /dinv dualM dual1 /= mulVf //; congr Dual.
by rewrite mulNr -[X in _ - X]mulrA [eps z * _]mulrC mulrA divfK ?subrr // mulrC.
Qed.
Lemma dual_exp (z : dF) n : z ^+ n = Dual (re z ^+ n) (n%:R * re z ^+ n.-1 * eps z).
Proof.
elim: n => [|n IH]; first by rewrite !expr0 !mul0r.
rewrite exprS IH dualM /= -exprS; congr Dual.
case: n {IH} => [|n] /=; first by rewrite !mul0r !mulr0 add0r expr0 !mul1r mulr1.
rewrite -!mulrA mulrCA [re z * (_ * _)]mulrA -exprS [eps z * _]mulrC.
by rewrite [n.+2%:R]mulrS mulrDl mul1r addrC.
Qed.

Lemma sum_number (l : seq dF) (G : dF -> nat -> F) :
  \sum_(zm <- number l) G zm.1 zm.2 = \sum_(m < size l) G (nth 0 l m) m.
Proof.
rewrite /number (big_nth (0, 0%N)) size_zip size_iota minnn big_mkord.
by apply: eq_bigr => m _; rewrite nth_zip ?size_iota // nth_iota.
Qed.

(** ** Theorem: the partial derivatives of a primitive are right *)
Theorem prim_dual (e : prim) (l : seq dF) :
  dval_ e l = prm (m := dual_model pderiv field_model) e l.
Proof.
have nthE n : nth 0 [seq re z | z <- l] n = re (nth 0 l n).
  by case: (ltnP n (size l)) => h; [rewrite (nth_map 0) | rewrite !nth_default ?size_map].
rewrite /= (sum_number l (fun z m => eps z * pval (pderiv e m) [seq re z | z <- l])).
elim: e => [n|c|a IHa b IHb|a IHa b IHb|a IHa|a IHa n|q a IHa b IHb] /=.
- rewrite nthE; case: (ltnP n (size l)) => h; last first.
    rewrite nth_default // big1 // => m _; case: eqP => [e|_]; last by rewrite mulr0.
    by move: h; rewrite e leqNgt ltn_ord.
  rewrite (bigD1 (Ordinal h)) //= eqxx mulr1 big1 ?addr0 => [|m /eqP nm].
    by case: (nth _ _ _).
  by case: eqP => [e|_]; rewrite ?mulr0 //; case: nm; apply: val_inj.
- by rewrite big1 // => m _; rewrite mulr0.
- rewrite IHa IHb dualD /=; congr Dual; rewrite -big_split; apply: eq_bigr => m _.
  by rewrite mulrDr.
- rewrite IHa IHb dualM /=; congr Dual; rewrite mulr_sumr mulr_suml -big_split.
  apply: eq_bigr => m _; rewrite mulrDr; congr (_ + _); first exact: mulrCA.
  by rewrite mulrA.
- rewrite IHa /dinv /=; congr Dual; rewrite mulr_sumr -sumrN; apply: eq_bigr => m _.
  by rewrite mulN1r mulrN mulrCA.
- rewrite IHa dual_exp /=; congr Dual; case: n => [|n] /=.
    by rewrite !mul0r big1 // => m _; rewrite mulr0.
  by rewrite mulr_sumr; apply: eq_bigr => m _; rewrite mulrCA.
- by case: test.
Qed.
End Primitives.
