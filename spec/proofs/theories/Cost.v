(** * Cost: sparse work, cheap gradients, and the dense lower bound          *)
From Coq Require Import Permutation.
From mathcomp Require Import all_ssreflect.
From TL Require Import Syntax Derivative.
Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.

Section Cost.
Variables (P : Type) (V : finType) (Ix : V -> finType).
Notation term := (term P Ix).
Notation prog := (prog P Ix).

(** The points that a loop over the fibres visits, and those where the test
    passes.                                                                  *)
Definition visited (t : term) : {set Ix (out t) * dom t} := [set ij | guard t ij.1 ij.2].
Definition passing (t : term) : {set Ix (out t) * dom t} := [set ij | holds t ij.1 ij.2].

(** A point and what is tried there.                                         *)
Definition price (t : term) (ij : Ix (out t) * dom t) : nat := (tests t ij.1 ij.2).+1.
(** work = points visited, each with the price of the tests made there,
           + points where the tests hold * number of accesses;
    a function is charged to its accesses.                                   *)
Definition scost1 (t : term) : nat :=
  \sum_(ij in visited t) price ij + #|passing t| * nargs t.
(** dense: every point of the index box is visited                           *)
Definition dcost1 (t : term) : nat :=
  \sum_ij @price t ij + #|passing t| * nargs t.

Definition scost (p : prog) := \sum_(t <- p) scost1 t.
Definition dcost (p : prog) := \sum_(t <- p) dcost1 t.
(** number of scalars in the store (the cost of allocating and zeroing it)   *)
Definition space := \sum_(v : V) #|Ix v|.

Lemma scost_cat p q : scost (p ++ q) = scost p + scost q.
Proof. exact: big_cat. Qed.
Lemma scost_cons t p : scost (t :: p) = scost1 t + scost p.
Proof. exact: big_cons. Qed.
Lemma scost_le_dcost p : scost p <= dcost p.
Proof.
apply: leq_sum => t _; rewrite leq_add2r big_mkcond.
by apply: leq_sum => ij _; case: ifP.
Qed.
Lemma scost_perm p q : Permutation p q -> scost p = scost q.
Proof.
rewrite /scost; elim=> [|t l l' _ IH|t u l|l l' l'' _ -> _ ->] //.
  by rewrite !big_cons IH.
by rewrite !big_cons addnCA.
Qed.

(** at most K accesses per term *)
Definition arity_le K (p : prog) := all [pred t : term | nargs t <= K] p.
End Cost.

Section Cheap.
Variables (P : Type) (deriv : P -> nat -> P) (V : finType) (Ix : V -> finType).
Notation term := (term P Ix).
Notation prog := (prog P Ix).
Notation pick t := (access Ix (Ix (out t)) (dom t) *
                    seq (factor P Ix (Ix (out t)) (dom t)))%type.

(** The heart of the cost theorem: the guard [k = phi(i,j)] does not add
    points.  The points of the adjoint are the image of the points of the
    primal under the injection (i,j) |-> (phi(i,j), (i,j)).                  *)
Lemma visited_adjoint (t : term) (q : pick t) :
  visited (adjoint_pick q) = [set (amap q.1 ij.1 ij.2, ij) | ij in visited t].
Proof.
apply/setP=> -[k ij]; rewrite inE /=; apply/andP/imsetP.
  by case=> g /eqP ->; exists ij; rewrite ?inE.
by case=> ij' + [-> ->]; rewrite inE.
Qed.
Lemma passing_adjoint (t : term) (q : pick t) :
  passing (adjoint_pick q) = [set (amap q.1 ij.1 ij.2, ij) | ij in passing t].
Proof.
apply/setP=> -[k ij]; rewrite inE /holds /= andbAC; apply/andP/imsetP.
  by case=> g /eqP ->; exists ij; rewrite ?inE.
by case=> ij' + [-> ->]; rewrite inE.
Qed.
Lemma card_adjoint (t : term) (q : pick t) (A : {set Ix (out t) * dom t}) :
  #|[set (amap q.1 ij.1 ij.2, ij) | ij in A]| = #|A|.
Proof. by rewrite card_imset // => ij ij' []. Qed.

Lemma price_adjoint (t : term) (q : pick t) :
  \sum_(kij in visited (adjoint_pick q)) price kij = \sum_(ij in visited t) price ij.
Proof. by rewrite visited_adjoint big_imset //= => ij ij' _ _ []. Qed.

(** Operationally: any loop nest that visits the points of the primal once also
    visits, by computing k := phi(i,j), the points of the adjoint once.       *)
Theorem enum_adjoint (t : term) (q : pick t) (l : seq (Ix (out t) * dom t)) :
  perm_eq l (enum (visited t)) ->
  perm_eq [seq (amap q.1 ij.1 ij.2, ij) | ij <- l] (enum (visited (adjoint_pick q))).
Proof.
move=> pl; apply: uniq_perm; rewrite ?enum_uniq //.
  by rewrite map_inj_uniq ?(perm_uniq pl) ?enum_uniq // => ij ij' [].
move=> [k ij]; rewrite mem_enum visited_adjoint.
apply/mapP/imsetP => -[ij' h ->]; exists ij' => //.
  by rewrite -mem_enum -(perm_mem pl).
by rewrite (perm_mem pl) mem_enum.
Qed.

Lemma args_lift (I J I' J' : finType) (h : I' -> J' -> I * J) (l : seq (factor P Ix I J)) :
  args [seq lift h f | f <- l] = [seq lift_access h a | a <- args l].
Proof.
rewrite /args map_flatten -!map_comp; congr flatten; apply: eq_map.
by case=> //= g m.
Qed.

Lemma nargs_pick (t : term) (q : pick t) : nargs (adjoint_pick q) = (size (args q.2)).+1.
Proof. by rewrite /nargs -[args _]/(_ :: args _) /= args_lift size_map. Qed.

Lemma scost1_adjoint_pick (t : term) (q : pick t) :
  size (args q.2) <= nargs t ->
  scost1 (adjoint_pick q) <= \sum_(ij in visited t) price ij + #|passing t| * (nargs t).+1.
Proof.
move=> h; rewrite /scost1 price_adjoint passing_adjoint card_adjoint.
by rewrite nargs_pick leq_add2l leq_mul.
Qed.

(** k (v + p (k + 1)) <= (k + 1) (v + p k) *)
Lemma scost_adjoint1 (t : term) :
  scost (adjoint1 deriv t) <= (nargs t).+1 * scost1 t.
Proof.
set v := \sum_(ij in visited t) price ij; set n := #|passing t|.
have: scost (adjoint1 deriv t) <= nargs t * (v + n * (nargs t).+1).
  rewrite /scost /adjoint1 big_map.
  have -> : nargs t * (v + n * (nargs t).+1) =
            \sum_(q <- partials deriv (facs t)) (v + n * (nargs t).+1).
    by rewrite big_const_seq count_predT iter_addn_0 mulnC size_partials.
  elim: (partials _ _) (args_partials deriv (facs t)) => [|q l IH] /=.
    by rewrite !big_nil.
  by case/andP=> hq hl; rewrite !big_cons leq_add ?IH ?scost1_adjoint_pick.
move/leq_trans; apply; rewrite /scost1 -/v -/n !mulnDr.
apply: leq_add; first by rewrite leq_mul.
by rewrite mulnCA [_.+1 * (n * _)]mulnCA [_.+1 * nargs t]mulnC.
Qed.

Lemma scost_primal (p : prog) : scost (primal p) = scost p.
Proof.
rewrite /scost big_map; apply: eq_bigr => t _.
by rewrite /scost1 /nargs args_lift size_map.
Qed.

Lemma scost_backward K (p : prog) :
  arity_le K p -> scost (backward deriv p) <= K.+1 * scost p.
Proof.
elim: p => [|t p IH] /=; first by rewrite /scost !big_nil muln0.
case/andP=> kt kp; rewrite scost_cat scost_cons mulnDr addnC leq_add ?IH //.
by apply: leq_trans (scost_adjoint1 t) _; rewrite leq_mul.
Qed.

(** ** Theorem B (cheap gradients).  The constant depends on the number of
    accesses of a term only; in the normal form (K = 2) it is 4.             *)
Theorem cheap_gradient K (p : prog) :
  arity_le K p -> scost (adjoint deriv p) <= K.+2 * scost p.
Proof.
by move=> kp; rewrite scost_cat scost_primal mulSn leq_add2l scost_backward.
Qed.
Corollary cheap_gradient2 (p : prog) :
  arity_le 2 p -> scost (adjoint deriv p) <= 4 * scost p.
Proof. exact: cheap_gradient. Qed.

(** same for the tangent program *)
Lemma scost1_tangent_pick (t : term) (q : pick t) :
  scost1 (tangent_pick q) = scost1 (adjoint_pick q).
Proof.
rewrite /scost1 price_adjoint passing_adjoint card_adjoint.
congr (_ + _ * _).
by rewrite nargs_pick /nargs -[args _]/(_ :: args _) /= args_lift size_map.
Qed.
Theorem cheap_tangent K (p : prog) :
  arity_le K p -> scost (tangent deriv p) <= K.+2 * scost p.
Proof.
elim: p => [|t p IH] /=; first by rewrite /scost !big_nil muln0.
case/andP=> kt kp; rewrite scost_cat !scost_cons mulnDr addnA leq_add ?IH //.
rewrite mulSn [X in _ <= X]addnC leq_add //; last first.
  by rewrite /scost1 /nargs args_lift size_map.
apply: leq_trans (leq_trans (scost_adjoint1 t) _); last by rewrite leq_mul.
rewrite /scost /tangent1 /adjoint1 !big_map.
by apply: leq_sum => q _; rewrite scost1_tangent_pick.
Qed.

Lemma space_adjoint : space (Ix2 Ix) = 2 * space Ix.
Proof. by rewrite /space big_sumType /= addnn mul2n. Qed.

(** with allocation and zeroing of the store included *)
Corollary cheap_gradient_total K (p : prog) :
  arity_le K p ->
  space (Ix2 Ix) + scost (adjoint deriv p) <= K.+2 * (space Ix + scost p).
Proof.
move=> kp; rewrite mulnDr leq_add ?cheap_gradient //.
by rewrite space_adjoint leq_mul.
Qed.
End Cheap.

(** ** K + 2 is the best constant: one primitive of K accesses at one point costs
    K + 1, and its K partial derivatives K + 2 each.                          *)
Section Tight.
Variables (P : Type) (deriv : P -> nat -> P) (g : P) (K : nat).
Definition TIx (_ : bool) : finType := [finType of unit].
Definition one_point : term P TIx :=
  @Term P _ TIx true [finType of unit] (fun _ _ => true) (fun _ _ => true) (fun _ _ => 0)
    [:: Ap g (nseq K (@Access _ TIx _ _ false (fun _ _ => tt)))].

Lemma one_point_nargs : nargs one_point = K.
Proof. by rewrite /nargs /args /= cats0 size_nseq. Qed.
Lemma one_point_card : #|visited one_point| = 1 /\ #|passing one_point| = 1.
Proof.
have aE (A : {set unit * unit}) : (forall ij, ij \in A) -> #|A| = 1.
  by move=> h; rewrite (eq_card (B := predT)) ?card_prod ?card_unit.
by split; apply: aE => ij; rewrite inE.
Qed.
Lemma one_point_price : \sum_(ij in visited one_point) price ij = 1.
Proof. by rewrite sum1_card; case: one_point_card. Qed.
Lemma one_point_adjoint : scost (adjoint1 deriv one_point) = K * K.+2.
Proof.
have [v1 p1] := one_point_card.
rewrite /scost /adjoint1 big_map /= cats0 !big_map.
rewrite (eq_bigr (fun=> K.+2)) => [|am _]; last first.
  rewrite /scost1 price_adjoint passing_adjoint card_adjoint one_point_price p1 nargs_pick.
  by rewrite /= /args /= cats0 size_nseq !mul1n.
by rewrite big_const_seq count_predT iter_addn_0 size_number size_nseq mulnC.
Qed.
Theorem cheap_gradient_tight : 0 < K ->
  arity_le K [:: one_point] /\
  K.+1 * scost [:: one_point] < scost (adjoint deriv [:: one_point]).
Proof.
move=> K0; split; first by rewrite /= one_point_nargs leqnn.
have [v1 p1] := one_point_card.
have sE : scost [:: one_point] = K.+1.
  by rewrite /scost big_seq1 /scost1 one_point_price p1 one_point_nargs mul1n.
rewrite /adjoint scost_cat scost_primal /= one_point_adjoint sE.
by rewrite mulSn ltn_add2l ltn_mul2l K0 ltnSn.
Qed.
End Tight.

(** ** The lower bound: under the dense cost, the same adjoint is not cheap.
    The gather loop y[i] = x[phi i] over n points costs 2n; its adjoint
    dx[k] = sum_i [k = phi i] dy[i] visits n * n points.                      *)
Section Dense.
Variables (P : Type) (deriv : P -> nat -> P) (n : nat).
Variable phi : 'I_n -> 'I_n.
Definition GIx (_ : bool) : finType := [finType of 'I_n].   (* false: x, true: y *)
Definition gather : term P GIx :=
  @Term P _ GIx true [finType of unit] (fun _ _ => true) (fun _ _ => true) (fun _ _ => 0)
    [:: Rd (@Access _ GIx _ _ false (fun i _ => phi i))].

Lemma gather_passing : #|passing gather| = n.
Proof.
rewrite -[RHS]card_ord -[RHS]muln1 -card_unit -card_prod; apply: eq_card => ij.
by rewrite inE.
Qed.
Lemma gather_dense : dcost [:: gather] = 2 * n.
Proof.
rewrite /dcost big_seq1 /dcost1 gather_passing sum1_card card_prod card_ord card_unit.
by rewrite !muln1 addnn mul2n.
Qed.
Lemma gather_adjoint_dense : dcost (adjoint1 deriv gather) = n * n + n.
Proof.
rewrite /dcost big_seq1 /dcost1 passing_adjoint card_adjoint gather_passing sum1_card.
by rewrite !card_prod /= card_ord card_unit !muln1.
Qed.
Lemma gather_adjoint_sparse : scost (adjoint1 deriv gather) = scost [:: gather].
Proof.
by rewrite /scost !big_seq1 /scost1 price_adjoint passing_adjoint card_adjoint.
Qed.
End Dense.

Theorem dense_not_cheap P (deriv : P -> nat -> P) :
  ~ exists K, forall (V : finType) (Ix : V -> finType) (p : prog P Ix),
      arity_le 1 p -> dcost (adjoint deriv p) <= K * dcost p.
Proof.
case=> K; set n := (K * 2).+1; set g := gather P (@id 'I_n).
move=> /(_ _ _ [:: g] isT); apply/negP; rewrite -ltnNge.
have -> : dcost (adjoint deriv [:: g]) = dcost [:: g] + dcost (adjoint1 deriv g).
  by rewrite /dcost !big_cons !big_nil !addn0.
rewrite gather_adjoint_dense gather_dense mulnA ltn_addl // ltn_addr //.
by rewrite ltn_mul2r /n ltnSn.
Qed.
