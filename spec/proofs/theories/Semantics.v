(** * Semantics: stores, scalar models, the meaning of a list of terms, and the
    SSA discipline, cell by cell                                              *)
From mathcomp Require Import all_ssreflect all_algebra.
From TL Require Import Syntax.
Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.
Import GRing.Theory.
Local Open Scope ring_scope.

(** ** Stores.  A cell is a tensor name with an index into that tensor.      *)
Section Store.
Variables (V : finType) (Ix : V -> finType) (R : comRingType).
Definition cell := [finType of {v : V & Ix v}].
Definition store := {ffun cell -> R}.

Definition get (x : store) (v : V) (i : Ix v) : R := x (Tagged Ix i).

(** the store that is [t] on tensor [v] and 0 elsewhere *)
Definition single (v : V) (t : Ix v -> R) : store :=
  [ffun a => \sum_(i : Ix v | Tagged Ix i == a) t i].

Definition dot (x y : store) : R := \sum_a x a * y a.

Lemma dotE x y :
  dot x y = \sum_(v : V) \sum_(i : Ix v) get x i * get y i.
Proof. by rewrite sig_big_dep; apply: eq_bigr => -[]. Qed.

Lemma dotDl x y z : dot (x + y) z = dot x z + dot y z.
Proof. by rewrite -big_split; apply: eq_bigr => a _; rewrite ffunE mulrDl. Qed.
Lemma dotDr x y z : dot x (y + z) = dot x y + dot x z.
Proof. by rewrite -big_split; apply: eq_bigr => a _; rewrite ffunE mulrDr. Qed.
Lemma dotC x y : dot x y = dot y x.
Proof. by apply: eq_bigr => a _; rewrite mulrC. Qed.
Lemma dot0l z : dot 0 z = 0.
Proof. by apply: big1 => a _; rewrite ffunE mul0r. Qed.
Lemma dot_suml (A : Type) (r : seq A) (F : A -> store) z :
  dot (\sum_(q <- r) F q) z = \sum_(q <- r) dot (F q) z.
Proof.
by elim: r => [|q r IH]; rewrite ?big_nil ?dot0l // !big_cons dotDl IH.
Qed.

Lemma dot_single x v (t : Ix v -> R) :
  dot x (single t) = \sum_(i : Ix v) get x i * t i.
Proof.
rewrite /dot; under eq_bigr do rewrite ffunE mulr_sumr.
rewrite (exchange_big_dep xpredT) //=; apply: eq_bigr => i _.
by rewrite (big_pred1 (Tagged Ix i)) // => a; rewrite eq_sym.
Qed.

Lemma get_single v (t : Ix v -> R) i : get (single t) i = t i.
Proof.
rewrite /get ffunE (big_pred1 i) // => k /=.
by rewrite -tag_eqE /tag_eq /= eqxx tagged_asE.
Qed.

Lemma single_out v w (t : Ix v -> R) (i : Ix w) :
  w != v -> get (single t) i = 0.
Proof.
move=> nvw; rewrite /get ffunE big_pred0 // => k /=.
by rewrite -tag_eqE /tag_eq /= eq_sym (negbTE nvw).
Qed.

Lemma getD x y v (i : Ix v) : get (x + y) i = get x i + get y i.
Proof. by rewrite /get ffunE. Qed.
Lemma get0 v (i : Ix v) : get 0 i = 0.
Proof. by rewrite /get ffunE. Qed.
Lemma get_sum A (r : seq A) (F : A -> store) v (i : Ix v) :
  get (\sum_(q <- r) F q) i = \sum_(q <- r) get (F q) i.
Proof. by rewrite /get sum_ffunE. Qed.
Lemma eq_single v (t t' : Ix v -> R) : t =1 t' -> single t = single t'.
Proof.
by move=> e; apply/ffunP=> a; rewrite !ffunE; apply: eq_bigr => i _; apply: e.
Qed.
Lemma storeP (x y : store) :
  (forall v (i : Ix v), get x i = get y i) <-> x = y.
Proof. by split=> [e|->//]; apply/ffunP=> -[v i]; apply: e. Qed.
End Store.

(** ** Scalar models and evaluation                                          *)
Record model (P : Type) := Model {
  scal :> comRingType;
  prm  : P -> seq scal -> scal }.

Section Eval.
Variables (P : Type) (M : model P).
Variables (V : finType) (Ix : V -> finType).
Notation store := (store Ix M).
Notation term := (term P Ix).
Notation prog := (prog P Ix).
Notation cell := (cell Ix).

Definition aval (x : store) I J (a : access Ix I J) (i : I) (j : J) : M :=
  get x (amap a i j).
Definition fval (x : store) I J (f : factor P Ix I J) (i : I) (j : J) : M :=
  match f with
  | Rd a => aval x a i j
  | Ap g l => prm g [seq aval x a i j | a <- l]
  end.

(** what the term [t] contributes to its tensor *)
Definition rhs (x : store) (t : term) (i : Ix (out t)) : M :=
  \sum_(j : dom t | holds t i j) \prod_(f <- facs t) fval x f i j.
Definition contrib (t : term) (x : store) : store := single (rhs x (t := t)).

Definition eval1 (t : term) (x : store) : store := x + contrib t x.
Fixpoint eval (p : prog) (x : store) : store :=
  if p is t :: p' then eval p' (eval1 t x) else x.

Lemma eval_cat p q x : eval (p ++ q) x = eval q (eval p x).
Proof. by elim: p x => //= t p IH x; rewrite IH. Qed.
End Eval.

(** ** The SSA discipline.
    A cell that a term reads, at a point where its condition holds, is never
    written again, neither by the term itself nor by a later one.  (Cell by cell:
    a recurrence reads its own tensor.)                                       *)
Lemma all_In A (a : pred A) (l : seq A) x : all a l -> List.In x l -> a x.
Proof. by elim: l => //= y l IH /andP[ay /IH al] [<-|/al]. Qed.

Section SSA.
Variables (P : Type) (V : finType) (Ix : V -> finType).
Notation term := (term P Ix).
Notation prog := (prog P Ix).
Notation cell := (cell Ix).

Definition acell I J (a : access Ix I J) (i : I) (j : J) : cell := Tagged Ix (amap a i j).
Definition ocell (t : term) (i : Ix (out t)) : cell := Tagged Ix i.

Definition reads_in (A : pred cell) (t : term) : Prop :=
  forall i j, holds t i j -> all [pred a | A (acell a i j)] (args (facs t)).
Definition writes (t : term) : pred cell :=
  [pred a | [exists i, [exists j, holds t i j && (ocell i == a)]]].
Definition written (p : prog) : pred cell := [pred a | has (fun t => writes t a) p].

Fixpoint ssa (p : prog) : Prop :=
  if p is t :: p' then reads_in (predC (written p)) t /\ ssa p' else True.

Lemma writesP (t : term) (i : Ix (out t)) j : holds t i j -> writes t (ocell i).
Proof. by move=> h; apply/existsP; exists i; apply/existsP; exists j; rewrite h eqxx. Qed.
Lemma writesE (t : term) (c : cell) :
  writes t c -> exists i j, holds t i j /\ c = ocell i.
Proof. by case/existsP=> i /existsP[j /andP[h /eqP <-]]; exists i, j. Qed.
Lemma written_cons t p c : written (t :: p) c = writes t c || written p c.
Proof. by []. Qed.
Lemma written_In p c : written p c -> exists2 t, List.In t p & writes t c.
Proof.
elim: p => //= t p IH /orP[w|/IH[u up w]]; first by exists t => //; left.
by exists u => //; right.
Qed.
Lemma written_cat p q c : written (p ++ q) c = written p c || written q c.
Proof. exact: has_cat. Qed.
Lemma reads_in_sub (A B : pred cell) t : subpred A B -> reads_in A t -> reads_in B t.
Proof. by move=> ab h i j /h; apply: sub_all => a /= /ab. Qed.

Lemma ssa_cat p q :
  ssa p -> ssa q -> (forall t, List.In t p -> reads_in (predC (written q)) t) -> ssa (p ++ q).
Proof.
move=> + sq; elim: p => //= t p IH [rt sp] pq; split; last first.
  by apply: IH => // u up; apply: pq; right.
move=> i j h; have := conj (rt i j h) (pq t (or_introl erefl) i j h).
move/andP; rewrite -all_predI; apply: sub_all => a /andP[/= n1 n2].
by move: n1; rewrite /written /= has_cat !negb_or => /andP[-> ->]; rewrite n2.
Qed.

(** names are enough for a program without recurrences *)
Fixpoint ssa_names (p : prog) : bool :=
  if p is t :: p' then all [pred v | v \notin outs p] (reads t) && ssa_names p' else true.
Lemma written_outs p c : written p c -> tag c \in outs p.
Proof.
elim: p => //= t p IH /orP[/writesE[i [j [_ ->]]]|/IH h]; rewrite inE ?eqxx //.
by rewrite h orbT.
Qed.
Lemma ssa_namesP p : ssa_names p -> ssa p.
Proof.
elim: p => //= t p IH /andP[rt /IH sp]; split=> // i j _.
move: rt; rewrite /reads all_map; apply: sub_all => a /=.
by apply: contra => /(@written_outs (t :: p)).
Qed.

(** ** Evaluation writes only where it says *)
Variable M : model P.
Notation store := (store Ix M).
Implicit Types x y : store.

Lemma contrib_out (t : term) x c : ~~ writes t c -> contrib t x c = 0.
Proof.
move=> nw; rewrite ffunE big1 // => i /eqP e; apply: big_pred0 => j.
by apply/negP => h; case/negP: nw; rewrite -e; apply: writesP h.
Qed.
Lemma eval_out p x c : ~~ written p c -> eval p x c = x c.
Proof.
elim: p x => //= t p IH x; rewrite negb_or => /andP[nt np].
by rewrite IH // ffunE contrib_out ?addr0.
Qed.
Lemma eval_outs p x v (i : Ix v) : v \notin outs p -> get (eval p x) i = get x i.
Proof. by move=> nv; apply: eval_out; apply: contra nv => /written_outs. Qed.

(** a contribution depends only on what the term reads *)
Lemma fvals_agree x y I J (fs : seq (factor P Ix I J)) i j :
  all [pred a | x (acell a i j) == y (acell a i j)] (args fs) ->
  \prod_(f <- fs) fval x f i j = \prod_(f <- fs) fval y f i j.
Proof.
elim: fs => [|f fs IH]; first by rewrite !big_nil.
rewrite -[args _]/(fargs f ++ args fs) all_cat !big_cons => /andP[ef /IH ->].
congr (_ * _); case: f ef => [a|g l] /=; first by rewrite andbT => /eqP.
by move=> el; congr prm; elim: l el => //= a l IHl /andP[/eqP e /IHl ->]; congr (_ :: _).
Qed.
Lemma contrib_agree (A : pred cell) (t : term) x y :
  reads_in A t -> (forall c, A c -> x c = y c) -> contrib t x = contrib t y.
Proof.
move=> rt e; apply: eq_single => i; apply: eq_bigr => j h; apply: fvals_agree.
by apply: sub_all (rt i j h) => a /= /e ->.
Qed.
End SSA.
