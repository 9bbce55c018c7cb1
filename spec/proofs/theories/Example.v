(** * Example: the definitions are not vacuous                               *)
From mathcomp Require Import all_ssreflect.
From Coq Require Import ZArith.
From TL Require Import Interp.
Set Implicit Arguments.

(** integers; a primitive is a constant *)
Definition Zops : ops Z Z := @Ops Z Z 0%Z 1%Z Z.add Z.mul (fun c _ => c).
Definition read v a : cfac Z := CRd Z (CAcc v a).

(** full convolution  y[i] = sum_j [j <= i] a[j] b[i - j]  *)
Definition conv : cterm Z :=
  CTerm 2 3 (BNot (BLt EI EJ)) BTrue 0 [:: read 0 EJ; read 1 (ESub EI EJ)].
Definition sh := [:: 3; 3; 5].
Definition env := [:: [:: 1; 2; 3]; [:: 4; 5; 6]; [:: 0; 0; 0; 0; 0]]%Z.

Example conv_run :
  nth [::] (crun Zops sh [:: conv] env) 2 = [:: 4; 13; 28; 27; 18]%Z.
Proof. by vm_compute. Qed.
(** 9 of the 15 index points are visited, with two accesses at each          *)
Example conv_cost : ccost sh [:: conv] = 27.
Proof. by vm_compute. Qed.
