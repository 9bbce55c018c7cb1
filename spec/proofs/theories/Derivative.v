(** * Derivative: tangent and adjoint, as functions on stores and as programs *)
From mathcomp Require Import all_ssreflect all_algebra.
From TL Require Import Syntax Semantics Dual.
Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.
Import GRing.Theory.
Local Open Scope ring_scope.

(** ** The two program transformations.
    The derived programs speak about twice as many tensors: [inl v] is the
    primal tensor, [inr v] its tangent (forward) or cotangent (reverse).      *)
Section Transform.
Variables (P : Type) (deriv : P -> nat -> P).
Variables (V : finType) (Ix : V -> finType).
Notation term := (term P Ix).

Definition V2 := [finType of (V + V)%type].
Definition Ix2 (v : V2) : finType :=
  match v with inl v => Ix v | inr v => Ix v end.

(** a factor, read at the point [h i j] of the original term *)
Section Lift.
Variables (I J I' J' : finType) (h : I' -> J' -> I * J).
Definition lift_access (a : access Ix I J) : access Ix2 I' J' :=
  @Access V2 Ix2 I' J' (inl (avar a)) (fun i j => amap a (h i j).1 (h i j).2).
Definition lift (f : factor P Ix I J) : factor P Ix2 I' J' :=
  match f with
  | Rd a => Rd (lift_access a)
  | Ap g l => Ap g [seq lift_access a | a <- l]
  end.
End Lift.

Definition same (I J : Type) (i : I) (j : J) := (i, j).
Definition snd_ (K IJ : Type) (_ : K) (ij : IJ) := ij.

Notation tfac t := (factor P Ix (Ix (out t)) (dom t)).
Notation tacc t := (access Ix (Ix (out t)) (dom t)).

Definition primal1 (t : term) : Syntax.term P Ix2 :=
  @Syntax.Term P V2 Ix2 (inl (out t)) (dom t) (guard t) (test t) (tests t)
    [seq lift (@same _ _) f | f <- facs t].

(** d out[i] += sum_j [..] d t_m[phi(i,j)] * (partial by that access)          *)
Definition tangent_pick (t : term) (q : tacc t * seq (tfac t)) : Syntax.term P Ix2 :=
  @Syntax.Term P V2 Ix2 (inr (out t)) (dom t) (guard t) (test t) (tests t)
    (Rd (@Access V2 Ix2 _ _ (inr (avar q.1)) (amap q.1))
     :: [seq lift (@same _ _) f | f <- q.2]).

(** d t_m[k] += sum_(i,j) [..][k = phi(i,j)] d out[i] * (partial by that access) *)
Definition adjoint_pick (t : term) (q : tacc t * seq (tfac t)) : Syntax.term P Ix2 :=
  @Syntax.Term P V2 Ix2 (inr (avar q.1)) [finType of (Ix (out t) * dom t)%type]
    (fun k ij => guard t ij.1 ij.2 && (k == amap q.1 ij.1 ij.2))
    (fun _ ij => test t ij.1 ij.2) (fun _ ij => tests t ij.1 ij.2)
    (Rd (@Access V2 Ix2 _ _ (inr (out t)) (fun _ ij => ij.1))
     :: [seq lift (@snd_ _ _) f | f <- q.2]).

Definition tangent1 (t : term) : prog P Ix2 :=
  [seq tangent_pick q | q <- partials deriv (facs t)].
Definition adjoint1 (t : term) : prog P Ix2 :=
  [seq adjoint_pick q | q <- partials deriv (facs t)].

Definition primal (p : prog P Ix) : prog P Ix2 := [seq primal1 t | t <- p].
Fixpoint tangent (p : prog P Ix) : prog P Ix2 :=
  if p is t :: p' then tangent1 t ++ primal1 t :: tangent p' else [::].
Fixpoint backward (p : prog P Ix) : prog P Ix2 :=
  if p is t :: p' then backward p' ++ adjoint1 t else [::].
Definition adjoint (p : prog P Ix) : prog P Ix2 := primal p ++ backward p.
End Transform.

(** ** The derivative as a function on stores                                *)
Section Functional.
Variables (P : Type) (deriv : P -> nat -> P) (M : model P).
Variables (V : finType) (Ix : V -> finType).
Notation store := (store Ix M).
Notation factor := (factor P Ix).
Notation term := (term P Ix).
Notation prog := (prog P Ix).

(** the value of a partial derivative *)
Definition partial (x : store) I J (q : access Ix I J * seq (factor I J)) i j : M :=
  \prod_(f <- q.2) fval x f i j.

Notation pick t := (access Ix (Ix (out t)) (dom t) * seq (factor (Ix (out t)) (dom t)))%type.

(** the part of D t(x) . d that goes through one access ... *)
Definition D1_pick (t : term) (x d : store) (q : pick t) : store :=
  single (fun i => \sum_(j : dom t | holds t i j) aval d q.1 i j * partial x q i j).
(** ... and its transpose *)
Definition D1T_pick (t : term) (x u : store) (q : pick t) : store :=
  single (fun k => \sum_(ij : Ix (out t) * dom t
                        | holds t ij.1 ij.2 && (k == amap q.1 ij.1 ij.2))
    get u ij.1 * partial x q ij.1 ij.2).

(** D t(x) . d, the increment that term [t] makes to the tangent *)
Definition D1 (t : term) (x d : store) : store :=
  \sum_(q <- partials deriv (facs t)) D1_pick x d q.
(** D t(x)^T . u *)
Definition D1T (t : term) (x u : store) : store :=
  \sum_(q <- partials deriv (facs t)) D1T_pick x u q.

Fixpoint jvp (p : prog) (x d : store) : store :=
  if p is t :: p' then jvp p' (eval1 t x) (d + D1 t x d) else d.
Fixpoint vjp (p : prog) (x u : store) : store :=
  if p is t :: p' then let u' := vjp p' (eval1 t x) u in u' + D1T t x u'
  else u.

(** one term: <u, Dt(x) d> = <Dt(x)^T u, d> *)
Lemma D1_transpose t x d u : dot u (D1 t x d) = dot (D1T t x u) d.
Proof.
rewrite dot_suml dotC dot_suml; apply: eq_bigr => q _.
rewrite dotC dot_single [RHS]dotC dot_single.
under [RHS]eq_bigr do rewrite mulr_sumr.
rewrite (exchange_big_dep (fun ij : Ix (out t) * dom t => holds t ij.1 ij.2)) /=;
  last by move=> k ij _ /andP[].
under [LHS]eq_bigr do rewrite mulr_sumr.
rewrite pair_big_dep; apply: eq_bigr => -[i j] /= gij.
by rewrite (big_pred1 (amap q.1 i j)) => [|k]; rewrite ?gij // mulrCA.
Qed.

(** ** Theorem A, functional form: <dy, Dp(x) dx> = <Dp(x)^T dy, dx>.
    No SSA condition is needed here.                                         *)
Theorem vjp_adjoint (p : prog) (x dx dy : store) :
  dot dy (jvp p x dx) = dot (vjp p x dy) dx.
Proof.
elim: p x dx => //= t p IH x dx.
by rewrite IH dotDr D1_transpose dotDl.
Qed.

(** ** Theorem A': the tangent is the eps-part over dual numbers.
    A primitive acts on dual numbers by its partial derivatives:
      g(z_1, .., z_n) = g(re z) + eps * sum_m (d_m g)(re z) * eps z_m          *)
Definition dual_model : model P :=
  @Model P (dual_comRingType M) (fun g zs =>
    Dual (prm g [seq re z | z <- zs])
         (\sum_(zm <- number zs) eps zm.1 * prm (deriv g zm.2) [seq re z | z <- zs])).

Definition dstore (x d : store) : Semantics.store Ix dual_model :=
  [ffun a => Dual (x a) (d a)].

Lemma get_dstore x d v (i : Ix v) : get (dstore x d) i = Dual (get x i) (get d i).
Proof. by rewrite /get ffunE. Qed.

(** the chain rule for one factor, and the product rule *)
Lemma fval_dual x d I J (f : factor I J) i j :
  fval (dstore x d) f i j =
  Dual (fval x f i j) (\sum_(q <- fpartials deriv f) aval d q.1 i j * partial x q i j).
Proof.
case: f => [a|g l]; rewrite /= /aval /partial.
  by rewrite get_dstore big_seq1 big_nil mulr1.
rewrite map_number -map_comp.
have -> : [seq re (get (dstore x d) (amap a i j)) | a <- l] = [seq get x (amap a i j) | a <- l].
  by apply: eq_map => a; rewrite get_dstore.
congr Dual; rewrite !big_map; apply: eq_bigr => q _.
by rewrite get_dstore /= big_seq1.
Qed.

Lemma prod_dual x d I J (l : seq (factor I J)) i j :
  \prod_(f <- l) fval (dstore x d) f i j =
  Dual (\prod_(f <- l) fval x f i j)
       (\sum_(q <- partials deriv l) aval d q.1 i j * partial x q i j).
Proof.
elim: l => [|f l IH] /=; first by rewrite !big_nil.
rewrite !big_cons IH fval_dual dualM /= addrC big_cat !big_map /=; congr Dual.
rewrite mulr_suml mulr_sumr; congr (_ + _); apply: eq_bigr => q _; rewrite /partial.
  by rewrite big_cat mulrA.
by rewrite big_cons mulrCA.
Qed.

Lemma rhs_dual t x d i :
  rhs (dstore x d) (t := t) i =
  Dual (rhs x i) (\sum_(q <- partials deriv (facs t)) \sum_(j : dom t | holds t i j)
     aval d q.1 i j * partial x q i j).
Proof.
rewrite /rhs exchange_big -dual_sum /=; apply: eq_bigr => j _.
exact: prod_dual.
Qed.

Lemma eval1_dual t x d :
  eval1 t (dstore x d) = dstore (eval1 t x) (d + D1 t x d).
Proof.
apply/storeP=> v i; rewrite getD !get_dstore !getD get_sum.
have [evs|nvs] := eqVneq v (out t); last first.
  by rewrite !single_out // big1 ?addr0 // => q _; rewrite single_out.
move: i; rewrite evs => i; rewrite !get_single rhs_dual dualD /=.
by congr (Dual _ (_ + _)); apply: eq_bigr => q _; rewrite get_single.
Qed.

Theorem jvp_dual (p : prog) (x dx : store) :
  eval p (dstore x dx) = dstore (eval p x) (jvp p x dx).
Proof. by elim: p x dx => //= t p IH x dx; rewrite eval1_dual IH. Qed.
End Functional.
