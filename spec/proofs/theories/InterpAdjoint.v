(** * InterpAdjoint: the adjoint on the concrete syntax of Interp.v, and a proof
    that it denotes the adjoint of the calculus.
    Tensor [v + size sh] holds the cotangent of tensor [v].  The summed index of
    an adjoint term runs over the points (i, j) of its term, as i * csum + j.   *)
From Coq Require Import ZArith.
From mathcomp Require Import all_ssreflect all_algebra.
From TL Require Import Syntax Semantics Dual Derivative Correct Closure Cost Interp.
Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.

(** ** Substitution for the two indices *)
Section Subst.
Variables si sj : iexp.
Fixpoint isubst (e : iexp) : iexp :=
  match e with
  | EI => si | EJ => sj | EInt n => EInt n
  | EAdd a b => EAdd (isubst a) (isubst b)
  | ESub a b => ESub (isubst a) (isubst b)
  | EMul a b => EMul (isubst a) (isubst b)
  | EDiv a b => EDiv (isubst a) (isubst b)
  | EMod a b => EMod (isubst a) (isubst b)
  | EFun f a => EFun f (isubst a)
  | EIf c a b => EIf (bsubst c) (isubst a) (isubst b)
  end
with bsubst (b : bexp) : bexp :=
  match b with
  | BTrue => BTrue
  | BEq x y => BEq (isubst x) (isubst y)
  | BLt x y => BLt (isubst x) (isubst y)
  | BAnd x y => BAnd (bsubst x) (bsubst y)
  | BNot x => BNot (bsubst x)
  end.
Lemma subst_both i j :
  (forall e, ival (isubst e) i j = ival e (ival si i j) (ival sj i j)) /\
  (forall b, bval (bsubst b) i j = bval b (ival si i j) (ival sj i j)).
Proof.
apply: iexp_bexp_ind => //= [a -> b ->|a -> b ->|a -> b ->|a -> b ->|a -> b ->|f a ->
  |c -> a -> b ->|a -> b ->|a -> b ->|a -> b ->|a ->] //.
Qed.
Lemma ival_subst e i j : ival (isubst e) i j = ival e (ival si i j) (ival sj i j).
Proof. by case: (subst_both i j). Qed.
Lemma bval_subst b i j : bval (bsubst b) i j = bval b (ival si i j) (ival sj i j).
Proof. by case: (subst_both i j). Qed.
Definition asubst (a : cacc) : cacc := CAcc (cvar a) (isubst (cmap a)).
Definition fsubst P (f : cfac P) : cfac P :=
  match f with CRd a => CRd P (asubst a) | CAp g l => CAp g [seq asubst a | a <- l] end.

Lemma cargs_subst P (fs : seq (cfac P)) :
  cargs [seq fsubst f | f <- fs] = [seq asubst a | a <- cargs fs].
Proof.
by rewrite /cargs map_flatten -!map_comp; congr flatten; apply: eq_map; case.
Qed.
Lemma inside_subst sh i j (l : seq cacc) :
  all (inside sh i j) [seq asubst a | a <- l] = all (inside sh (ival si i j) (ival sj i j)) l.
Proof. by rewrite all_map; apply: eq_all => a; rewrite /inside /cplace /= ival_subst. Qed.
Lemma body_subst P T (O : ops P T) e (fs : seq (cfac P)) i j :
  cbody O e [seq fsubst f | f <- fs] i j = cbody O e fs (ival si i j) (ival sj i j).
Proof.
rewrite /cbody; elim: fs => //= f fs ->; congr mul; case: f => [a|g l] /=.
  by rewrite /caval /cplace /= ival_subst.
by rewrite -map_comp; congr apply; apply: eq_map => a; rewrite /caval /cplace /= ival_subst.
Qed.
End Subst.

(** ** The adjoint program *)
Section Adjoint.
Variables (P : Type) (deriv : P -> nat -> P).

Definition cfpartials (f : cfac P) : seq (cacc * seq (cfac P)) :=
  match f with
  | CRd a => [:: (a, [::])]
  | CAp g l => [seq (am.1, [:: CAp (deriv g am.2) l]) | am <- number l]
  end.
Fixpoint cpartials (fs : seq (cfac P)) : seq (cacc * seq (cfac P)) :=
  if fs is f :: fs' then
    [seq (q.1, q.2 ++ fs') | q <- cfpartials f] ++
    [seq (q.1, f :: q.2) | q <- cpartials fs']
  else [::].

Definition cadjoint_pick (sh : shape) (s : cterm P) (q : cacc * seq (cfac P)) : cterm P :=
  let i := EDiv EJ (EInt (Zn (csum s))) in
  let j := EMod EJ (EInt (Zn (csum s))) in
  CTerm (size sh + cvar q.1) (nth 0 sh (cout s) * csum s)
    (BAnd (bsubst i j (cguard s)) (BEq EI (isubst i j (cmap q.1))))
    (bsubst i j (ctest s)) (fun k ij => ctests s (ival i k ij) (ival j k ij))
    (CRd P (CAcc (size sh + cout s) i) :: [seq fsubst i j f | f <- q.2]).
Definition cadjoint1 sh s := [seq cadjoint_pick sh s q | q <- cpartials (cfacs s)].
Fixpoint cbackward sh (p : seq (cterm P)) : seq (cterm P) :=
  if p is s :: p' then cbackward sh p' ++ cadjoint1 sh s else [::].
Definition cadjoint sh (p : seq (cterm P)) : seq (cterm P) := p ++ cbackward sh p.

Lemma cargs_pick sh s q :
  cargs (cfacs (cadjoint_pick sh s q)) =
  CAcc (size sh + cout s) (EDiv EJ (EInt (Zn (csum s))))
    :: [seq asubst (EDiv EJ (EInt (Zn (csum s)))) (EMod EJ (EInt (Zn (csum s)))) a | a <- cargs q.2].
Proof. by rewrite -cargs_subst. Qed.

(** a partial derivative keeps all the accesses, or all but its own *)
Lemma cargs_cons (f : cfac P) fs : cargs (f :: fs) = cfargs f ++ cargs fs.
Proof. by []. Qed.
Lemma cargs_cat (fs gs : seq (cfac P)) : cargs (fs ++ gs) = cargs fs ++ cargs gs.
Proof. by rewrite /cargs map_cat flatten_cat. Qed.
Lemma all_cpartials (b : pred cacc) fs :
  all [pred q | all b (cargs fs) == b q.1 && all b (cargs q.2)] (cpartials fs).
Proof.
elim: fs => //= f fs IH; rewrite all_cat !all_map cargs_cons all_cat; apply/andP; split.
  case: f => [a|g l] /=; first by rewrite !andbT.
  rewrite all_map; have: all [pred q | all b l ==> b q.1] (number l).
    case: (boolP (all b l)) => [bl|_]; first exact: sub_all (all_number bl).
    exact: sub_all (all_predT _).
  apply: sub_all => am /= h; rewrite cargs_cons all_cat /=.
  by case: (all b l) h => /= [->|_]; rewrite ?andbF.
apply: sub_all IH => q /= /eqP ->; rewrite cargs_cons all_cat.
by rewrite andbCA.
Qed.
End Adjoint.

(** ** It denotes the adjoint *)
Section Denote.
Import GRing.Theory.
Local Open Scope ring_scope.
Variables (P : Type) (deriv : P -> nat -> P) (M : model P).
Variable (n : nat) (sh : shape).
Hypothesis sh_size : size sh = n.+1.
Hypothesis sh_pos : all (ltn 0%N) sh.
Notation CIx := (CIx (n := n) sh).
Notation store := (Semantics.store CIx M).
Notation ops := (model_ops M).
Notation rel := (@rel P M n sh).
Implicit Types (s : cterm P) (x u : store) (e : cenv M).

Definition relc e u := forall (v : CV n) (i : CIx v), cget ops e (size sh + v) i = get u i.

Definition abs_pick I J (q : cacc * seq (cfac P)) :=
  (@abs_acc n sh I J q.1, [seq abs_fac n sh I J f | f <- q.2]).
Lemma partials_abs I J fs :
  partials deriv [seq abs_fac n sh I J f | f <- fs] =
  [seq abs_pick I J q | q <- cpartials deriv fs].
Proof.
elim: fs => //= f fs IH; rewrite IH map_cat -!map_comp; congr (_ ++ _).
by case: f => //= g l; rewrite map_number -!map_comp.
Qed.

Lemma sz v : (v <= n)%N -> nth 0%N (sh ++ sh) v = nth 0%N sh v.
Proof. by move=> h; rewrite nth_cat sh_size ltnS h. Qed.
Lemma szc v : nth 0%N (sh ++ sh) (size sh + v) = nth 0%N sh v.
Proof. by rewrite nth_cat ltnNge leq_addr addKn. Qed.

(** a sum over flattened points *)
Lemma sum_flat R (idx : R) (op : Monoid.law idx) (A S : nat) (G : nat -> R) :
  \big[op/idx]_(J <- iota 0 (A * S)) G J =
  \big[op/idx]_(i < A) \big[op/idx]_(j < S) G (i * S + j)%N.
Proof.
elim: A => [|A IH]; first by rewrite big_nil big_ord0.
rewrite mulSn addnC iotaD big_cat IH big_ord_recr /=; congr (op _ _).
by rewrite -[X in iota X]addn0 iotaDl big_map -/(index_iota 0 S) -{1}[S]subn0 big_mkord.
Qed.

(** running one term, on the primal half or on the cotangent half *)
Lemma run1_other e s w k : w != cout s ->
  cget ops (crun1 ops (sh ++ sh) s e) w k = cget ops e w k.
Proof. by move=> nw; rewrite /crun1 /cget nth_set_nth /= (negbTE nw). Qed.
Lemma run1_own e s k : (k < nth 0 (sh ++ sh) (cout s))%N ->
  cget ops (crun1 ops (sh ++ sh) s e) (cout s) k =
  cget ops e (cout s) k + crhs ops (sh ++ sh) e s k.
Proof.
move=> h; rewrite /crun1 {1}/cget nth_set_nth /= eqxx.
by rewrite (nth_map 0%N) ?size_iota // nth_iota // add0n.
Qed.

Lemma inside_cat i j (l : seq cacc) :
  all (fun a => cvar a <= n)%N l -> all (inside (sh ++ sh) i j) l = all (inside sh i j) l.
Proof. by elim: l => //= a l IH /andP[ha /IH ->]; rewrite /inside sz. Qed.

Lemma primal_step e x u s : wft n s -> rel e x -> relc e u ->
  rel (crun1 ops (sh ++ sh) s e) (eval1 (abs n sh s) x) /\ relc (crun1 ops (sh ++ sh) s e) u.
Proof.
move=> ws ex eu; have /andP[wo wf] := ws; split=> v i; last first.
  by rewrite run1_other ?eu // sh_size gtn_eqF // (leq_ltn_trans wo) // leq_addr.
have oE : (inord (cout s) : CV n) = cout s :> nat by rewrite inordK.
have -> : crun1 ops (sh ++ sh) s e = crun1 ops sh s e.
  rewrite /crun1 sz //; congr set_nth; apply: eq_map => k; congr (_ + _).
  rewrite /crhs; elim: (iota _ _) => //= j l ->.
  by rewrite /cholds /cvisits inside_cat.
exact: rel_run1.
Qed.

(** a flattened point, and its coordinates *)
Lemma flat_point (i j S : nat) : (j < S)%N ->
  Z.div (Zn (i * S + j)) (Zn S) = Zn i /\ Z.modulo (Zn (i * S + j)) (Zn S) = Zn j.
Proof.
move=> /ltP jS; have S0 : Zn S <> Z0 by move=> e; move: jS; rewrite (Nat2Z.inj _ 0 e) => /ltP.
have jZ : Z.le Z0 (Zn j) /\ Z.lt (Zn j) (Zn S) by split; [apply: Nat2Z.is_nonneg | apply: inj_lt].
rewrite -plusE -multE Nat2Z.inj_add Nat2Z.inj_mul; split.
  by rewrite Z.div_add_l // Z.div_small // Z.add_0_r.
by rewrite Z.add_comm Z.mod_add // Z.mod_small.
Qed.
Lemma inside_Zn t (a : cacc) (i j k : nat) : Zn k = ival (cmap a) (Zn i) (Zn j) ->
  inside t (Zn i) (Zn j) a = (k < nth 0 t (cvar a))%N.
Proof.
move=> e; rewrite /inside /cplace -e Nat2Z.id; case: (_ < _)%N; rewrite ?andbF ?andbT //.
by apply/Z.leb_le/Nat2Z.is_nonneg.
Qed.

(** where a derived term is visited, and where it counts *)
Lemma adjoint_points s (q : cacc * seq (cfac P)) (k i j : nat) :
  all (fun a => cvar a <= n)%N (cargs q.2) ->
  (forall b : pred cacc, all b (cargs (cfacs s)) = b q.1 && all b (cargs q.2)) ->
  (k < nth 0 sh (cvar q.1))%N -> (i < nth 0 sh (cout s))%N -> (j < csum s)%N ->
  let here := Z.eqb (Zn k) (ival (cmap q.1) (Zn i) (Zn j)) in
  let derived := cadjoint_pick sh s q in
  cvisits derived (Zn k) (Zn (i * csum s + j)) = cvisits s (Zn i) (Zn j) && here /\
  cholds (sh ++ sh) derived (Zn k) (Zn (i * csum s + j)) = cholds sh s (Zn i) (Zn j) && here.
Proof.
move=> wq qE kl il jl here derived; have [dE mE] := flat_point i jl.
have vE : cvisits derived (Zn k) (Zn (i * csum s + j)) = cvisits s (Zn i) (Zn j) && here.
  by rewrite /cvisits /= bval_subst ival_subst /= dE mE.
split=> //; rewrite /cholds vE /derived cargs_pick [all _ (_ :: _)]/= inside_subst.
rewrite [ctest _]/= bval_subst [ival _ _ _]/= [ival _ _ _]/= dE mE inside_cat // qE.
have -> : inside (sh ++ sh) (Zn k) (Zn (i * csum s + j))
    (CAcc (size sh + cout s) (EDiv EJ (EInt (Zn (csum s))))) = true.
  by rewrite (@inside_Zn _ _ _ _ i) /= ?dE // szc il.
have [/Z.eqb_eq hE|] := boolP here; rewrite ?andbF // !andbT /=.
by rewrite (inside_Zn _ hE) kl.
Qed.

Lemma adjoint_step e x u s (q : cacc * seq (cfac P)) : wft n s ->
  (forall b : pred cacc, all b (cargs (cfacs s)) = b q.1 && all b (cargs q.2)) ->
  rel e x -> relc e u ->
  let e' := crun1 ops (sh ++ sh) (cadjoint_pick sh s q) e in
  rel e' x /\ relc e' (u + @D1T_pick P M _ CIx (abs n sh s) x u (abs_pick _ _ q)).
Proof.
move=> /andP[wo wf] qE ex eu; move: wf; rewrite (qE (fun a => cvar a <= n)%N) => /andP[wa wq].
split=> v k.
  rewrite run1_other ?ex //= sh_size ltn_eqF //.
  by apply: leq_trans (ltn_ord v) _; rewrite leq_addr.
rewrite getD; have aE : (inord (cvar q.1) : CV n) = cvar q.1 :> nat by rewrite inordK.
have [ev|nv] := eqVneq v (inord (cvar q.1)); last first.
  rewrite single_out // addr0 -eu run1_other //= eqn_add2l -aE.
  by rewrite (inj_eq val_inj).
move: k; rewrite ev => k; rewrite (_ : (size sh + _)%N = cout (cadjoint_pick sh s q)) ?aE //.
have kl : (k < nth 0%N sh (cvar q.1))%N.
  by apply: leq_trans (ltn_ord k) _; rewrite szE // aE.
rewrite run1_own /= ?szc //; congr (_ + _).
  by rewrite -eu; congr (cget ops e _ _); rewrite aE.
have oE : (inord (cout s) : CV n) = cout s :> nat by rewrite inordK.
have oS : (nth 0%N sh (inord (cout s) : CV n)).-1.+1 = nth 0%N sh (cout s) by rewrite szE // oE.
have kE : (nth 0%N sh (inord (cvar q.1) : CV n)).-1.+1 = nth 0%N sh (cvar q.1).
  by rewrite szE // aE.
pose G (i j : nat) :=
  if cholds sh s (Zn i) (Zn j) && Z.eqb (Zn k) (ival (cmap q.1) (Zn i) (Zn j))
  then cget ops e (size sh + cout s) i * cbody ops e q.2 (Zn i) (Zn j) else 0.
transitivity (\sum_(0 <= i < nth 0%N sh (cout s)) \sum_(j < csum s) G i j).
  rewrite /crhs (foldr_sum (GRing.add_monoid M)) big_mkcond sum_flat big_mkord.
  apply: eq_bigr => i _; apply: eq_bigr => j _.
  have [dE mE] := flat_point i (ltn_ord j).
  have [_ hE] := adjoint_points wq qE kl (ltn_ord i) (ltn_ord j).
  rewrite hE /G; congr (if _ then _ else _).
  rewrite /cbody /= -/(cbody ops e _ _ _) body_subst /= dE mE.
  by rewrite /caval /cplace /= dE Nat2Z.id.
rewrite get_single -oS big_mkord.
transitivity (\sum_(i : CIx (inord (cout s))) \sum_(j : 'I_(csum s)
    | holds (abs n sh s) i j && (k == amap (abs_pick _ _ q).1 i j))
  get u i * partial x (abs_pick _ _ q) i j); last by rewrite pair_big_dep.
apply: eq_bigr => i _; rewrite [RHS]big_mkcond; apply: eq_bigr => j _; rewrite /G.
rewrite -[holds _ _ _]/(cholds sh s (Zn i) (Zn j)).
case: (boolP (cholds sh s (Zn i) (Zn j))) => //= h.
have := h; rewrite /cholds qE => /andP[_ /andP[_ /andP[/andP[/Z.leb_le ia il] iq]]].
have -> : Z.eqb (Zn k) (ival (cmap q.1) (Zn i) (Zn j)) = (k == inord (cplace q.1 (Zn i) (Zn j)) :> 'I__).
  have ik : (cplace q.1 (Zn i) (Zn j) < (nth 0%N sh (inord (cvar q.1) : CV n)).-1.+1)%N.
    exact: leq_trans il (eq_leq (esym kE)).
  rewrite -val_eqE /= (inordK ik) -{1}(Z2Nat.id _ ia).
  by apply/idP/eqP => [/Z.eqb_eq/Nat2Z.inj|->] //; apply/Z.eqb_eq.
congr (if _ then _ * _ else 0).
  by rewrite -eu; congr (cget ops e _ _); rewrite oE.
exact: rel_body.
Qed.

(** the state of the interpreter: a primal half and a cotangent half *)
Definition rel2 e (z : Semantics.store (Ix2 CIx) M) :=
  exists x u, [/\ z = join x u, rel e x & relc e u].

Lemma primal_steps (p : seq (cterm P)) e z : all (wft n) p -> rel2 e z ->
  rel2 (crun ops (sh ++ sh) p e) (eval (primal [seq abs n sh s | s <- p]) z).
Proof.
elim: p e z => //= s p IH e z /andP[ws wp] [x [u [-> ex eu]]]; apply: IH => //.
by rewrite eval_primal1; have [h1 h2] := primal_step ws ex eu; exists (eval1 (abs n sh s) x), u.
Qed.
Lemma adjoint_steps s e z : wft n s -> rel2 e z ->
  rel2 (crun ops (sh ++ sh) (cadjoint1 deriv sh s) e) (eval (adjoint1 deriv (abs n sh s)) z).
Proof.
move=> ws; rewrite /adjoint1 partials_abs /cadjoint1.
have: forall q, List.In q (cpartials deriv (cfacs s)) ->
  forall b : pred cacc, all b (cargs (cfacs s)) = b q.1 && all b (cargs q.2).
  by move=> q iq b; apply/eqP; apply: (all_In (all_cpartials deriv b (cfacs s)) iq).
elim: (cpartials _ _) e z => //= q l IH e z ql [x [u [-> ex eu]]].
apply: IH => [q' h|]; first by apply: ql; right.
have [h1 h2] := adjoint_step ws (ql q (or_introl erefl)) ex eu.
by rewrite eval_adjoint_pick; eexists; eexists; split; [reflexivity | exact: h1 | exact: h2].
Qed.
Lemma backward_steps (p : seq (cterm P)) e z : all (wft n) p -> rel2 e z ->
  rel2 (crun ops (sh ++ sh) (cbackward deriv sh p) e)
       (eval (backward deriv [seq abs n sh s | s <- p]) z).
Proof.
elim: p e z => //= s p IH e z /andP[ws wp] ez; rewrite eval_cat /crun foldl_cat.
by apply: adjoint_steps => //; apply: IH.
Qed.

(** ** Theorem: the executable adjoint denotes the adjoint of the calculus. *)
Theorem cadjointE (p : seq (cterm P)) e z : all (wft n) p -> rel2 e z ->
  rel2 (crun ops (sh ++ sh) (cadjoint deriv sh p) e)
       (eval (adjoint deriv [seq abs n sh s | s <- p]) z).
Proof.
move=> wp ez; rewrite /cadjoint /crun foldl_cat /adjoint eval_cat.
by apply: backward_steps => //; apply: primal_steps.
Qed.

(** ** Theorem: run on first-order data, it computes the gradient. *)
Theorem cgradient (p : seq (cterm P)) e x (v : CV n) (k : CIx v) (w : CV n) (l : CIx w) :
  all (wft n) p -> ssa [seq abs n sh s | s <- p] ->
  rel e x -> relc e (basis M l) ->
  cget ops (crun ops (sh ++ sh) (cadjoint deriv sh p) e) (size sh + v) k =
  eps (get (eval [seq abs n sh s | s <- p] (dstore deriv x (basis M k))) l).
Proof.
move=> wp sp ex eu; rewrite -gradient_dual //.
have ez : rel2 e (join x (basis M l)) by exists x, (basis M l).
have [x' [u' [zE _ eu']]] := cadjointE wp ez.
by rewrite eu' zE cot_join.
Qed.
End Denote.
