(** * Interp: an executable interpreter on first-order data, proved equal to
    the semantics, for extraction.
    Tensors are flat lists; an index map is an integer expression in the flat
    output index [i] and the flat summed index [j], with given functions in it
    (reads of index tensors, relations, conditions on data).  A statement is the
    list of its terms; its tensor is zero before the first.                   *)
From Coq Require Import ZArith.
From mathcomp Require Import all_ssreflect all_algebra.
From TL Require Import Syntax Semantics Cost.
Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.

(** ** Concrete syntax *)
Inductive iexp := EI | EJ | EInt of Z
  | EAdd of iexp & iexp | ESub of iexp & iexp | EMul of iexp & iexp
  | EDiv of iexp & iexp | EMod of iexp & iexp
  | EFun of (Z -> Z) & iexp
  | EIf of bexp & iexp & iexp
with bexp := BTrue | BEq of iexp & iexp | BLt of iexp & iexp
  | BAnd of bexp & bexp | BNot of bexp.

Scheme iexp_mut := Induction for iexp Sort Prop
  with bexp_mut := Induction for bexp Sort Prop.
Combined Scheme iexp_bexp_ind from iexp_mut, bexp_mut.

(** division rounds down *)
Fixpoint ival (e : iexp) (i j : Z) : Z :=
  match e with
  | EI => i | EJ => j | EInt n => n
  | EAdd a b => Z.add (ival a i j) (ival b i j)
  | ESub a b => Z.sub (ival a i j) (ival b i j)
  | EMul a b => Z.mul (ival a i j) (ival b i j)
  | EDiv a b => Z.div (ival a i j) (ival b i j)
  | EMod a b => Z.modulo (ival a i j) (ival b i j)
  | EFun f a => f (ival a i j)
  | EIf c a b => if bval c i j then ival a i j else ival b i j
  end
with bval (b : bexp) (i j : Z) : bool :=
  match b with
  | BTrue => true
  | BEq x y => Z.eqb (ival x i j) (ival y i j)
  | BLt x y => Z.ltb (ival x i j) (ival y i j)
  | BAnd x y => bval x i j && bval y i j
  | BNot x => ~~ bval x i j
  end.
Notation Zn := Z.of_nat.

Section Concrete.
Variable P : Type.
Record cacc := CAcc { cvar : nat; cmap : iexp }.
Inductive cfac := CRd of cacc | CAp of P & seq cacc.
Definition cfargs (f : cfac) := match f with CRd a => [:: a] | CAp _ l => l end.
Definition cargs (fs : seq cfac) := flatten [seq cfargs f | f <- fs].
Record cterm := CTerm {
  cout : nat; csum : nat; cguard : bexp; ctest : bexp; ctests : Z -> Z -> nat; cfacs : seq cfac }.
Definition shape := seq nat.           (* size of each tensor *)

(** where an access reads *)
Definition cplace (a : cacc) (i j : Z) : nat := Z.to_nat (ival (cmap a) i j).
Definition inside (sh : shape) i j (a : cacc) : bool :=
  Z.leb 0 (ival (cmap a) i j) && (cplace a i j < nth 0 sh (cvar a)).
(** the points visited, and those that count: reads out of bounds are excluded *)
Definition cvisits (s : cterm) i j : bool := bval (cguard s) i j.
Definition cholds (sh : shape) (s : cterm) i j : bool :=
  cvisits s i j && (bval (ctest s) i j && all (inside sh i j) (cargs (cfacs s))).

(** ** The interpreter, over any record of scalar operations *)
Record ops (T : Type) := Ops {
  zero : T; one : T; add : T -> T -> T; mul : T -> T -> T;
  apply : P -> seq T -> T }.

Section Run.
Variables (T : Type) (O : ops T) (sh : shape).
Definition cenv := seq (seq T).
Definition cget (e : cenv) v i : T := nth (zero O) (nth [::] e v) i.
Definition caval (e : cenv) (a : cacc) i j : T := cget e (cvar a) (cplace a i j).
Definition cfval (e : cenv) (f : cfac) i j : T :=
  match f with
  | CRd a => caval e a i j
  | CAp g l => apply O g [seq caval e a i j | a <- l]
  end.
Definition cbody (e : cenv) (fs : seq cfac) i j : T :=
  foldr (fun f => mul O (cfval e f i j)) (one O) fs.
Definition crhs (e : cenv) (s : cterm) i : T :=
  foldr (fun j a => if cholds sh s (Zn i) (Zn j)
                    then add O (cbody e (cfacs s) (Zn i) (Zn j)) a else a)
        (zero O) (iota 0 (csum s)).
Definition crun1 (s : cterm) (e : cenv) : cenv :=
  set_nth [::] e (cout s)
    [seq add O (cget e (cout s) i) (crhs e s i) | i <- iota 0 (nth 0 sh (cout s))].
Definition crun (p : seq cterm) (e : cenv) : cenv := foldl (fun e s => crun1 s e) e p.
End Run.

(** ** Executable cost *)
Definition ccount (sh : shape) (h : Z -> Z -> bool) (s : cterm) : nat :=
  foldr (fun i a => count (fun j => h (Zn i) (Zn j)) (iota 0 (csum s)) + a) 0
    (iota 0 (nth 0 sh (cout s))).
(** the points visited, each with the price of the tests made there           *)
Definition cprice (sh : shape) (s : cterm) : nat :=
  foldr (fun i a => foldr (fun j b => if cvisits s (Zn i) (Zn j)
                                      then (ctests s (Zn i) (Zn j)).+1 + b else b)
                          0 (iota 0 (csum s)) + a)
        0 (iota 0 (nth 0 sh (cout s))).
Definition ccost1 (sh : shape) (s : cterm) : nat :=
  cprice sh s +
  ccount sh (cholds sh s) s * size (cargs (cfacs s)).
Definition ccost sh (p : seq cterm) := foldr (fun s a => ccost1 sh s + a) 0 p.
End Concrete.

Lemma foldr_sum (R : Type) (idx : R) (op : Monoid.law idx) A (l : seq A) (p : pred A) (F : A -> R) :
  foldr (fun j a => if p j then op (F j) a else a) idx l = \big[op/idx]_(j <- l | p j) F j.
Proof. by elim: l => [|j l IH] /=; rewrite ?big_nil // big_cons IH. Qed.
Lemma foldr_prod (R : Type) (idx : R) (op : Monoid.law idx) A (l : seq A) (F : A -> R) :
  foldr (fun f => op (F f)) idx l = \big[op/idx]_(f <- l) F f.
Proof. by elim: l => [|f l IH] /=; rewrite ?big_nil // big_cons IH. Qed.

(** ** Relation with the abstract calculus.
    Sizes are positive, so that [inord] is total; the guard makes the value
    that [inord] returns out of bounds irrelevant.                           *)
Section Abstract.
Import GRing.Theory.
Local Open Scope ring_scope.
Variables (P : Type) (M : model P).
Variable (n : nat) (sh : shape).
Hypothesis sh_size : size sh = n.+1.
Hypothesis sh_pos : all (ltn 0%N) sh.

Definition CV : finType := [finType of 'I_n.+1].
Definition CIx (v : CV) : finType := [finType of 'I_(nth 0%N sh v).-1.+1].

Lemma szE (v : CV) : (nth 0%N sh v).-1.+1 = nth 0%N sh v.
Proof. by rewrite prednK //; apply: (allP sh_pos); rewrite mem_nth ?sh_size. Qed.

Definition model_ops : ops P M := @Ops P M 0 1 (@GRing.add _) (@GRing.mul _) (@prm _ M).

Definition wft (s : cterm P) : bool :=
  (cout s <= n)%N && all (fun a => cvar a <= n)%N (cargs (cfacs s)).

Definition abs_acc (I J : nat) (a : cacc) : access CIx [finType of 'I_I] [finType of 'I_J] :=
  @Access CV CIx _ _ (inord (cvar a) : CV) (fun (i : 'I_I) (j : 'I_J) => inord (cplace a (Zn i) (Zn j))).
Definition abs_fac (I J : nat) (f : cfac P)
    : factor P CIx [finType of 'I_I] [finType of 'I_J] :=
  match f with
  | CRd a => Rd (abs_acc I J a)
  | CAp g l => Ap g [seq abs_acc I J a | a <- l]
  end.
Definition abs (s : cterm P) : term P CIx :=
  @Term P CV CIx (inord (cout s) : CV) [finType of 'I_(csum s)]
    (fun i j => cvisits s (Zn i) (Zn j))
    (fun i j => bval (ctest s) (Zn i) (Zn j) && all (inside sh (Zn i) (Zn j)) (cargs (cfacs s)))
    (fun i j => ctests s (Zn i) (Zn j)) [seq abs_fac _ _ f | f <- cfacs s].

Definition rel (e : cenv M) (x : store CIx M) :=
  forall (v : CV) (i : CIx v), cget model_ops e v i = get x i.

Lemma rel_get e x (v k : nat) :
  (v <= n)%N -> (k < nth 0 sh v)%N -> rel e x ->
  cget model_ops e v k = get x (inord k : CIx (inord v)).
Proof.
move=> vn kv ex; have vE : (inord v : CV) = v :> nat by rewrite inordK.
rewrite -ex; congr (cget model_ops e _ _); first by rewrite vE.
by rewrite [RHS]inordK // szE vE.
Qed.

Lemma args_abs I J (fs : seq (cfac P)) :
  args [seq abs_fac I J f | f <- fs] = [seq abs_acc I J a | a <- cargs fs].
Proof.
by rewrite /args /cargs map_flatten -!map_comp; congr flatten; apply: eq_map; case.
Qed.

Lemma rel_body e x I J (fs : seq (cfac P)) (i : 'I_I) (j : 'I_J) :
  all (fun a => cvar a <= n)%N (cargs fs) -> all (inside sh (Zn i) (Zn j)) (cargs fs) -> rel e x ->
  cbody model_ops e fs (Zn i) (Zn j) = \prod_(f <- [seq abs_fac I J f | f <- fs]) fval x f i j.
Proof.
move=> + + ex; rewrite /cbody (foldr_prod (GRing.mul_monoid M)) big_map.
elim: fs => [|f fs IH]; first by rewrite !big_nil.
rewrite -[cargs _]/(cfargs f ++ cargs fs) !all_cat !big_cons.
case/andP=> wf wfs /andP[inf infs]; rewrite IH //; congr (_ * _).
case: f wf inf => [a|g l] /=; first by rewrite !andbT => w /andP[_ h]; apply: rel_get.
move=> wl hl; rewrite -map_comp; congr prm.
by elim: l wl hl => //= a l IHl /andP[wa /IHl h] /andP[/andP[_ ha] /h ->]; congr (_ :: _); apply: rel_get.
Qed.

Lemma rel_rhs e x (s : cterm P) (i : CIx (inord (cout s) : CV)) :
  wft s -> rel e x -> crhs model_ops sh e s (val i) = @rhs P M CV CIx x (abs s) i.
Proof.
move=> /andP[_ wf] ex; rewrite /crhs (foldr_sum (GRing.add_monoid M)) /rhs /=.
rewrite -{1}[csum s]subn0 -/(index_iota 0 (csum s)) big_mkord.
apply: eq_bigr => j /andP[_ /andP[_ inb]]; exact: rel_body.
Qed.

Lemma rel_run1 e x s : wft s -> rel e x -> rel (crun1 model_ops sh s e) (eval1 (abs s) x).
Proof.
move=> wf ex v i; have /andP[wo _] := wf.
rewrite /crun1 /cget nth_set_nth /= getD.
have oE : (inord (cout s) : CV) = cout s :> nat by rewrite inordK.
have [ev|nv] := eqVneq v (inord (cout s) : CV); last first.
  rewrite -oE (inj_eq val_inj) (negbTE nv) single_out ?addr0 //.
  exact: ex.
move: i; rewrite ev => i; have -> : (inord (cout s) : CV) == cout s :> nat.
  by rewrite oE.
have il : (i < nth 0%N sh (cout s))%N.
  by apply: leq_trans (ltn_ord i) _; rewrite szE oE.
rewrite (nth_map 0%N) ?size_iota // nth_iota // add0n get_single.
rewrite -(rel_rhs _ wf ex) /=; congr (_ + _).
by rewrite -ex; congr (cget model_ops e _ _); rewrite oE.
Qed.

(** ** Theorem: the interpreter computes the semantics. *)
Theorem crunE p e x :
  all wft p -> rel e x -> rel (crun model_ops sh p e) (eval [seq abs s | s <- p] x).
Proof.
elim: p e x => //= s p IH e x /andP[ws wp] ex.
by apply: IH => //; apply: rel_run1.
Qed.

(** ** Theorem: the executable cost is the sparse cost. *)
Lemma ccountE (s : cterm P) (h : Z -> Z -> bool) (S : {set CIx (inord (cout s) : CV) * 'I_(csum s)}) :
  (cout s <= n)%N -> (forall ij, (ij \in S) = h (Zn ij.1) (Zn ij.2)) -> ccount sh h s = #|S|.
Proof.
move=> wo hS; have oE : (inord (cout s) : CV) = cout s :> nat by rewrite inordK.
have oS : (nth 0%N sh (inord (cout s) : CV)).-1.+1 = nth 0%N sh (cout s).
  by rewrite szE oE.
rewrite -sum1_card (eq_bigl _ _ hS).
rewrite -(pair_big_dep xpredT (fun (i : 'I_ _) (j : 'I_ _) => h (Zn i) (Zn j)) (fun _ _ => 1%N)) /=.
under eq_bigr => i _ do rewrite -(big_mkord (fun j => h (Zn i) (Zn j)) (fun=> 1%N))
  sum1_count /index_iota subn0.
pose G i := count (fun j => h (Zn i) (Zn j)) (iota 0 (csum s)).
rewrite -[RHS](big_mkord xpredT G) oS /index_iota subn0 /ccount.
by elim: (iota 0 (nth _ _ _)) => [|i l IH] /=; rewrite ?big_nil // big_cons IH.
Qed.
Lemma cpriceE (s : cterm P) : (cout s <= n)%N ->
  cprice sh s = (\sum_(ij in visited (abs s)) price ij)%N.
Proof.
move=> wo; have oE : (inord (cout s) : CV) = cout s :> nat by rewrite inordK.
have oS : (nth 0%N sh (inord (cout s) : CV)).-1.+1 = nth 0%N sh (cout s).
  by rewrite szE oE.
pose F (i j : nat) := if cvisits s (Zn i) (Zn j) then (ctests s (Zn i) (Zn j)).+1 else 0%N.
pose G i := (\sum_(j < csum s) F i j)%N.
transitivity (\sum_(i <- iota 0 (nth 0 sh (cout s))) G i)%N.
  rewrite /cprice; elim: (iota 0 (nth _ _ _)) => [|i l IH] /=; first by rewrite big_nil.
  rewrite big_cons IH; congr (_ + _)%N; rewrite /G -(big_mkord xpredT (F i)) /index_iota subn0.
  elim: (iota 0 (csum s)) => [|j m IHm] /=; first by rewrite big_nil.
  by rewrite big_cons IHm /F; case: (cvisits _ _ _).
have vE (ij : CIx (inord (cout s) : CV) * 'I_(csum s)) :
  (ij \in visited (abs s)) = cvisits s (Zn ij.1) (Zn ij.2) by rewrite inE.
rewrite (eq_bigl _ _ vE) /price /=.
rewrite -(pair_big_dep xpredT (fun (i : 'I_ _) (j : 'I_ _) => cvisits s (Zn i) (Zn j))
  (fun i j => (ctests s (Zn i) (Zn j)).+1)) /=.
under [RHS]eq_bigr => i _ do rewrite big_mkcond -/(G i).
by rewrite -[RHS](big_mkord xpredT G) oS /index_iota subn0.
Qed.
Lemma ccost1E s : wft s -> ccost1 sh s = scost1 (abs s).
Proof.
move=> /andP[wo _]; rewrite /ccost1 /scost1 /nargs args_abs size_map cpriceE //.
by congr (_ + _ * _)%N; apply: ccountE => // ij; rewrite inE.
Qed.

Theorem ccostE p : all wft p -> ccost sh p = scost [seq abs s | s <- p].
Proof.
elim: p => [|s p IH] /=; first by rewrite /scost big_nil.
by case/andP=> ws wp; rewrite scost_cons -ccost1E // -IH.
Qed.
End Abstract.
