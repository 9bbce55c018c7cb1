(** * Lexicographic: lexicographic orders as ranks
    The place of a cell in a program is a list of digits: block, recurrence
    variable, block inside it, next recurrence variable, .., position of the
    statement (with zeros where a statement is nested less deeply).  A variable
    that descends contributes its digit counted from the end.                 *)
From mathcomp Require Import all_ssreflect.
From TL Require Import Syntax Semantics Stages.
Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.

(** strict lexicographic order on digits, most significant first              *)
Fixpoint lex_lt (a b : seq nat) : bool :=
  match a, b with
  | x :: a', y :: b' => (x < y) || (x == y) && lex_lt a' b'
  | _, _ => false
  end.
(** the number written by the digits [a], of ranges [ns]                      *)
Fixpoint lex (ns a : seq nat) : nat :=
  match ns, a with
  | n :: ns', x :: a' => x * \prod_(m <- ns') m + lex ns' a'
  | _, _ => 0
  end.
Definition in_range (ns a : seq nat) := all2 ltn a ns.

Lemma lex_bound ns a : in_range ns a -> lex ns a < \prod_(m <- ns) m.
Proof.
elim: ns a => [|n ns IH] [|x a] //=; first by rewrite big_nil.
case/andP=> xn /IH h; rewrite big_cons.
by apply: (@leq_trans (x.+1 * \prod_(m <- ns) m)); rewrite ?leq_mul // mulSn addnC ltn_add2r.
Qed.
(** ** Theorem: the lexicographic order is the order of these numbers.        *)
Theorem lex_mono ns a b :
  in_range ns a -> in_range ns b -> (lex ns a < lex ns b) = lex_lt a b.
Proof.
elim: ns a b => [|n ns IH] [|x a] [|y b] //= /andP[xn ra] /andP[yn rb].
rewrite -(IH _ _ ra rb); set m := \prod_(k <- ns) k.
have [la lb] := (lex_bound ra, lex_bound rb); rewrite -/m in la lb.
case: (ltngtP x y) => [xy|yx|->] /=; last by rewrite ltn_add2l.
- apply: (@leq_trans (x.+1 * m)); first by rewrite mulSn addnC ltn_add2r.
  by apply: leq_trans (leq_addr _ _); rewrite leq_mul.
- apply/negbTE; rewrite -leqNgt; apply: leq_trans (leq_addr _ _).
  by apply: leq_trans (_ : y.+1 * m <= _); [rewrite mulSn addnC leq_add2r ltnW | rewrite leq_mul].
Qed.

(** direction of a variable *)
Definition digit (descending : bool) (n d : nat) := if descending then n.-1 - d else d.
Lemma digit_lt descending n d : d < n -> digit descending n d < n.
Proof.
by case: n => // n dn; case: descending => //; rewrite /digit /= ltnS leq_subr.
Qed.
Lemma digit_mono descending n d e : d < n -> e < n ->
  (digit descending n d < digit descending n e) = (if descending then e < d else d < e).
Proof.
case: descending => //; case: n => //= n dn en; rewrite /digit /=.
by case: (ltnP e d) => [ed|de]; [rewrite ltn_sub2l // (leq_trans ed) | rewrite ltnNge leq_sub2l].
Qed.

Section Lexicographic.
Variables (P : Type) (V : finType) (Ix : V -> finType).
Variable block : pred (cell Ix).         (* cells that the program defines  *)
Variables (ns : seq nat) (place : cell Ix -> seq nat).
Hypothesis place_in : forall c, block c -> in_range ns (place c).

(** A program whose reads are earlier, in the lexicographic order            *)
Definition earlier (p : prog P Ix) : Prop :=
  forall t, List.In t p -> forall i j, holds t i j ->
    block (ocell i) /\
    all [pred a | block (acell a i j) ==> lex_lt (place (acell a i j)) (place (ocell i))]
        (args (facs t)).

Definition lex_rank (c : cell Ix) : nat := if block c then (lex ns (place c)).+1 else 0.

Lemma lex_rank_lt c : lex_rank c < (\prod_(m <- ns) m).+1.
Proof. by rewrite /lex_rank; case: ifP => // /place_in /lex_bound. Qed.

(** ** Theorem: ... is ranked, so Stages.v and Recurrence.v apply to it.      *)
Theorem earlier_ranked (p : prog P Ix) : earlier p -> ranked lex_rank p.
Proof.
move=> ep t tp i j h; have [bo al] := ep t tp i j h.
apply: sub_all al => a /=; rewrite /lex_rank bo; case: ifP => //= ba.
by rewrite ltnS lex_mono ?place_in.
Qed.
End Lexicographic.
