(** * Closure: the adjoint is again an SSA program of the same calculus, so
    it can be differentiated again, at a constant factor each time; and the
    theorems in terms of inputs, outputs and gradients.                       *)
From mathcomp Require Import all_ssreflect all_algebra.
From TL Require Import Syntax Semantics Dual Derivative Correct Cost.
Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.
Import GRing.Theory.

Section Closure.
Variables (P : Type) (deriv : P -> nat -> P) (V : finType) (Ix : V -> finType).
Notation term := (term P Ix).
Notation prog := (prog P Ix).
Notation cell := (cell Ix).
Notation cell2 := (Semantics.cell (Ix2 Ix)).
Implicit Types (t : term) (p : prog) (A : pred cell).

(** cells of the derived store: primal cells, and cotangents of cells of [A] *)
Definition primal_or A (c : cell2) : bool :=
  match tag c as v return Ix2 Ix v -> bool with
  | inl v => fun => true
  | inr v => fun i => A (Tagged Ix i)
  end (tagged c).
Definition cotangent_of A (c : cell2) : bool :=
  match tag c as v return Ix2 Ix v -> bool with
  | inl v => fun => false
  | inr v => fun i => A (Tagged Ix i)
  end (tagged c).

Lemma primal_or_sub A (B : pred cell) : subpred A B -> subpred (primal_or A) (primal_or B).
Proof. by move=> ab [[v|v] i] //; apply: ab. Qed.
Lemma disjoint_sides A (B : pred cell) (c : cell2) :
  {subset A <= predC B} -> primal_or A c -> cotangent_of B c -> False.
Proof.
move=> ab; case: c => -[v|v] i //; rewrite /primal_or /cotangent_of /= => /ab.
by rewrite inE => /negP nb /nb.
Qed.

Lemma ssa_disjoint (l : Syntax.prog P (Ix2 Ix)) (R W : pred cell2) :
  (forall u, List.In u l -> reads_in R u) -> (forall c, written l c -> W c) ->
  (forall c, R c -> W c -> False) -> ssa l.
Proof.
move=> rl wl rw; elim: l rl wl => //= u l IH rl wl; split; last first.
  by apply: IH => [u' h|c h]; [apply: rl; right | apply: wl; rewrite written_cons h orbT].
apply: reads_in_sub (rl u (or_introl erefl)) => c rc /=.
by apply/negP => /wl /(rw _ rc).
Qed.

(** what the adjoint of a term reads and writes *)
Lemma reads_lift (I J I' J' : finType) (h : I' -> J' -> I * J) (l : seq (factor P Ix I J)) i j :
  all [pred a | primal_or pred0 (acell a i j)] (args [seq lift h f | f <- l]).
Proof. by rewrite args_lift all_map; apply: sub_all (all_predT _) => a _. Qed.

Lemma reads_adjoint1 t u :
  List.In u (adjoint1 deriv t) -> reads_in (primal_or (writes t)) u.
Proof.
move=> /List.in_map_iff[q [<- _]] k ij; rewrite holds_adjoint => /andP[h _].
rewrite -[args _]/(_ :: args _) /=; apply/andP; split; first exact: writesP h.
by apply: sub_all (reads_lift _ _ k ij) => a /=; case: (acell a k ij) => -[].
Qed.

Lemma written_adjoint1 A t c :
  reads_in A t -> written (adjoint1 deriv t) c -> cotangent_of A c.
Proof.
move=> /pall_partials; move=> /(_ deriv); rewrite /adjoint1.
elim: (partials _ _) => //= q l IH pl.
case/orP=> [/writesE[k [ij [+ ->]]]|/IH]; last by apply=> i j /pl /andP[].
rewrite holds_adjoint => /andP[/pl /andP[/andP[aq _] _] /eqP e].
by rewrite /cotangent_of /= e.
Qed.

Lemma reads_backward p u :
  List.In u (backward deriv p) -> reads_in (primal_or (written p)) u.
Proof.
elim: p => //= t p IH /List.in_app_iff[/IH|/reads_adjoint1];
  by apply: reads_in_sub; apply: primal_or_sub => c h; rewrite written_cons h ?orbT.
Qed.
Lemma written_backward p c : written (backward deriv p) c -> cotangent_of predT c.
Proof.
elim: p => //= t p IH; rewrite written_cat => /orP[/IH //|].
by apply: written_adjoint1 => i j _; apply: all_predT.
Qed.

Lemma ssa_adjoint1 t : no_self t -> ssa (adjoint1 deriv t).
Proof.
move=> ns; apply: (@ssa_disjoint _ (primal_or (writes t))
  (cotangent_of (predC (writes t)))) => [u|c|c].
- exact: reads_adjoint1.
- exact: written_adjoint1.
- by apply: disjoint_sides => c' h; rewrite !inE negbK.
Qed.

Lemma ssa_backward p : ssa p -> ssa (backward deriv p).
Proof.
elim: p => //= t p IH sp; have ns := ssa_no_self sp; have [rt sp'] := sp.
apply: ssa_cat => [||u /reads_backward]; [exact: IH | exact: ssa_adjoint1 |].
apply: reads_in_sub => c hc /=; apply/negP => /(written_adjoint1 rt).
apply: disjoint_sides hc => c' h; rewrite inE.
by rewrite /= negbK written_cons; apply/orP; right.
Qed.

(** the primal part is a copy of the program *)
Definition cinl (c : cell) : cell2 := Tagged (Ix2 Ix) (tagged c : Ix2 Ix (inl (tag c))).
Definition uninl (c : cell2) : option cell :=
  match tag c as v return Ix2 Ix v -> option cell with
  | inl v => fun i => Some (Tagged Ix i)
  | inr v => fun => None
  end (tagged c).
Lemma cinlK : pcancel cinl uninl. Proof. by case. Qed.
Lemma written_primal p c : written (primal p) (cinl c) = written p c.
Proof.
rewrite /written /= has_map; apply: eq_has => t /=.
apply: eq_existsb => i; apply: eq_existsb => j.
by rewrite -[ocell _]/(cinl (@ocell _ _ _ t i)) (inj_eq (pcan_inj cinlK)).
Qed.
Lemma ssa_primal p : ssa p -> ssa (primal p).
Proof.
elim: p => //= t p IH [rt /IH sp]; split=> // i j h.
rewrite args_lift all_map; apply: sub_all (rt i j h) => a /=.
by rewrite -(written_primal (t :: p)).
Qed.

(** ** Theorem: closure under SSA *)
Theorem ssa_adjoint p : ssa p -> ssa (adjoint deriv p).
Proof.
move=> sp; apply: ssa_cat => [||u]; [exact: ssa_primal | exact: ssa_backward |].
move=> /List.in_map_iff[t [<- _]] i j _; apply: sub_all (reads_lift _ _ i j) => a /= h.
by apply/negP => /written_backward; apply: disjoint_sides h.
Qed.

(** the same for the tangent program *)
Definition both A (c : cell2) : bool :=
  match tag c as v return Ix2 Ix v -> bool with
  | inl v => fun i => A (Tagged Ix i)
  | inr v => fun i => A (Tagged Ix i)
  end (tagged c).
Lemma both_sub A (B : pred cell) : subpred A B -> subpred (both A) (both B).
Proof. by move=> ab [[v|v] i]; apply: ab. Qed.
Lemma written_tangent p c : written (tangent deriv p) c -> both (written p) c.
Proof.
elim: p => //= t p IH; rewrite written_cat written_cons => /or3P[w|w|/IH].
- move: w; rewrite /tangent1; elim: (partials _ _) => //= q l IHl /orP[|//].
  by case/writesE=> i [j [h ->]]; rewrite /both /= written_cons (@writesP _ _ _ t _ _ h).
- by case/writesE: w => i [j [h ->]]; rewrite /both /= written_cons (@writesP _ _ _ t _ _ h).
- by apply: both_sub => c' h; rewrite written_cons h orbT.
Qed.
Theorem ssa_tangent p : ssa p -> ssa (tangent deriv p).
Proof.
elim: p => //= t p IH [rt /IH sp].
pose R := both (predC (written (t :: p))).
have RW q c : (forall c, written q c -> both (written (t :: p)) c) -> R c -> ~~ written q c.
  move=> wq rc; apply/negP => /wq; case: c rc => -[v|v] i; by move=> /negP.
have w1 c : written (tangent1 deriv t) c -> both (written (t :: p)) c.
  by move=> w; apply: (@written_tangent (t :: p)); rewrite /= written_cat w.
have w2 c : written (primal1 t :: tangent deriv p) c -> both (written (t :: p)) c.
  by move=> w; apply: (@written_tangent (t :: p)); rewrite /= written_cat w orbT.
have rl (l : seq (factor P Ix (Ix (out t)) (dom t))) i j :
    all [pred a | predC (written (t :: p)) (acell a i j)] (args l) ->
    all [pred a | R (acell a i j)] (args [seq lift (@same _ _) f | f <- l]).
  by rewrite args_lift all_map; apply: sub_all.
have rd u : List.In u (tangent1 deriv t) -> reads_in R u.
  move=> /List.in_map_iff[q [<- iq]] i j h.
  have /andP[h1 h2] := all_In (pall_partials deriv rt h) iq.
  by rewrite -[args _]/(_ :: args _) /=; apply/andP; split=> //; apply: rl.
apply: ssa_cat => [||u /rd]; last 1 first.
- by apply: reads_in_sub => c rc; apply: RW rc.
- apply: (@ssa_disjoint _ R (both (written (t :: p)))) => // c rc.
  by case: c rc => -[v|v] i /negP.
- split=> // i j h; apply: sub_all (rl _ i j (rt i j h)) => a /=; exact: RW.
Qed.

Theorem arity_adjoint K p : arity_le K p -> arity_le K.+1 (adjoint deriv p).
Proof.
move=> kp; rewrite /arity_le /adjoint all_cat; apply/andP; split.
  rewrite all_map; apply: sub_all kp => t /= h.
  by rewrite /nargs args_lift size_map leqW.
elim: p kp => //= t p IH /andP[kt kp]; rewrite all_cat IH //= /adjoint1 all_map.
apply: sub_all (args_partials deriv (facs t)) => q /= h.
by rewrite nargs_pick ltnS (leq_trans h).
Qed.

(** ** Theorem: second derivatives are cheap (the adjoint of the adjoint). *)
Theorem cheap_second K p :
  arity_le K p ->
  scost (adjoint deriv (adjoint deriv p)) <= K.+3 * K.+2 * scost p.
Proof.
move=> kp; rewrite -mulnA.
apply: leq_trans (cheap_gradient deriv (arity_adjoint kp)) _.
by rewrite leq_mul // cheap_gradient.
Qed.
End Closure.

(** ** Inputs and outputs.  Derivatives with respect to the inputs [X] only, of
    the outputs [Y] only.                                                    *)
Section InOut.
Variables (P : Type) (deriv : P -> nat -> P) (M : model P).
Variables (V : finType) (Ix : V -> finType).
Notation store := (Semantics.store Ix M).
Local Open Scope ring_scope.

Definition supported (X : pred V) (x : store) :=
  forall v (i : Ix v), ~~ X v -> get x i = 0.

Lemma dot_supported (X : pred V) (x y : store) :
  supported X x ->
  dot x y = \sum_(v | X v) \sum_(i : Ix v) get x i * get y i.
Proof.
move=> sx; rewrite dotE [RHS]big_mkcond; apply: eq_bigr => v _.
by case: ifP => // /negbT nv; rewrite big1 // => i _; rewrite sx // mul0r.
Qed.

Corollary adjoint_correct_io (X Y : pred V) (p : prog P Ix) (x dx dy : store) :
  ssa p -> supported X dx -> supported Y dy ->
  \sum_(v | Y v) \sum_(i : Ix v)
     get dy i * get (cot (eval (tangent deriv p) (join x dx))) i =
  \sum_(v | X v) \sum_(i : Ix v)
     get (cot (eval (adjoint deriv p) (join x dy))) i * get dx i.
Proof.
move=> sp sx sy; rewrite -dot_supported // adjoint_correct // dotC.
by rewrite (dot_supported _ sx); do 2 (apply: eq_bigr => ? _); rewrite mulrC.
Qed.

(** The gradient: for a scalar output (a seed of 1 at one cell), the cotangent
    of an input cell is the derivative along that cell.                      *)
Definition basis v (k : Ix v) : store := single (fun i : Ix v => (i == k)%:R).
Lemma dot_basis x v (k : Ix v) : dot x (basis k) = get x k.
Proof.
rewrite dot_single (bigD1 k) //= eqxx mulr1 big1 ?addr0 // => i /negbTE ->.
by rewrite mulr0.
Qed.

Corollary gradient (p : prog P Ix) (x : store) v (k : Ix v) w (l : Ix w) :
  ssa p ->
  get (cot (eval (adjoint deriv p) (join x (basis l)))) k =
  get (cot (eval (tangent deriv p) (join x (basis k)))) l.
Proof.
by move=> sp; rewrite -dot_basis -adjoint_correct // dotC dot_basis.
Qed.

(** the same, against dual numbers *)
Theorem gradient_dual (p : prog P Ix) (x : store) v (k : Ix v) w (l : Ix w) :
  ssa p ->
  get (cot (eval (adjoint deriv p) (join x (basis l)))) k =
  eps (get (eval p (dstore deriv x (basis k))) l).
Proof.
by move=> sp; rewrite gradient // eval_tangent // cot_join jvp_dual get_dstore.
Qed.
End InOut.
