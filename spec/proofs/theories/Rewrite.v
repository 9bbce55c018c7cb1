(** * Rewrite: the laws of Iverson brackets preserve meaning
    Each law stands under its name; rules.txt maps the names of the rules to the
    lemmas.  Laws about statements (share, drop-dead, compose-gather, ..) are in
    Passes.v, the general theory of index maps at the end of this file.       *)
From mathcomp Require Import all_ssreflect all_algebra.
Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.
Import Order.Theory GRing.Theory Num.Theory.
Local Open Scope ring_scope.

Section Rules.
Variable R : comRingType.
Implicit Types (I J K : finType).

(** the Iverson bracket *)
Notation "'⟦' b '⟧'" := ((b : bool)%:R : R) (at level 0, b at level 99).

(** ** Algebra of brackets *)
(** absorb-true *)
Lemma absorb_true (e : R) : ⟦true⟧ * e = e. Proof. exact: mul1r. Qed.
(** contradiction *)
Lemma absurd_guard (p : bool) (e : R) : (p -> False) -> ⟦p⟧ * e = 0.
Proof. by case: p => [[]|_] //; rewrite mul0r. Qed.
(** zero *)
Lemma zero_laws (e : R) : [/\ 0 * e = 0, e * 0 = 0, 0 + e = e & e + 0 = e].
Proof. by rewrite mul0r mulr0 add0r addr0. Qed.
(** one, with a quotient and a power *)
Lemma one_laws (U : comUnitRingType) (e : U) :
  [/\ 1 * e = e, e * 1 = e, e / 1 = e, e ^+ 1 = e & 0 + e = e].
Proof. by rewrite mul1r mulr1 divr1 expr1 add0r. Qed.
(** merge-guards *)
Lemma merge_guards (p q : bool) (e : R) :
  ⟦p⟧ * (⟦q⟧ * e) = ⟦p && q⟧ * e /\ ⟦q⟧ * (⟦p⟧ * e) = ⟦p && q⟧ * e.
Proof. by split; last rewrite mulrCA; rewrite mulrA -natrM mulnb. Qed.
Lemma iverson_and (p q : bool) : ⟦p⟧ * ⟦q⟧ = ⟦p && q⟧.
Proof. by rewrite -natrM mulnb. Qed.
(** merge-guards, the same guard twice *)
Lemma iverson_idem (p : bool) : ⟦p⟧ * ⟦p⟧ = ⟦p⟧.
Proof. by rewrite iverson_and andbb. Qed.
(** implied-guard *)
Lemma implied_guard (p q : bool) (e : R) : (p -> q) -> ⟦p⟧ * (⟦q⟧ * e) = ⟦p⟧ * e.
Proof. by case: p => [->|_]; rewrite ?mul0r ?mul1r. Qed.
(** split-or: disjoint parts, so that no point is counted twice *)
Lemma split_or (p q : bool) (e : R) : ⟦p || q⟧ * e = ⟦p⟧ * e + ⟦~~ p && q⟧ * e.
Proof. by case: p; rewrite /= ?mul0r ?addr0 ?add0r. Qed.
Lemma iverson_or (p q : bool) : ⟦p || q⟧ = ⟦p⟧ + ⟦q⟧ - ⟦p && q⟧.
Proof. by case: p; case: q; rewrite /= ?mulr1n ?mulr0n ?addrK ?subr0 ?addr0 ?add0r. Qed.
Lemma iverson_neg (p : bool) : ⟦~~ p⟧ = 1 - ⟦p⟧.
Proof. by case: p; rewrite ?subr0 ?subrr. Qed.
(** like-terms *)
Lemma like_terms (a b e : R) : a * e + b * e = (a + b) * e.
Proof. by rewrite mulrDl. Qed.
(** like-terms, complementary guards: the conditional *)
Lemma iverson_if (p : bool) (e f : R) :
  (if p then e else f) = ⟦p⟧ * e + ⟦~~ p⟧ * f.
Proof. by case: p; rewrite !(mul1r, mul0r) ?addr0 ?add0r. Qed.
Lemma complementary (p : bool) (e : R) : ⟦p⟧ * e + ⟦~~ p⟧ * e = e.
Proof. by rewrite -iverson_if; case: p. Qed.
(** guard-scope: a bracket protects the expression that it multiplies *)
Lemma iverson_guard (p : bool) (e f : R) :
  (p -> e = f) -> ⟦p⟧ * e = ⟦p⟧ * f.
Proof. by case: p => [->|]; rewrite ?mul0r. Qed.
(** substitute-equality: replacement under an equality bracket *)
Lemma iverson_subst I (i j : I) (e : I -> R) : ⟦i == j⟧ * e i = ⟦i == j⟧ * e j.
Proof. by apply: iverson_guard => /eqP ->. Qed.

(** ** Brackets and sums *)
(** guard-as-range: a bracket inside a sum selects the points of the sum *)
Lemma sum_iverson I (p : pred I) (e : I -> R) :
  \sum_i ⟦p i⟧ * e i = \sum_(i | p i) e i.
Proof.
by rewrite [RHS]big_mkcond; apply: eq_bigr => i _; case: (p i); rewrite ?mul1r ?mul0r.
Qed.
Lemma nat_iverson m n (p : pred nat) (e : nat -> R) :
  \sum_(m <= i < n) ⟦p i⟧ * e i = \sum_(m <= i < n | p i) e i.
Proof.
by rewrite [RHS]big_mkcond; apply: eq_bigr => i _; case: (p i); rewrite ?mul1r ?mul0r.
Qed.
(** restrict-support: a factor that is 0 where none of some disjoint propositions
    holds restricts its product to them *)
Lemma restrict_support (K : finType) (q : pred K) (t e : R) :
  (forall k k', q k -> q k' -> k = k') -> ((forall k, ~~ q k) -> t = 0) ->
  t * e = \sum_k ⟦q k⟧ * (t * e).
Proof.
move=> apart zero; rewrite sum_iverson; case: (pickP q) => [k qk|none].
  by rewrite (big_pred1 k) // => k' /=; apply/idP/eqP => [qk'|->//]; apply: apart.
by rewrite big_pred0 // zero ?mul0r // => k; rewrite none.
Qed.
(** sift: elimination of a bound variable *)
Lemma sum_delta I (j : I) (e : I -> R) : \sum_i ⟦i == j⟧ * e i = e j.
Proof. by rewrite sum_iverson big_pred1_eq. Qed.
Lemma sum_delta' I (j : I) (e : I -> R) : \sum_i ⟦j == i⟧ * e i = e j.
Proof. by under eq_bigr do rewrite eq_sym; apply: sum_delta. Qed.
(** sift, between different ranges: the range of the variable stays as a guard.
    Index expressions are integers. *)
Lemma nat_sift (n k : nat) (e : nat -> R) :
  \sum_(0 <= i < n) ⟦i == k⟧ * e i = ⟦k < n⟧%N * e k.
Proof.
rewrite nat_iverson; case: ltnP => [kn|nk]; last first.
  rewrite mul0r big_seq_cond big_pred0 // => i; rewrite mem_index_iota /=.
  by apply/negP => /andP[lt /eqP e']; move: lt; rewrite e' ltnNge nk.
rewrite mul1r -big_filter (@filter_pred1_uniq _ (index_iota 0 n) k) ?iota_uniq ?big_seq1 //.
by rewrite mem_index_iota.
Qed.
Lemma sift (n : nat) (a : int) (e : int -> R) :
  \sum_(0 <= i < n) ⟦i%:Z == a⟧ * e i%:Z = ⟦(0 <= a) && (a < n%:Z)⟧ * e a.
Proof.
case: a => k; first by rewrite -(nat_sift n k (fun i => e i%:Z)).
by rewrite mul0r big1 // => i _; rewrite mul0r.
Qed.
(** drop-empty-sum *)
Lemma drop_empty_sum (m n : nat) (e : nat -> R) : (n <= m)%N -> \sum_(m <= i < n) e i = 0.
Proof. exact: big_geq. Qed.
Lemma sum_false I (e : I -> R) : \sum_i ⟦false⟧ * e i = 0.
Proof. by rewrite big1 // => i _; rewrite mul0r. Qed.
(** tighten-range: bounds in the guard become bounds of the sum *)
Lemma tighten_range (n lo hi : nat) (p : pred nat) (e : nat -> R) :
  \sum_(0 <= i < n) ⟦(lo <= i < hi)%N && p i⟧ * e i =
  \sum_(lo <= i < minn n hi) ⟦p i⟧ * e i.
Proof.
rewrite !nat_iverson big_seq_cond [RHS]big_seq_cond -!(big_filter _ (fun i => _ && _)).
apply: perm_big; apply: uniq_perm; rewrite ?filter_uniq ?iota_uniq // => i.
rewrite !mem_filter !mem_index_iota leq_min /=.
by case: (p i); case: (lo <= i)%N; case: (i < n)%N; case: (i < hi)%N; rewrite ?andbF.
Qed.
(** hoist-invariant: what does not depend on the bound variable leaves the sum,
    with its guard *)
Lemma sum_hoist I (a : R) (e : I -> R) : \sum_i a * e i = a * \sum_i e i.
Proof. by rewrite mulr_sumr. Qed.
Lemma hoist_invariant I (p : bool) (q : pred I) (a : R) (e : I -> R) :
  \sum_i ⟦p && q i⟧ * (a * e i) = ⟦p⟧ * (a * \sum_i ⟦q i⟧ * e i).
Proof.
rewrite mulrA mulr_sumr; apply: eq_bigr => i _.
by rewrite -iverson_and mulrACA.
Qed.
(** constant-sum: nothing depends on the bound variable *)
Lemma constant_sum (n : nat) (p : bool) (e : R) :
  \sum_(0 <= i < n) ⟦p⟧ * e = ⟦p && (0 < n)%N⟧ * (n%:R * e).
Proof.
rewrite big_const_nat subn0 iter_addr_0 -mulr_natl.
by case: n => [|n]; rewrite ?andbF ?mul0r // andbT mulrCA.
Qed.
(** inline-terms: a factor that is a sum of guarded terms.  Where at most one of
    the guards holds at a point, no more points are visited.                   *)
Lemma inline_terms (p : bool) (c e : R) (l : seq (bool * R)) :
  ⟦p⟧ * (c * (\sum_(t <- l) ⟦t.1⟧ * t.2) * e) = \sum_(t <- l) ⟦p && t.1⟧ * (c * t.2 * e).
Proof.
rewrite mulr_sumr mulr_suml mulr_sumr; apply: eq_bigr => t _.
by rewrite -iverson_and -!mulrA; congr (_ * _); rewrite mulrCA.
Qed.
Lemma inline_points (p : bool) (l : seq bool) :
  (count id l <= 1)%N -> (\sum_(q <- l) (p && q) <= p)%N.
Proof.
by case: p => /= [|_]; rewrite -?big_mkcond ?sum1_count ?big1_eq // -sum1_count big_mkcond.
Qed.
(** drop-axis: a tensor t that is 0 but at one index of an axis is a tensor u
    without the axis; a reader that multiplies by t is restricted to there      *)
Lemma drop_axis I (p q : bool) (c a : I) (f : I -> R) (t : I -> R) (u e : R) :
  (forall j, t j = ⟦q && (j == a)⟧ * f j) -> u = ⟦q⟧ * f a ->
  ⟦p⟧ * (t c * e) = ⟦[&& p, q & c == a]⟧ * (u * e).
Proof.
move=> -> ->; case: p; case: q; rewrite ?mul0r ?mulr0 ?mul1r //=.
by rewrite -mulrA; apply: (iverson_subst c a (fun j => f j * e)).
Qed.
(** constant-state: steps from the first one on, counted from there             *)
Lemma constant_state (t : nat -> R) (e : R) :
  (forall s, t s = ⟦s == 0%N⟧ * e + ⟦(0 < s)%N⟧ * t s.-1) -> forall s, t s = e.
Proof.
move=> step; elim=> [|s IH]; rewrite step /= ?mul1r ?mul0r ?addr0 ?add0r //.
Qed.
(** reuse-quotient: one factor and one divisor are an entry, by `reuse` *)
Lemma reuse_quotient (U : comUnitRingType) (p : bool) (c a d e t : U) :
  t = a / d -> p%:R * (c * a * e / d) = p%:R * (c * t * e).
Proof. by move=> ->; rewrite !mulrA [_ / d * e]mulrAC. Qed.
(** swap-sums, split-sum, pair-sums *)
Lemma sum_swap I J (e : I -> J -> R) : \sum_i \sum_j e i j = \sum_j \sum_i e i j.
Proof. exact: exchange_big. Qed.
Lemma sum_split I (e f : I -> R) : \sum_i (e i + f i) = \sum_i e i + \sum_i f i.
Proof. exact: big_split. Qed.
Lemma sum_pair I J (e : I -> J -> R) :
  \sum_i \sum_j e i j = \sum_(ij : I * J) e ij.1 ij.2.
Proof. exact: pair_bigA. Qed.

(** ** Solving index equations *)
(** an equation that says  i = a  where  g  holds, and nothing else            *)
Lemma solve (n : nat) (a : int) (g : bool) (eqn : nat -> bool) (e : int -> R) :
  (forall i : nat, eqn i = g && (i%:Z == a)) ->
  \sum_(0 <= i < n) ⟦eqn i⟧ * e i%:Z = ⟦[&& g, 0 <= a & a < n%:Z]⟧ * e a.
Proof.
move=> eE; rewrite -[X in ⟦X⟧]/(g && _) -iverson_and -mulrA -sift mulr_sumr.
by apply: eq_bigr => i _; rewrite eE mulrA iverson_and.
Qed.
(** solve-equality, unit coefficients *)
Lemma solve_equality (n : nat) (c k : int) (e : int -> R) :
  \sum_(0 <= i < n) ⟦k == i%:Z + c⟧ * e i%:Z = ⟦(c <= k) && (k - c < n%:Z)⟧ * e (k - c).
Proof.
rewrite (@solve n (k - c) true) => [|i]; first by rewrite /= subr_ge0.
by rewrite andTb [RHS]eq_sym subr_eq.
Qed.
(** solve-reflection *)
Lemma solve_reflect (n : nat) (c k : int) (e : int -> R) :
  \sum_(0 <= i < n) ⟦k + i%:Z == c⟧ * e i%:Z = ⟦(k <= c) && (c - k < n%:Z)⟧ * e (c - k).
Proof.
by rewrite -solve_equality; apply: eq_bigr => i _; rewrite eq_sym addrC.
Qed.
(** divisibility: coefficient a *)
Lemma divisibility (n : nat) (a k : int) (e : int -> R) : a != 0 ->
  \sum_(0 <= i < n) ⟦k == a * i%:Z⟧ * e i%:Z =
  ⟦[&& (a %| k)%Z, 0 <= (k %/ a)%Z & (k %/ a)%Z < n%:Z]⟧ * e (k %/ a)%Z.
Proof.
move=> a0; apply: solve => i; apply/eqP/andP => [->|[ak /eqP ->]].
  by rewrite dvdz_mulr // mulKz.
by rewrite mulrC divzK.
Qed.
(** divide-by-constant: a quotient leaves a segment; quotient and remainder are the
    coordinates of an index *)
Lemma solve_divmod (d q r k : int) : 0 < d ->
  ((k %/ d)%Z == q) = (d * q <= k) && (k < d * q + d) /\
  (0 <= r < d -> (k == q * d + r) = (q == (k %/ d)%Z) && (r == (k %% d)%Z)).
Proof.
move=> d0; have d1 : d != 0 by rewrite gt_eqF.
have dM s : 0 <= s < d -> (s %/ d)%Z = 0 by move=> h; rewrite divz_small // gtz0_abs.
split=> [|rd].
  apply/eqP/andP => [<-|[lo hi]].
    rewrite mulrC lez_floor // -ltr_subl_addl {1}(divz_eq k d) addrAC subrr add0r.
    by split=> //; rewrite ltz_pmod.
  have -> : k = q * d + (k - d * q) by rewrite mulrC addrCA subrr addr0.
  by rewrite divzMDl // dM ?addr0 // subr_ge0 lo ltr_subl_addl.
apply/eqP/andP => [->|[/eqP -> /eqP ->]]; last exact: divz_eq.
by rewrite divzMDl // dM // addr0 modzMDl modz_small // gtz0_abs.
Qed.

(** fold-quotient: the multiples of the divisor come out *)
Lemma fold_quotient (d q r : int) : d != 0 ->
  ((d * q + r) %/ d)%Z = q + (r %/ d)%Z /\ ((d * q + r) %% d)%Z = (r %% d)%Z.
Proof. by move=> d0; rewrite mulrC divzMDl // modzMDl. Qed.

(** ** Index maps in general *)
(** rename: a bijection *)
Lemma sum_bij I K (phi : I -> K) (e : K -> R) :
  bijective phi -> \sum_i e (phi i) = \sum_k e k.
Proof. by case=> psi h1 h2; rewrite [RHS](reindex phi) //; exists psi => k _. Qed.
(** solve-by-inverse: a partial inverse of phi leaves no loop over i           *)
Lemma sum_pinv I K (phi : I -> K) (psi : K -> option I) (e : I -> R) (k : K) :
  (forall i, (phi i == k) = (psi k == Some i)) ->
  \sum_i ⟦k == phi i⟧ * e i = oapp e 0 (psi k).
Proof.
move=> inv; rewrite sum_iverson; under eq_bigl do rewrite eq_sym inv.
case: (psi k) => [i|] /=; last by rewrite big_pred0.
by rewrite (big_pred1 i) // => i'; rewrite eq_sym.
Qed.
(** fibre: the points that an arbitrary index map sends to k *)
Lemma sum_fibre I J K (p : I -> J -> bool) (phi : I -> J -> K)
    (e : I -> J -> R) (k : K) :
  \sum_i \sum_j ⟦p i j⟧ * (⟦k == phi i j⟧ * e i j) =
  \sum_(ij in [set ij : I * J | p ij.1 ij.2 & phi ij.1 ij.2 == k]) e ij.1 ij.2.
Proof.
rewrite pair_bigA /=; under eq_bigr do rewrite mulrA iverson_and.
under [RHS]eq_bigl do rewrite inE eq_sym.
exact: (sum_iverson (fun ij => p ij.1 ij.2 && (k == phi ij.1 ij.2))).
Qed.
(** the fibres are a partition: visiting them all visits every point once *)
Lemma sum_partition I K (phi : I -> K) (e : I -> R) :
  \sum_k \sum_i ⟦k == phi i⟧ * e i = \sum_i e i.
Proof.
rewrite exchange_big; apply: eq_bigr => i _ /=.
by rewrite (sum_delta (phi i) (fun=> e i)).
Qed.
(** scatter: a loop that adds to out[phi i] computes the sums over the fibres *)
Definition scatter I K (phi : I -> K) (e : I -> R) (l : seq I) (t : K -> R) : K -> R :=
  foldl (fun t i k => if k == phi i then t k + e i else t k) t l.
Lemma scatterE I K (phi : I -> K) (e : I -> R) (l : seq I) (t : K -> R) k :
  scatter phi e l t k = t k + \sum_(i <- l | k == phi i) e i.
Proof.
elim: l t => [|i l IH] t /=; first by rewrite big_nil addr0.
by rewrite IH big_cons; case: ifP => _; rewrite ?addrA.
Qed.
Lemma scatter_gather I K (phi : I -> K) (e : I -> R) k :
  scatter phi e (enum I) (fun=> 0) k = \sum_i ⟦k == phi i⟧ * e i.
Proof. by rewrite scatterE add0r sum_iverson big_enum_cond; apply: eq_bigl. Qed.

(** transpose-contraction: x[g] = sum_(s,a,b) [p] y[a] z[b].  Its adjoint, after
    sifting [a], is the same contraction with the classes of [g] and [a]
    exchanged.                                                               *)
Lemma contraction_adjoint (G S A B : finType) (p : G -> S -> A -> B -> bool)
    (u : G -> R) (z : B -> R) (a0 : A) :
  \sum_g \sum_s \sum_a \sum_b ⟦p g s a b && (a0 == a)⟧ * (u g * z b) =
  \sum_s \sum_g \sum_b ⟦p g s a0 b⟧ * (u g * z b).
Proof.
rewrite exchange_big; apply: eq_bigr => s _; apply: eq_bigr => g _ /=.
rewrite -[RHS](sum_delta' a0 (fun a => \sum_b ⟦p g s a b⟧ * (u g * z b))).
apply: eq_bigr => a _; rewrite mulr_sumr; apply: eq_bigr => b _.
by rewrite [RHS]mulrA iverson_and [_ && (a0 == a)]andbC.
Qed.
End Rules.
