(** * Loops: programs with `rec` blocks, run as loops
    A block runs its body once per step, in the order of a list of steps; blocks
    nest, and the body may depend on the step.  The adjoint of a block is a block
    whose steps are reversed and whose body is the adjoint of the body.        *)
From mathcomp Require Import all_ssreflect all_algebra.
From TL Require Import Syntax Semantics Equations Statements Stages.
From TL Require Import Dual Derivative Correct Cost Closure Recurrence.
Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.

Section Code.
Variables (P : Type) (V : finType) (Ix : V -> finType).

Inductive code :=
| Skip
| Do of term P Ix
| Seq of code & code
| Rec (T : Type) of seq T & (T -> code).

Fixpoint unroll (c : code) : prog P Ix :=
  match c with
  | Skip => [::]
  | Do t => [:: t]
  | Seq a b => unroll a ++ unroll b
  | Rec T steps body => flatten [seq unroll (body s) | s <- steps]
  end.
Definition block (l : prog P Ix) : code := foldr (fun t => Seq (Do t)) Skip l.
Lemma unroll_block l : unroll (block l) = l.
Proof. by elim: l => //= t l ->. Qed.
End Code.
Arguments Skip {P V Ix}.

Section Adjoint.
Variables (P : Type) (deriv : P -> nat -> P) (V : finType) (Ix : V -> finType).
Notation code2 := (code P (Ix2 Ix)).

Fixpoint code_primal (c : code P Ix) : code2 :=
  match c with
  | Skip => Skip
  | Do t => Do (primal1 t)
  | Seq a b => Seq (code_primal a) (code_primal b)
  | Rec T steps body => Rec steps (fun s => code_primal (body s))
  end.
Fixpoint code_tangent (c : code P Ix) : code2 :=
  match c with
  | Skip => Skip
  | Do t => Seq (block (tangent1 deriv t)) (Do (primal1 t))
  | Seq a b => Seq (code_tangent a) (code_tangent b)
  | Rec T steps body => Rec steps (fun s => code_tangent (body s))
  end.
Fixpoint code_backward (c : code P Ix) : code2 :=
  match c with
  | Skip => Skip
  | Do t => block (adjoint1 deriv t)
  | Seq a b => Seq (code_backward b) (code_backward a)
  | Rec T steps body => Rec (rev steps) (fun s => code_backward (body s))
  end.
Definition code_adjoint (c : code P Ix) : code2 := Seq (code_primal c) (code_backward c).

Lemma tangent_cat (p q : prog P Ix) : tangent deriv (p ++ q) = tangent deriv p ++ tangent deriv q.
Proof. by elim: p => //= t p ->; rewrite -catA. Qed.
Lemma backward_cat (p q : prog P Ix) :
  backward deriv (p ++ q) = backward deriv q ++ backward deriv p.
Proof. by elim: p => [|t p IH] /=; rewrite ?cats0 // IH catA. Qed.

(** ** Theorem: unrolling commutes with differentiation. *)
Lemma unroll_primal c : unroll (code_primal c) = primal (unroll c).
Proof.
elim: c => //= [a -> b ->|T steps body IH]; first by rewrite /primal map_cat.
by elim: steps => //= s l ->; rewrite IH /primal map_cat.
Qed.
Theorem unroll_tangent c : unroll (code_tangent c) = tangent deriv (unroll c).
Proof.
elim: c => //= [t|a -> b ->|T steps body IH]; rewrite ?unroll_block ?tangent_cat //.
by elim: steps => //= s l ->; rewrite IH tangent_cat.
Qed.
Lemma unroll_backward c : unroll (code_backward c) = backward deriv (unroll c).
Proof.
elim: c => //= [t|a -> b ->|T steps body IH]; rewrite ?unroll_block ?backward_cat //.
elim: steps => //= s l e; rewrite rev_cons map_rcons flatten_rcons e IH.
by rewrite backward_cat.
Qed.
Theorem unroll_adjoint c : unroll (code_adjoint c) = adjoint deriv (unroll c).
Proof. by rewrite /= unroll_primal unroll_backward. Qed.

(** ... so the theorems hold for programs with recurrences. *)
Definition exec (M : model P) (W : finType) (Iw : W -> finType) (c : code P Iw) (x : store Iw M) :=
  eval (unroll c) x.

Theorem code_adjoint_correct (M : model P) (c : code P Ix) (x dx dy : store Ix M) :
  ssa (unroll c) ->
  dot dy (cot (exec (code_tangent c) (join x dx))) = dot (cot (exec (code_adjoint c) (join x dy))) dx.
Proof. by move=> sc; rewrite /exec unroll_tangent unroll_adjoint adjoint_correct. Qed.

Theorem code_gradient_dual (M : model P) (c : code P Ix) (x : store Ix M)
    v (k : Ix v) w (l : Ix w) : ssa (unroll c) ->
  get (cot (exec (code_adjoint c) (join x (basis M l)))) k =
  eps (get (exec c (dstore deriv x (basis M k))) l).
Proof. by move=> sc; rewrite /exec unroll_adjoint gradient_dual. Qed.

Theorem code_cheap_gradient K (c : code P Ix) :
  arity_le K (unroll c) -> scost (unroll (code_adjoint c)) <= K.+2 * scost (unroll c).
Proof. by rewrite unroll_adjoint; apply: cheap_gradient. Qed.
Theorem code_ssa_adjoint (c : code P Ix) : ssa (unroll c) -> ssa (unroll (code_adjoint c)).
Proof. by rewrite unroll_adjoint; apply: ssa_adjoint. Qed.
End Adjoint.

(** ** A `rec` block of statements: in each step, the terms [p] in order, each
    at the points of its output that belong to the step.                      *)
Section Block.
Variables (P : Type) (V : finType) (Ix : V -> finType).
Variables (r : cell Ix -> nat) (N : nat).
Hypothesis r_lt : forall c, r c < N.

(** terms in the order of their ranks are SSA                                 *)
Fixpoint ascending (p : prog P Ix) : Prop :=
  if p is t :: p' then
    (forall c d, writes t c -> written (t :: p') d -> r c <= r d) /\ ascending p'
  else True.
Lemma ascending_ssa p : ranked r p -> ascending p -> ssa p.
Proof.
elim: p => //= t p IH rp [at_ ap]; split; last by apply: IH => // u h; apply: rp; right.
move=> i j h; apply: sub_all (rp t (or_introl erefl) i j h) => a lt.
apply/negP => /(at_ _ _ (writesP h)); rewrite leqNgt => /negP; exact.
Qed.

Variable step : cell Ix -> nat.               (* the step of a cell           *)
Variables (p : prog P Ix) (n : nat).
Definition rec_block : code P Ix :=
  Rec (iota 0 n) (fun s => block [seq slice (fun i _ => step (@ocell _ _ _ t i) == s) | t <- p]).

Hypothesis step_lt : forall c, step c < n.
Hypothesis steps_first : forall c d, step c < step d -> r c <= r d.
(** within a step, statements come in the order of their ranks                *)
Fixpoint in_order (l : prog P Ix) : Prop :=
  if l is t :: l' then
    (forall c d, writes t c -> written (t :: l') d -> step c = step d -> r c <= r d) /\ in_order l'
  else True.

Lemma writes_slice (t : term P Ix) s c :
  writes (slice (fun i _ => step (@ocell _ _ _ t i) == s)) c -> writes t c /\ step c = s.
Proof.
case/writesE=> i [j []]; rewrite holds_slice => /andP[h /eqP e] ->.
by split=> //; apply: (@writesP _ _ _ t i j h).
Qed.
Lemma written_slices (l : prog P Ix) s c :
  written [seq slice (fun i _ => step (@ocell _ _ _ t i) == s) | t <- l] c ->
  written l c /\ step c = s.
Proof.
elim: l => //= t l IH /orP[/writes_slice|/IH] [h ->]; split=> //; rewrite written_cons h //.
by rewrite orbT.
Qed.

Lemma ascending_cat a b : ascending a -> ascending b ->
  (forall c d, written a c -> written b d -> r c <= r d) -> ascending (a ++ b).
Proof.
move=> + ab; elim: a => //= t a IH [at_ aa] le; split; last first.
  by apply: IH => // c d wc; apply: le; rewrite written_cons wc orbT.
move=> c d wc; rewrite -cat_cons written_cat => /orP[|]; first exact: at_.
by apply: le; rewrite written_cons wc.
Qed.

Lemma ascending_loop : in_order p -> ascending (unroll rec_block).
Proof.
move=> op; rewrite /=; move: n 0 => m; elim: m => //= m IH s.
apply: ascending_cat => [||c d]; last 1 first.
- rewrite unroll_block => /written_slices[_ sc] wd; apply: steps_first; rewrite sc.
  have: forall s', s < s' -> written (flatten [seq unroll (block [seq slice
      (fun i _ => step (@ocell _ _ _ t i) == k) | t <- p]) | k <- iota s' m]) d -> s < step d.
    elim: m {IH wd} => //= m IH s' ss'; rewrite unroll_block written_cat.
    by case/orP=> [/written_slices[_ ->] //|]; apply: IH; apply: leqW.
  by apply; first exact: ltnSn.
- rewrite unroll_block; elim: p op => //= t l IHl [ot ol]; split; last exact: IHl.
  move=> c d /writes_slice[wc sc] /(written_slices (l := t :: l))[wd sd].
  by apply: ot; rewrite ?sc ?sd.
- exact: IH.
Qed.

(** ** Theorem: the loop of a `rec` block computes the solution of its equations,
    and the loop with reversed steps and adjoint bodies that of its adjoint.  *)
Lemma unroll_rec_block : unroll rec_block = flat (staged step p n).
Proof.
by rewrite /flat /staged -map_comp /=; congr flatten; apply: eq_map => s /=; rewrite unroll_block.
Qed.
Lemma rec_block_ssa : ranked r p -> in_order p -> ssa (unroll rec_block).
Proof.
move=> rp op; apply: ascending_ssa; last exact: ascending_loop.
move=> u; rewrite /=; elim: (iota 0 n) => //= s l IH.
rewrite unroll_block => /List.in_app_iff[/List.in_map_iff[t [<- tp]]|/IH //] i j.
by rewrite holds_slice => /andP[/(rp t tp)].
Qed.
Theorem rec_block_solution (M : model P) (x : store Ix M) :
  ranked r p -> in_order p -> exec rec_block x = solution r N p x.
Proof.
move=> rp op; apply: (eval_solution r_lt) => //; first exact: rec_block_ssa.
by move=> z; rewrite unroll_rec_block total_staged.
Qed.
Theorem rec_block_adjoint (deriv : P -> nat -> P) (M : model P) (x u : store Ix M) :
  ranked r p -> in_order p ->
  exec (code_adjoint deriv rec_block) (join x u) =
  solution (rank_adjoint r N) (N + N) (adjoint deriv p) (join x u).
Proof.
move=> rp op; rewrite /exec unroll_adjoint.
apply: (eval_solution (rank_adjoint_lt r_lt)); first exact: ranked_adjoint.
  by apply: ssa_adjoint; apply: rec_block_ssa.
move=> z; rewrite unroll_rec_block !total_cat !total_primal !total_backward.
congr (_ + _)%R; apply: big_staged => t; first exact: primal_slices.
exact: adjoint_slices.
Qed.
Theorem rec_block_scost : scost (unroll rec_block) = scost p.
Proof. by rewrite unroll_rec_block scost_staged. Qed.
End Block.
