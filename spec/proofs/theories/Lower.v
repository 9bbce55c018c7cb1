(** * Lower: a surface language (constants, reads, sums, brackets, products,
    primitives of one and two arguments) and its translation to the normal form
    (bodies of one operation on at most two accesses), with correctness and
    sparse cost.                                                             *)
From mathcomp Require Import all_ssreflect all_algebra.
From TL Require Import Syntax Semantics Cost Fresh.
Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.
Import GRing.Theory.
Local Open Scope ring_scope.

(** ** The surface language.  [expr I]: an expression with free indices [I].  *)
Section Surface.
Variables (P : Type) (V0 : finType) (Ix0 : V0 -> finType).

Inductive expr : finType -> Type :=
| Const (I : finType) of P : expr I
| Read  (I : finType) (v : V0) of (I -> Ix0 v) : expr I
| Add   (I : finType) of expr I & expr I : expr I
| Mul   (I : finType) of expr I & expr I : expr I
| Brack (I : finType) of (I -> bool) & expr I : expr I
| Sum   (I : finType) (J : finType) of expr [finType of (I * J)%type] : expr I
| Prim1 (I : finType) of P & expr I : expr I
| Prim2 (I : finType) of P & expr I & expr I : expr I.

Section Den.
Variable M : model P.
Fixpoint den (I : finType) (e : expr I) (x : store Ix0 M) : I -> M :=
  match e in expr I return I -> M with
  | Const _ g => fun _ => @prm P M g [::]
  | Read _ v phi => fun i => get x (phi i)
  | Add _ a b => fun i => den a x i + den b x i
  | Mul _ a b => fun i => den a x i * den b x i
  | Brack _ p a => fun i => (p i)%:R * den a x i
  | Sum _ J a => fun i => \sum_(j : J) den a x (i, j)
  | Prim1 _ g a => fun i => @prm P M g [:: den a x i]
  | Prim2 _ g a b => fun i => @prm P M g [:: den a x i; den b x i]
  end.
End Den.

(** where an expression may be non-zero, read off its brackets *)
Fixpoint supp (I : finType) (e : expr I) : I -> bool :=
  match e in expr I return I -> bool with
  | Brack _ p a => fun i => p i && supp a i
  | Mul _ a b => fun i => supp a i && supp b i
  | Add _ a b => fun i => supp a i || supp b i
  | _ => fun _ => true
  end.

(** sparse cost of evaluating [e] at one point, by direct recursion *)
Fixpoint ecost (I : finType) (e : expr I) : I -> nat :=
  match e in expr I return I -> nat with
  | Const _ _ => fun _ => 1%N
  | Read _ _ _ => fun _ => 1%N
  | Add _ a b => fun i => (ecost a i + ecost b i + 1)%N
  | Mul _ a b => fun i => (ecost a i + ecost b i + 1)%N
  | Brack _ p a => fun i => if p i then (ecost a i + 1)%N else 0%N
  | Sum _ J a => fun i =>
      (\sum_(j : J) (ecost a (i, j) + supp a (i, j)))%N
  | Prim1 _ _ a => fun i => (ecost a i + 1)%N
  | Prim2 _ _ a b => fun i => (ecost a i + ecost b i + 1)%N
  end.

Lemma den_supp (M : model P) (I : finType) (e : expr I) (x : store Ix0 M) i :
  ~~ supp e i -> den e x i = 0.
Proof.
elim: e i => //= {}I.
- move=> a IHa b IHb i; rewrite negb_or => /andP[na nb].
  by rewrite IHa ?IHb ?addr0.
- move=> a IHa b IHb i; rewrite negb_and => /orP[na|nb].
    by rewrite IHa ?mul0r.
  by rewrite IHb ?mulr0.
- move=> p a IHa i; case: (p i) => /= na; last by rewrite mul0r.
  by rewrite IHa ?mulr0.
Qed.

(** ** Lowering *)
Record st := St { sV : finType; sIx : sV -> finType; sp : prog P sIx }.
(** a tensor of the state, read through an index map *)
Record addr (I : finType) (s : st) := Ad { av : sV s; aphi : I -> sIx av }.
Record res (I : finType) (s : st) := Res {
  rs    : st;
  up    : forall R, store (@sIx s) R -> store (@sIx rs) R;
  carry : forall J, addr J s -> addr J rs;
  tgt   : addr I rs }.

Definition fresh (s : st) (T : finType) : extV (sV s) -> finType := ext (@sIx s) T.
(** a read of an old tensor by a statement that defines the fresh one *)
Definition rda (s : st) (T I J : finType) (a : addr I s) (h : T -> J -> I)
  : access (@fresh s T) T J := @Access _ (@fresh s T) T J (Some (av a)) (fun i j => aphi a (h i j)).
(** fresh[i] += sum_j [g i j] prod fs *)
Definition put (s : st) (T J : finType) (g : T -> J -> bool)
  (fs : seq (factor P (@fresh s T) T J)) : term P (@fresh s T) :=
  @Term P _ (@fresh s T) None J g (fun _ _ => true) (fun _ _ => 0%N) fs.
Definition push (s : st) (T : finType) (b : prog P (@fresh s T)) : res T s :=
  @Res T s (St ([seq wk T t | t <- sp s] ++ b)) (fun R x => extend x (fun=> 0))
    (fun J a => @Ad J (St ([seq wk T t | t <- sp s] ++ b)) (Some (av a)) (@aphi _ _ a))
    (@Ad T (St ([seq wk T t | t <- sp s] ++ b)) None id).
Definition andthen I J (s : st) (r : res I s) (r' : res J (rs r)) : res J s :=
  @Res J s (rs r') (fun R x => up r' (up r x)) (fun K a => carry r' (carry r a)) (tgt r').

Arguments andthen {I J s} r r'.

Arguments push : simpl never.

Definition here (T : Type) (i : T) (_ : unit) := i.
Definition when (T : Type) (q : T -> bool) (i : T) (_ : unit) := q i.
Notation U := [finType of unit].

(** [lower e q s r]: extend [s] by a tensor that holds [e] at the points of [q];
    [r] says where the tensors of the surface program are.                   *)
Fixpoint lower (I : finType) (e : expr I) :
    (I -> bool) -> forall s, (forall v, addr (Ix0 v) s) -> res I s :=
  match e in expr T return
    (T -> bool) -> forall s, (forall v, addr (Ix0 v) s) -> res T s with
  | Const T g => fun q s r => @push s T [:: @put s T U (when q) [:: Ap g [::]]]
  | Read T v phi => fun q s r =>
      @Res T s s (fun R x => x) (fun J a => a)
        (@Ad T s (av (r v)) (fun i => aphi (r v) (phi i)))
  | Add T a b => fun q s r =>
      let ra := lower a q r in
      let rb := lower b q (fun v => carry ra (r v)) in
      andthen ra (andthen rb (@push (rs rb) T
        [:: @put (rs rb) T U (when q) [:: Rd (rda (carry rb (tgt ra)) (@here T))];
            @put (rs rb) T U (when q) [:: Rd (rda (tgt rb) (@here T))]]))
  | Mul T a b => fun q s r =>
      let ra := lower a q r in
      let rb := lower b q (fun v => carry ra (r v)) in
      andthen ra (andthen rb (@push (rs rb) T
        [:: @put (rs rb) T U (when q)
              [:: Rd (rda (carry rb (tgt ra)) (@here T)); Rd (rda (tgt rb) (@here T))]]))
  | Brack T p a => fun q s r =>
      let qp := fun i => q i && p i in
      let ra := lower a qp r in
      andthen ra (@push (rs ra) T
        [:: @put (rs ra) T U (when qp) [:: Rd (rda (tgt ra) (@here T))]])
  | Sum T J a => fun q s r =>
      let ra := lower a (fun ij => q ij.1) r in
      andthen ra (@push (rs ra) T
        [:: @put (rs ra) T J (fun i j => q i && supp a (i, j))
              [:: Rd (rda (tgt ra) (fun i j => (i, j)))]])
  | Prim1 T g a => fun q s r =>
      let ra := lower a q r in
      andthen ra (@push (rs ra) T
        [:: @put (rs ra) T U (when q) [:: Ap g [:: rda (tgt ra) (@here T)]]])
  | Prim2 T g a b => fun q s r =>
      let ra := lower a q r in
      let rb := lower b q (fun v => carry ra (r v)) in
      andthen ra (andthen rb (@push (rs rb) T
        [:: @put (rs rb) T U (when q)
              [:: Ap g [:: rda (carry rb (tgt ra)) (@here T); rda (tgt rb) (@here T)]]]))
  end.

(** ** Sparse cost of the lowered program *)
Lemma scost_push s (T : finType) (b : prog P (@fresh s T)) :
  scost (sp (rs (push b))) = (scost (sp s) + scost b)%N.
Proof. by rewrite /push /= scost_cat scost_wk. Qed.

Lemma scost_put s (T J : finType) g (fs : seq (factor P (@fresh s T) T J)) :
  scost [:: put g fs] = ((\sum_(i : T) \sum_(j : J) g i j) * (size (args fs)).+1)%N.
Proof.
rewrite /scost big_seq1 /scost1 /nargs /= sum1_card.
have <- : #|visited (put g fs)| = (\sum_(i : T) \sum_(j : J) g i j)%N.
  rewrite -sum1_card big_mkcond pair_bigA /=; apply: eq_bigr => ij _.
  by rewrite inE /=; case: (g _ _).
by rewrite mulnS; congr (_ + #|pred_of_set _| * _)%N; apply/setP=> ij; rewrite !inE /holds /= andbT.
Qed.

Lemma scost_put1 s (T : finType) q (fs : seq (factor P (@fresh s T) T U)) :
  scost [:: put (when q) fs] = ((\sum_(i : T | q i) 1) * (size (args fs)).+1)%N.
Proof.
rewrite scost_put; congr (_ * _)%N; rewrite [RHS]big_mkcond; apply: eq_bigr => i _.
by rewrite (big_pred1 tt) => [|[]] //; rewrite /when; case: (q i).
Qed.
Lemma scost_put2 s (T : finType) (a b : term P (@fresh s T)) :
  scost [:: a; b] = (scost [:: a] + scost [:: b])%N.
Proof. exact: (scost_cat [:: a] [:: b]). Qed.

Lemma arith1 c k S A x n :
  (k <= c -> A <= S + c * x -> A + n * k <= S + c * (x + n))%N.
Proof.
move=> kc hA; rewrite mulnDr addnA leq_add // mulnC.
by rewrite leq_mul2r kc orbT.
Qed.
Lemma arith2 c k S A B x y n :
  (k <= c -> A <= S + c * x -> B <= A + c * y ->
   B + n * k <= S + c * (x + y + n))%N.
Proof.
move=> kc hA hB; apply: arith1 => //; rewrite mulnDr addnA.
by apply: leq_trans hB _; rewrite leq_add2r.
Qed.

(** ** Theorem: lowering keeps the sparse cost, up to a factor 4. *)
Theorem scost_lower (I : finType) (e : expr I) q s (r : forall v, addr (Ix0 v) s) :
  (scost (sp (rs (lower e q r))) <= scost (sp s) + 4 * \sum_(i | q i) ecost e i)%N.
Proof.
elim: e q s r => {}I /=.
- by move=> c q s r; rewrite scost_push scost_put1 muln1 leq_add2l leq_pmull.
- by move=> v phi q s r; rewrite leq_addr.
- move=> a IHa b IHb q s r; rewrite scost_push scost_put2 !scost_put1 -mulnDr.
  by rewrite !big_split; apply: arith2 (IHa _ _ _) (IHb _ _ _).
- move=> a IHa b IHb q s r; rewrite scost_push scost_put1.
  by rewrite !big_split; apply: arith2 (IHa _ _ _) (IHb _ _ _).
- move=> p a IHa q s r; rewrite scost_push scost_put1 -big_mkcondr big_split.
  exact: arith1 (IHa _ _ _).
- move=> J a IHa q s r; rewrite scost_push scost_put.
  under [X in (_ <= _ + 4 * X)%N]eq_bigr do rewrite big_split.
  rewrite big_split /=.
  have -> : (\sum_i \sum_j (q i && supp a (i, j)) =
             \sum_(i | q i) \sum_(j : J) supp a (i, j))%N.
    rewrite [RHS]big_mkcond; apply: eq_bigr => i _.
    by case: (q i) => //=; rewrite big1.
  apply: arith1 => //; apply: leq_trans (IHa _ _ _) _.
  rewrite pair_big_dep /= [X in (_ <= _ + 4 * X)%N](_ : _ =
    (\sum_(ij | q ij.1) ecost a ij)%N) //.
  by apply: eq_big => -[i j] //=; rewrite andbT.
- move=> g a IHa q s r; rewrite scost_push scost_put1 big_split.
  exact: arith1 (IHa _ _ _).
- move=> g a IHa b IHb q s r; rewrite scost_push scost_put1.
  by rewrite !big_split; apply: arith2 (IHa _ _ _) (IHb _ _ _).
Qed.

(** ** Correctness *)
Section Sound.
Variable M : model P.

(** the value of an address in the last store of a state started from [x] *)
Definition val s J (x : store (@sIx s) M) (a : addr J s) (j : J) : M :=
  get (eval (sp s) x) (aphi a j).

(** pushing statements that define only the fresh tensor keeps the old ones *)
Lemma push_carry s (T J : finType) (b : prog P (@fresh s T)) x (a : addr J s) j :
  all [pred t | out t == None] b ->
  val (up (push b) x) (carry (push b) a) j = val x a j.
Proof.
move=> bN; rewrite /val /push /= eval_cat eval_wk eval_outs ?get_extS //.
elim: b bN => //= t b IH /andP[/eqP tN bN]; rewrite inE negb_or IH // andbT.
by rewrite tN.
Qed.

Lemma eval1_put s (T J : finType) g (fs : seq (factor P (@fresh s T) T J))
    (y : store (@sIx s) M) (t : T -> M) :
  eval1 (put g fs) (extend y t) =
  extend y (fun i => t i + \sum_(j | g i j) \prod_(f <- fs) fval (extend y t) f i j).
Proof.
apply/storeP => -[v|] i; rewrite getD ?get_extS ?get_extN.
  by rewrite single_out ?addr0.
rewrite (@get_single _ (@fresh s T) _ None); congr (_ + _).
by apply: eq_bigl => j; rewrite /holds /= andbT.
Qed.
Lemma aval_rda s (T I J : finType) (x : store (@sIx s) M) t (a : addr I s)
    (h : T -> J -> I) i j :
  aval (extend (eval (sp s) x) t) (rda a h) i j = val x a (h i j).
Proof. by rewrite /aval /= get_extS. Qed.
Lemma push_tgt s (T : finType) (b : prog P (@fresh s T)) x i :
  val (up (push b) x) (tgt (push b)) i =
  @get _ (@fresh s T) M (eval b (extend (eval (sp s) x) (fun=> 0))) None i.
Proof. by rewrite /val /push /= eval_cat eval_wk. Qed.
Lemma sum_when1 (T : finType) (q : pred T) (i : T) (F : unit -> M) :
  \sum_(j : unit | when q i j) F j = if q i then F tt else 0.
Proof.
by rewrite /when; case: (q i); [rewrite (big_pred1 tt) // => -[] | rewrite big_pred0].
Qed.

Lemma val_andthen I J s (ra : res I s) (rb : res J (rs ra)) K x (a : addr K s) k :
  val (up (andthen ra rb) x) (carry (andthen ra rb) a) k =
  val (up rb (up ra x)) (carry rb (carry ra a)) k.
Proof. by []. Qed.

(** ** Theorem: lowering preserves meaning. *)
Theorem lower_sound (I : finType) (e : expr I) q s (r : forall v, addr (Ix0 v) s)
    (x : store (@sIx s) M) (x0 : store Ix0 M) :
  (forall v i, val x (r v) i = get x0 i) ->
  (forall J (a : addr J s) j,
     val (up (lower e q r) x) (carry (lower e q r) a) j = val x a j) /\
  (forall i, q i -> val (up (lower e q r) x) (tgt (lower e q r)) i = den e x0 i).
Proof.
elim: e q s r x => {}I /=.
- move=> c q s r x _; split=> [J a j|i qi]; first exact: push_carry.
  by rewrite push_tgt /= eval1_put get_extN sum_when1 qi big_seq1 add0r.
- by move=> v phi q s r x ex; split=> // i _; rewrite -ex.
- move=> a IHa b IHb q s r x ex.
  have [ca ta] := IHa q s r x ex.
  have ex' v i : val (up (lower a q r) x) (carry (lower a q r) (r v)) i = get x0 i.
    by rewrite ca.
  have [cb tb] := IHb q _ _ _ ex'; split=> [J d j|i qi].
    by rewrite push_carry // cb ca.
  rewrite push_tgt /= !eval1_put get_extN !sum_when1 qi !big_seq1 /= !aval_rda.
  by rewrite add0r cb ta // tb.
- move=> a IHa b IHb q s r x ex.
  have [ca ta] := IHa q s r x ex.
  have ex' v i : val (up (lower a q r) x) (carry (lower a q r) (r v)) i = get x0 i.
    by rewrite ca.
  have [cb tb] := IHb q _ _ _ ex'; split=> [J d j|i qi].
    by rewrite push_carry // cb ca.
  rewrite push_tgt /= !eval1_put get_extN !sum_when1 qi big_cons big_seq1 /= !aval_rda.
  by rewrite add0r cb ta // tb.
- move=> p a IHa q s r x ex; have [ca ta] := IHa (fun i => q i && p i) s r x ex.
  split=> [J d j|i qi]; first by rewrite push_carry // ca.
  rewrite push_tgt /= eval1_put get_extN sum_when1 qi big_seq1 /= aval_rda add0r.
  by case pi: (p i); rewrite ?mul0r // mul1r ta ?qi ?pi.
- move=> J a IHa q s r x ex; have [ca ta] := IHa (fun ij => q ij.1) s r x ex.
  split=> [K d k|i qi]; first by rewrite push_carry // ca.
  rewrite push_tgt /= eval1_put get_extN qi /= add0r big_mkcond; apply: eq_bigr => j _.
  rewrite big_seq1 /= aval_rda ta //.
  by case: ifP => // /negbT /den_supp ->.
- move=> g a IHa q s r x ex; have [ca ta] := IHa q s r x ex.
  split=> [K d k|i qi]; first by rewrite push_carry // ca.
  by rewrite push_tgt /= eval1_put get_extN sum_when1 qi big_seq1 /= aval_rda add0r ta.
- move=> g a IHa b IHb q s r x ex.
  have [ca ta] := IHa q s r x ex.
  have ex' v i : val (up (lower a q r) x) (carry (lower a q r) (r v)) i = get x0 i.
    by rewrite ca.
  have [cb tb] := IHb q _ _ _ ex'; split=> [J d j|i qi].
    by rewrite push_carry // cb ca.
  rewrite push_tgt /= eval1_put get_extN sum_when1 qi big_seq1 /= !aval_rda add0r.
  by rewrite cb ta // tb.
Qed.
End Sound.
End Surface.
