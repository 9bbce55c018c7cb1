(** * Example: the definitions are not vacuous                               *)
From mathcomp Require Import all_ssreflect all_algebra.
From Coq Require Import ZArith.
From TL Require Import Syntax Semantics Derivative Correct Closure Stages Lexicographic Recurrence Loops Blocks.
From TL Require Import Interp InterpAdjoint.
Set Implicit Arguments.

(** ** Runs of the interpreter, over the integers; a primitive is a constant *)
Definition Zops : ops Z Z := @Ops Z Z 0%Z 1%Z Z.add Z.mul (fun c _ => c).
Definition Zderiv (_ : Z) (_ : nat) : Z := 0%Z.
Definition read v a : cfac Z := CRd Z (CAcc v a).

(** full convolution  y[i] = sum_j [j <= i and i - j < 3] a[j] b[i - j]  *)
Definition conv : cterm Z :=
  CTerm 2 3 (BAnd (BNot (BLt EI EJ)) (BLt (ESub EI EJ) (EInt 3))) BTrue (fun _ _ => 0)
    [:: read 0 EJ; read 1 (ESub EI EJ)].
Definition sh := [:: 3; 3; 5].
Definition env := [:: [:: 1; 2; 3]; [:: 4; 5; 6]; [:: 0; 0; 0; 0; 0]]%Z.
Definition seed := [:: [:: 0; 0; 0]; [:: 0; 0; 0]; [:: 1; 1; 1; 1; 1]]%Z.

Example conv_run :
  nth [::] (crun Zops sh [:: conv] env) 2 = [:: 4; 13; 28; 27; 18]%Z.
Proof. by vm_compute. Qed.
(** 9 of the 15 index points are visited, with two accesses at each          *)
Example conv_cost : ccost sh [:: conv] = 27.
Proof. by vm_compute. Qed.
(** the gradient of the sum of y: every a[j] meets all of b, and conversely  *)
Example conv_adjoint :
  drop 3 (crun Zops (sh ++ sh) (cadjoint Zderiv sh [:: conv]) (env ++ seed)) =
  [:: [:: 15; 15; 15]; [:: 6; 6; 6]; [:: 1; 1; 1; 1; 1]]%Z.
Proof. by vm_compute. Qed.
(** primal and adjoint: 3 times the primal, at most 4                         *)
Example conv_adjoint_cost : ccost (sh ++ sh) (cadjoint Zderiv sh [:: conv]) = 81.
Proof. by vm_compute. Qed.

(** the recurrence  s[0] = 1, s[t] = a[t] s[t - 1], step by step             *)
Definition scan_step (t : nat) : cterm Z :=
  CTerm 1 1 (BEq EI (EInt (Z.of_nat t))) BTrue (fun _ _ => 0)
    (if t is t'.+1 then [:: read 0 EI; read 1 (EInt (Z.of_nat t'))] else [:: CAp 1%Z [::]]).
Definition scan := [seq scan_step t | t <- iota 0 4].
Example scan_run :
  nth [::] (crun Zops [:: 4; 4] scan [:: [:: 7; 2; 3; 5]; [:: 0; 0; 0; 0]]%Z) 1 =
  [:: 1; 2; 6; 30]%Z.
Proof. by vm_compute. Qed.
(** the adjoint runs the steps backwards: d s[3] / d a = (0, 15, 10, 6)       *)
Example scan_adjoint :
  nth [::] (crun Zops [:: 4; 4; 4; 4] (cadjoint Zderiv [:: 4; 4] scan)
    [:: [:: 7; 2; 3; 5]; [:: 0; 0; 0; 0]; [:: 0; 0; 0; 0]; [:: 0; 0; 0; 1]]%Z) 2 =
  [:: 0; 15; 10; 6]%Z.
Proof. by vm_compute. Qed.

(** ** The same recurrence as a `rec` block of the calculus *)
Section Scan.
Variables (P : Type) (one : P) (n : nat).
Definition SIx (_ : bool) : finType := [finType of 'I_n.+1].   (* false: a, true: s *)
Definition init : term P SIx :=
  @Term P _ SIx true [finType of unit] (fun (i : 'I_n.+1) _ => i == ord0) (fun _ _ => true) (fun _ _ => 0)
    [:: Ap one [::]].
Definition next : term P SIx :=
  @Term P _ SIx true [finType of unit] (fun (i : 'I_n.+1) _ => 0 < i) (fun _ _ => true) (fun _ _ => 0)
    [:: Rd (@Access _ SIx _ _ false (fun i _ => i));
        Rd (@Access _ SIx _ _ true (fun (i : 'I_n.+1) _ => inord i.-1))].
Definition mine (v : bool) := v.                   (* s is defined by the block *)
Definition digits (c : cell SIx) := [:: nat_of_ord (tagged c : 'I_n.+1)].
Notation position := (fun _ : bool => 0).
Lemma scan_earlier : earlier (fun c => mine (tag c)) (place position digits) [:: init; next].
Proof.
move=> t [<- //|[<-|//]] i j /andP[/= i0 _]; split=> //; rewrite /= andbT.
have lt : (i : 'I_n.+1).-1 < n.+1 by apply: leq_ltn_trans (leq_pred _) (ltn_ord _).
by rewrite inordK // prednK // leqnn.
Qed.
(** so its loop, and the loop in the reverse order for the adjoint, compute the
    solutions of the equations                                               *)
Theorem scan_solution (M : model P) (x : store SIx M) :
  exec (rec_block (step mine [:: n.+1] digits) [:: init; next] (steps [:: n.+1])) x =
  solution (rank mine position 1 [:: n.+1] digits) (ranks 1 [:: n.+1]) [:: init; next] x.
Proof. by apply: block_loop scan_earlier _ _ _ => // c _; rewrite /= ltn_ord. Qed.
Theorem scan_adjoint_solution (deriv : P -> nat -> P) (M : model P) (x u : store SIx M) :
  let r := rank mine position 1 [:: n.+1] digits in
  let N := ranks 1 [:: n.+1] in
  exec (code_adjoint deriv (rec_block (step mine [:: n.+1] digits) [:: init; next]
    (steps [:: n.+1]))) (join x u) =
  solution (rank_adjoint r N) (N + N) (adjoint deriv [:: init; next]) (join x u).
Proof.
by apply: block_adjoint_loop => // [c _|]; [rewrite /= ltn_ord | exact: scan_earlier].
Qed.
End Scan.
