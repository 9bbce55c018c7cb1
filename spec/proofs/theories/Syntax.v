(** * Syntax: terms, statements and programs of Tensor SSA
    No scalars here: the syntax mentions only names of primitives [P]; their
    meaning is given by a scalar model (Semantics.v), so that one program can be
    run over R and over the dual numbers.  A constant is a primitive without
    arguments.  Index maps and guards are arbitrary functions of the indices:
    reads of index tensors, relations and conditions on data are included, as
    functions that are fixed at the primal point.                             *)
From mathcomp Require Import all_ssreflect.
Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.

Section Syntax.
Variable P : Type.                                    (* primitive names *)
Variables (V : finType) (Ix : V -> finType).
(* [V] = the tensors of the program, [Ix v] = the index type of tensor [v]  *)

(** An access  t_m[phi(i,j)]  in a term with output index [I] and summed
    index [J].                                                               *)
Record access (I J : finType) := Access {
  avar : V;
  amap : I -> J -> Ix avar }.

(** A factor: an access, or a primitive applied to a list of accesses.       *)
Inductive factor (I J : finType) :=
| Rd of access I J
| Ap of P & seq (access I J).

Definition fargs I J (f : factor I J) : seq (access I J) :=
  match f with Rd a => [:: a] | Ap _ l => l end.
Definition args I J (fs : seq (factor I J)) : seq (access I J) :=
  flatten [seq fargs f | f <- fs].

(** A term, with the tensor that it contributes to:
      out[i] = .. + sum_j [guard i j and test i j] * prod_(f <- facs) f(i,j) + ..
    [guard] is the part of the condition that is enumerated, [test] the part
    that is tried at every visited point; [tests i j] is the price of what is tried
    there, which may depend on the point: in a conjunction of tests nothing is tried
    after the first that fails.  A body of one operation is a single factor; a
    product of two accesses is two factors.                                   *)
Record term := Term {
  out   : V;
  dom   : finType;
  guard : Ix out -> dom -> bool;
  test  : Ix out -> dom -> bool;
  tests : Ix out -> dom -> nat;
  facs  : seq (factor (Ix out) dom) }.

Definition holds (t : term) (i : Ix (out t)) (j : dom t) : bool :=
  guard i j && test i j.
(** number of accesses *)
Definition nargs (t : term) : nat := size (args (facs t)).

(** A list of terms, in an order of execution.  The statements (all terms of
    one tensor together) and the recurrences are built on it: Statements.v,
    Recurrence.v.                                                            *)
Definition prog := seq term.

Definition outs (p : prog) : seq V := [seq out t | t <- p].
Definition reads (t : term) : seq V := [seq avar a | a <- args (facs t)].
End Syntax.

Arguments Access {V Ix I J}.
Arguments Rd {P V Ix I J}.
Arguments Ap {P V Ix I J}.
Arguments Term {P V Ix}.
Arguments guard {P V Ix}.
Arguments test {P V Ix}.
Arguments tests {P V Ix}.
Arguments holds {P V Ix}.

(** ** The chain rule, syntactically.
    [partials fs] lists, for every access [a] of a product [fs], the factors of
    the partial derivative of the product by [a].  The partial derivative of a
    primitive by its m-th argument is a primitive of the same arguments.      *)
Section Partials.
Variables (P : Type) (deriv : P -> nat -> P).
Variables (V : finType) (Ix : V -> finType) (I J : finType).
Notation access := (access Ix I J).
Notation factor := (factor P Ix I J).

Definition number (A : Type) (l : seq A) : seq (A * nat) := zip l (iota 0 (size l)).

Definition fpartials (f : factor) : seq (access * seq factor) :=
  match f with
  | Rd a => [:: (a, [::])]
  | Ap g l => [seq (am.1, [:: Ap (deriv g am.2) l]) | am <- number l]
  end.
Fixpoint partials (fs : seq factor) : seq (access * seq factor) :=
  if fs is f :: fs' then
    [seq (q.1, q.2 ++ fs') | q <- fpartials f] ++
    [seq (q.1, f :: q.2) | q <- partials fs']
  else [::].

Lemma args_cat (fs gs : seq factor) : args (fs ++ gs) = args fs ++ args gs.
Proof. by rewrite /args map_cat flatten_cat. Qed.
Lemma size_number A (l : seq A) : size (number l) = size l.
Proof. by rewrite size_zip size_iota minnn. Qed.
Lemma all_number A (a : pred A) (l : seq A) : all a l -> all [pred q | a q.1] (number l).
Proof. by rewrite /number; elim: l 0 => //= x l IH n /andP[-> /IH ->]. Qed.
Lemma map_number (A B : Type) (h : A -> B) (l : seq A) :
  number (map h l) = [seq (h q.1, q.2) | q <- number l].
Proof.
by rewrite /number size_map; elim: l 0 => //= x l IH n; rewrite IH.
Qed.

(** one partial derivative for each access *)
Lemma size_partials fs : size (partials fs) = size (args fs).
Proof.
elim: fs => //= f fs IH; rewrite size_cat !size_map IH /args /= size_cat.
by case: f => //= g l; rewrite size_map size_number.
Qed.

(** a partial derivative has no more accesses than the product *)
Lemma args_partials fs : all [pred q | size (args q.2) <= size (args fs)] (partials fs).
Proof.
elim: fs => //= f fs IH; rewrite all_cat !all_map; apply/andP; split; last first.
  by apply: sub_all IH => q /= h; rewrite /args /= !size_cat leq_add2l.
rewrite -[args (f :: fs)]/(fargs f ++ args fs) size_cat.
case: f => [a|g l] /=; first by rewrite leqW.
rewrite all_map; apply: sub_all (all_predT _) => am _ /=.
by rewrite -cat1s args_cat size_cat {1}/args /= cats0.
Qed.

(** everything a partial derivative mentions comes from the product *)
Lemma all_partials (a : pred access) fs :
  all a (args fs) -> all [pred q | a q.1 && all a (args q.2)] (partials fs).
Proof.
elim: fs => //= f fs IH; rewrite -[args (f :: fs)]/(fargs f ++ args fs) all_cat.
case/andP=> af afs; rewrite all_cat !all_map; apply/andP; split; last first.
  apply: sub_all (IH afs) => q /= /andP[-> h].
  by rewrite -[args (f :: q.2)]/(fargs f ++ args q.2) all_cat af.
case: f af => [b|g l] /=; first by rewrite afs !andbT.
move=> al; rewrite all_map; apply: sub_all (all_number al) => q /= ->.
by rewrite -cat1s args_cat all_cat afs /args /= cats0 al.
Qed.
End Partials.
