(** * Statements: a statement assigns, and its right-hand side is a sum of terms
      t[i] = seed[i] + sum of terms, each with its own domain and guard
    [seed] is a parameter: 0 for the tensors of a program, the given cotangent
    of the results for the cotangent tensors.  A statement defines a set of
    cells: all the cells of a tensor, or, in a step of a recurrence, those of
    the step.  Assigning statements and accumulating terms agree.             *)
From mathcomp Require Import all_ssreflect all_algebra.
From TL Require Import Syntax Semantics Equations.
Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.
Import GRing.Theory.
Local Open Scope ring_scope.

Section Statements.
Variables (P : Type) (V : finType) (Ix : V -> finType).
Notation term := (term P Ix).
Notation prog := (prog P Ix).
Notation cell := (cell Ix).

Record stmt := Stmt { target : pred cell; terms : prog }.
Implicit Types (D : seq stmt) (s : stmt).

Definition flat D : prog := flatten [seq terms s | s <- D].
Definition targets D : pred cell := [pred c | has (fun s => target s c) D].

Lemma targets_cons s D c : targets (s :: D) c = target s c || targets D c.
Proof. by []. Qed.

(** single assignment: every cell is defined once; a statement writes only what
    it defines, and reads nothing that it or a later statement defines        *)
Definition defines s (later : pred cell) : Prop :=
  forall t, List.In t (terms s) ->
    (forall c, writes t c -> target s c) /\ reads_in (predC later) t.
Fixpoint ssa_stmts D : Prop :=
  if D is s :: D' then
    [/\ defines s (targets D), (forall c, target s c -> ~~ targets D' c) & ssa_stmts D']
  else True.

Lemma written_terms s A c : defines s A -> written (terms s) c -> target s c.
Proof.
rewrite /defines; elim: (terms s) => //= t l IH ds.
rewrite written_cons => /orP[|/IH]; last by apply=> u h; apply: ds; right.
by case: (ds t (or_introl erefl)) => h _ /h.
Qed.
Lemma written_flat D c : ssa_stmts D -> written (flat D) c -> targets D c.
Proof.
elim: D => //= s D IH [ds _ /IH h]; rewrite written_cat targets_cons.
by case/orP=> [/(written_terms ds) ->|/h ->]; rewrite ?orbT.
Qed.

Lemma ssa_terms s D : defines s (targets (s :: D)) -> ssa (terms s).
Proof.
move=> ds; have := @written_terms s _ ^~ ds; move: ds; rewrite /defines.
elim: (terms s) => //= t l IH ds wt; split; last first.
  apply: IH => [u h|c w]; first by apply: ds; right.
  by apply: wt; rewrite written_cons w orbT.
case: (ds t (or_introl erefl)) => _; apply: reads_in_sub => c /=; apply: contra.
by rewrite targets_cons => /wt ->.
Qed.

Theorem ssa_flat D : ssa_stmts D -> ssa (flat D).
Proof.
elim: D => //= s D IH sD; have [ds _ sD'] := sD.
apply: ssa_cat => [||t /ds[_]]; [exact: ssa_terms ds | exact: IH |].
apply: reads_in_sub => c /=; apply: contra => /(written_flat sD').
by rewrite targets_cons => ->; rewrite orbT.
Qed.

(** ** Meaning *)
Variable M : model P.
Notation store := (store Ix M).
Implicit Types x z seed : store.

Definition assign seed s x : store :=
  [ffun c => if target s c then seed c + total (terms s) x c else x c].
Fixpoint run seed D x : store := if D is s :: D' then run seed D' (assign seed s x) else x.
(** the store in which the accumulating program starts *)
Definition start seed D x : store := [ffun c => if targets D c then seed c else x c].

Lemma total_agree (A : pred cell) (p : prog) x z :
  (forall t, List.In t p -> reads_in A t) -> (forall c, A c -> x c = z c) ->
  total p x = total p z.
Proof.
move=> rp e; rewrite /total; elim: p rp => [|t p IH] rp; first by rewrite !big_nil.
rewrite !big_cons IH => [|u h]; last by apply: rp; right.
by rewrite (contrib_agree (rp t (or_introl erefl)) e).
Qed.

(** ** Theorem: assigning statements = accumulating terms. *)
Theorem run_eval seed D x : ssa_stmts D -> run seed D x = eval (flat D) (start seed D x).
Proof.
elim: D x => [|s D IH] x /= sD; first by apply/ffunP=> c; rewrite ffunE.
have [ds dj sD'] := sD; rewrite eval_cat IH //; congr (eval _ _).
set y := start seed (s :: D) x; have ss := ssa_terms ds.
have rd t : List.In t (terms s) -> reads_in (predC (targets (s :: D))) t by case/ds.
have out c : ~~ targets (s :: D) c -> x c = y c by move=> /negbTE n; rewrite ffunE n.
rewrite (eval_solves y ss) (@total_agree (predC (targets (s :: D))) _ _ y) //; last first.
  move=> c /= nc; apply: eval_out; apply: contra nc => /(written_terms ds).
  by rewrite targets_cons => ->.
rewrite -(total_agree rd out); apply/ffunP=> c; rewrite !ffunE targets_cons.
have [tc|nc] := boolP (target s c); first by rewrite (negbTE (dj c tc)).
by rewrite total_out ?addr0 // (contra (written_terms ds) nc).
Qed.

(** ** Theorem: a run makes every statement true as an equation between the
    final values, changes nothing else, and is the only store that does.      *)
Definition meets seed D x z : Prop :=
  forall c, z c = if targets D c then seed c + total (flat D) z c else x c.

Lemma meets_solves seed D x z :
  ssa_stmts D -> meets seed D x z <-> solves (flat D) (start seed D x) z.
Proof.
move=> sD; have wD c : ~~ targets D c -> total (flat D) z c = 0.
  by move=> nc; rewrite total_out // (contra (written_flat sD) nc).
split=> [m|m c].
  by apply/ffunP=> c; rewrite !ffunE {1}m; case: ifPn => // /wD ->; rewrite addr0.
by rewrite {1}m !ffunE; case: ifPn => // /wD ->; rewrite addr0.
Qed.
Theorem run_meets seed D x : ssa_stmts D -> meets seed D x (run seed D x).
Proof. by move=> sD; apply/meets_solves => //; rewrite run_eval //; apply/eval_solves/ssa_flat. Qed.
Theorem run_unique seed D x z : ssa_stmts D -> meets seed D x z -> z = run seed D x.
Proof.
by move=> sD /(meets_solves _ _ _ sD) m; rewrite run_eval //; apply: solution_unique m; apply: ssa_flat.
Qed.

(** only the terms of its own statement contribute to a cell *)
Lemma total_own D s c (z : store) :
  ssa_stmts D -> List.In s D -> target s c -> total (flat D) z c = total (terms s) z c.
Proof.
elim: D => //= s' D IH [ds dj sD] + tc; rewrite total_cat ffunE => -[e|sD'].
  by rewrite e addrC total_out ?add0r //; apply: contra (dj c _) => [/(written_flat sD)|]; rewrite ?e.
rewrite IH // total_out ?add0r //; apply/negP => /(written_terms ds) /dj /negP; apply.
elim: D {IH dj ds sD} sD' => //= u D IH [->|/IH]; rewrite targets_cons ?tc // => ->.
by rewrite orbT.
Qed.
End Statements.
