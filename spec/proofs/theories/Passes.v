(** * Passes: laws about statements
    A program is its equations, so a change that keeps the contributions at the
    solution keeps the meaning ([eval_replace]).  The laws of Rewrite.v change a
    single term in this way ([rewrite_term]); the laws below also use what the
    other statements say.                                                     *)
From mathcomp Require Import all_ssreflect all_algebra.
From TL Require Import Syntax Semantics Equations Statements.
Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.
Import GRing.Theory.
Local Open Scope ring_scope.

Section Passes.
Variables (P : Type) (M : model P) (V : finType) (Ix : V -> finType).
Notation term := (term P Ix).
Notation prog := (prog P Ix).
Notation store := (store Ix M).
Implicit Types (p q : prog) (t : term) (x z : store).

(** ** The principle *)
Theorem eval_replace p q x :
  ssa p -> ssa q -> total q (eval p x) = total p (eval p x) -> eval q x = eval p x.
Proof.
move=> sp sq e; symmetry; apply: solution_unique => //.
by rewrite /solves e; apply: eval_solves.
Qed.

(** a term may be replaced by terms that contribute the same *)
Lemma replace_terms p1 p2 (l l' : prog) x :
  let p := p1 ++ l ++ p2 in
  ssa p -> ssa (p1 ++ l' ++ p2) -> total l' (eval p x) = total l (eval p x) ->
  eval (p1 ++ l' ++ p2) x = eval p x.
Proof. by move=> p sp sq e; apply: eval_replace => //; rewrite !total_cat e. Qed.

(** rewrite-term: same tensor and summed index, other guard and body.  The
    bodies need to agree only where the guard holds.                          *)
Lemma rewrite_term (t : term) g h n (fs : seq (factor P Ix (Ix (out t)) (dom t))) z :
  (forall i j, holds t i j = g i j && h i j) ->
  (forall i j, holds t i j ->
     \prod_(f <- facs t) fval z f i j = \prod_(f <- fs) fval z f i j) ->
  contrib t z = contrib (@Term P V Ix (out t) (dom t) g h n fs) z.
Proof.
move=> eg ef; apply: eq_single => i; rewrite /rhs.
rewrite (eq_bigr _ (fun j => @ef i j)); apply: eq_bigl => j; exact: eg.
Qed.

(** ** A term that adds nothing may go *)
(** drop-false-term *)
Lemma contrib_false t z : (forall i j, holds t i j = false) -> contrib t z = 0.
Proof.
move=> f; apply/ffunP=> c; rewrite !ffunE big1 // => i _.
by rewrite /rhs big_pred0.
Qed.

(** ** drop-dead: statements that the others do not read *)
Theorem drop_dead (live dead p : prog) x c :
  ssa p -> ssa live -> (forall z : store, total p z = total live z + total dead z) ->
  (forall t, List.In t live -> reads_in (predC (written dead)) t) ->
  ~~ written dead c -> eval p x c = eval live x c.
Proof.
move=> sp sl e rl nc; set z := eval p x.
have zE : z = x + (total live z + total dead z) by rewrite -e; apply: eval_solves.
have zc d : ~~ written dead d -> z d = (x + total live z) d.
  by move=> nd; rewrite {1}zE !ffunE (total_out _ nd) addr0.
rewrite (zc _ nc) -(solution_unique sl (z := x + total live z)) //.
by congr (_ + _); apply: total_agree rl zc.
Qed.

(** ** The value of a tensor with one statement *)
Lemma own_value t p x (i : Ix (out t)) :
  ssa p -> (exists p', (forall z : store, total p z = contrib t z + total p' z) /\
                       out t \notin outs p') ->
  get x i = 0 -> get (eval p x) i = rhs (eval p x) i.
Proof.
move=> sp [p' [e nt]] x0; rewrite {1}(eval_solves x sp) e !getD x0 add0r get_single.
rewrite /get total_out ?addr0 //; apply: contra nt => /written_outs; exact.
Qed.

(** ** share: two statements with the same right-hand side define the same tensor,
    so an access to one may become an access to the other.                    *)
Theorem share t u p x (i : Ix (out t)) (k : Ix (out u)) :
  ssa p ->
  (exists p', (forall z : store, total p z = contrib t z + total p' z) /\ out t \notin outs p') ->
  (exists p', (forall z : store, total p z = contrib u z + total p' z) /\ out u \notin outs p') ->
  get x i = 0 -> get x k = 0 -> (forall z : store, rhs z i = rhs z k) ->
  get (eval p x) i = get (eval p x) k.
Proof. by move=> sp ht hu xi xk e; rewrite (own_value sp ht xi) (own_value sp hu xk). Qed.

(** ** reuse: where the right-hand side of an entry is a primitive of accesses, that
    primitive, wherever it stands, is a read of the entry.                    *)
Theorem reuse t p x (k : Ix (out t)) I J (f : P) (l : seq (access Ix I J)) (a : access Ix I J) i j :
  ssa p ->
  (exists p', (forall z : store, total p z = contrib t z + total p' z) /\ out t \notin outs p') ->
  get x k = 0 ->
  (forall z : store, rhs z k = fval z (Ap f l) i j) ->
  (forall z : store, aval z a i j = get z k) ->
  fval (eval p x) (Ap f l) i j = fval (eval p x) (Rd a) i j.
Proof. by move=> sp ht xk e ea; rewrite -e -(own_value sp ht xk) -ea. Qed.

(** ** apply-once: an entry whose right-hand side is a function of that of another entry
    is this function of it, so readers that apply it may read instead; drop-dead
    takes away the other.                                                     *)
Theorem apply_once t u p x (i : Ix (out t)) (k : Ix (out u)) f :
  ssa p ->
  (exists p', (forall z : store, total p z = contrib t z + total p' z) /\ out t \notin outs p') ->
  (exists p', (forall z : store, total p z = contrib u z + total p' z) /\ out u \notin outs p') ->
  get x i = 0 -> get x k = 0 -> (forall z : store, rhs z k = f (rhs z i)) ->
  get (eval p x) k = f (get (eval p x) i).
Proof. by move=> sp ht hu xi xk e; rewrite (own_value sp ht xi) (own_value sp hu xk). Qed.

(** ** compose-gather: an access through a pure gather  y[i] = [g i] x[phi i]  is
    an access of what it gathers, where its guard holds.                      *)
Theorem compose_gather t v (phi : Ix (out t) -> Ix v) (g : pred (Ix (out t))) p x i :
  ssa p ->
  (exists p', (forall z : store, total p z = contrib t z + total p' z) /\ out t \notin outs p') ->
  get x i = 0 ->
  (forall z : store, rhs z (t := t) i = (g i)%:R * get z (phi i)) ->
  get (eval p x) i = (g i)%:R * get (eval p x) (phi i).
Proof. by move=> sp ht xi e; rewrite (own_value sp ht xi) e. Qed.
(** the statement of a gather has that right-hand side *)
Lemma gather_rhs v w (phi : Ix w -> Ix v) (g : pred (Ix w)) (z : store) (i : Ix w) :
  @rhs P M V Ix z (@Term P V Ix w [finType of unit] (fun i _ => g i) (fun _ _ => true) (fun _ _ => 0%N)
    [:: Rd (@Access V Ix _ _ v (fun i _ => phi i))]) i = (g i)%:R * get z (phi i).
Proof.
rewrite /rhs /holds /=; case: (g i); last by rewrite big_pred0 ?mul0r.
by rewrite (big_pred1 tt) => [|[]] //; rewrite big_seq1 mul1r.
Qed.
(** the same for index tensors, which are functions here: p[q[a]] = p[b(a)] where q = b *)
Lemma compose_index (I J : finType) v (A : Type) (p : A -> Ix v) (q b : A -> A) (a : I -> J -> A) (z : store) i j :
  q =1 b ->
  aval z (@Access V Ix I J v (fun i j => p (q (a i j)))) i j =
  aval z (@Access V Ix I J v (fun i j => p (b (a i j)))) i j.
Proof. by move=> e; rewrite /aval /= e. Qed.
(** an access may be replaced by one of the same value, in any factor *)
Lemma replace_access I J (a b : access Ix I J) (g : P) l1 l2 z i j :
  aval z a i j = aval z b i j ->
  fval z (Rd a) i j = fval z (Rd b) i j :> M /\
  fval z (Ap g (l1 ++ a :: l2)) i j = fval z (Ap g (l1 ++ b :: l2)) i j.
Proof. by move=> e; split=> //=; rewrite !map_cat /= e. Qed.

(** ** fold-constants: a primitive of constants is a constant *)
Theorem fold_constants I J (g h : P) (cs : seq P) (l : seq (access Ix I J)) z i j :
  [seq aval z a i j | a <- l] = [seq prm (m := M) c [::] | c <- cs] ->
  prm g [seq prm (m := M) c [::] | c <- cs] = prm h [::] ->
  fval z (Ap g l) i j = fval z (Ap h [::]) i j :> M.
Proof. by move=> /= -> ->. Qed.
End Passes.
