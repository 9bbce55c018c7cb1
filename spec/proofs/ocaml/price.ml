(* What a term costs at a point, by its text (specification, chapter 3, Work): which
   conjuncts of its guard are enumerated, what the others cost, what its body reads. What a
   point loads is loaded once, whether tests or the body read it. *)
open Program

(* Reads of index tensors, and the distinct accesses to real tensors, in a text. *)
let rec in_index found { summands; _ } = List.fold_left (fun f (_, a) -> in_atom f a) found summands
and in_atom found = function
  | Size _ | Var _ -> found
  | Read (_, l) ->
    let reads, accesses = List.fold_left in_index found l in
    (reads + 1, accesses)
  | Div (i, _) | Mod (i, _) -> in_index found i
  | Floor e -> in_expr found e
  | If (g, a, b) -> in_index (in_index (in_guard found g) a) b
and in_guard found = function
  | Compare (_, a, b) -> in_index (in_index found a) b
  | Real (_, a, b) -> in_expr (in_expr found a) b
  | Member (_, l) -> List.fold_left in_index found l
  | Not g -> in_guard found g
  | All l | Any l -> List.fold_left in_guard found l
and in_expr found e = match e with
  | Const _ -> found
  | Index i -> in_index found i
  | Apply (_, l) -> List.fold_left in_expr found l
  | Access (_, l) ->
    let reads, accesses = List.fold_left in_index found l in
    (reads, if List.mem e accesses then accesses else e :: accesses)

let index_accesses i = let reads, accesses = in_index (0, []) i in reads + List.length accesses

(* What a test reads; an index map is charged to its access. *)
type load = Entry of expr | Index_entry of atom
let rec loads_index found { summands; _ } =
  List.fold_left (fun f (_, a) -> loads_atom f a) found summands
and loads_atom found a = match a with
  | Size _ | Var _ -> found
  | Read (_, l) -> List.fold_left loads_index (Index_entry a :: found) l
  | Div (i, _) | Mod (i, _) -> loads_index found i
  | Floor e -> loads_expr found e
  | If (g, a, b) -> loads_index (loads_index (loads_guard found g) a) b
and loads_guard found = function
  | Compare (_, a, b) -> loads_index (loads_index found a) b
  | Real (_, a, b) -> loads_expr (loads_expr found a) b
  | Member (_, l) -> List.fold_left loads_index found l
  | Not g -> loads_guard found g
  | All l | Any l -> List.fold_left loads_guard found l
and loads_expr found e = match e with
  | Const _ -> found
  | Index i -> loads_index found i
  | Apply (_, l) -> List.fold_left loads_expr found l
  | Access _ -> Entry e :: found

(* The price of each test, given those before it, and all that they load: what a test is the
   first to read, or 1 if it reads nothing. *)
let tests l =
  let price (loaded, prices) g =
    let read = List.sort_uniq compare (loads_guard [] g) in
    let fresh = List.filter (fun x -> not (List.mem x loaded)) read in
    (fresh @ loaded, (if read = [] then 1 else List.length fresh) :: prices) in
  let loaded, prices = List.fold_left price ([], []) l in
  (loaded, List.rev prices)

(* The accesses of a body that no test has loaded. *)
let body_accesses loaded e =
  let is_fresh a = not (List.mem (Entry a) loaded) in
  List.length (List.filter is_fresh (snd (in_expr (0, []) e)))

(* Variables and sizes, with quotients and remainders; with data in it too. *)
let rec affine i = List.for_all (fun (_, a) -> match a with
  | Size _ | Var _ -> true
  | Div (i, _) | Mod (i, _) -> affine i
  | Read _ | Floor _ | If _ -> false) i.summands
let rec readable i = List.for_all (fun (_, a) -> match a with
  | Size _ | Var _ | Floor _ -> true
  | Div (i, _) | Mod (i, _) -> readable i
  | Read (_, l) -> List.for_all readable l
  | If _ -> false) i.summands

let rec variables_of_index i = List.concat_map (fun (_, a) -> variables_of_atom a) i.summands
and variables_of_atom = function
  | Size _ -> []
  | Var v -> [v]
  | Read (_, l) -> List.concat_map variables_of_index l
  | Div (i, _) | Mod (i, _) -> variables_of_index i
  | Floor e -> variables_of_expr e
  | If _ -> []                                     (* readable indices have none *)
and variables_of_expr = function
  | Const _ -> []
  | Index i -> variables_of_index i
  | Access (_, l) -> List.concat_map variables_of_index l
  | Apply (_, l) -> List.concat_map variables_of_expr l

(* The difference of two indices, like atoms together. *)
let difference a b =
  let add sum (c, a) =
    let same, others = List.partition (fun (_, b) -> b = a) sum in
    let c = List.fold_left (fun c (d, _) -> c + d) c same in
    if c = 0 then others else (c, a) :: others in
  List.fold_left add [] (a.summands @ List.map (fun (c, a) -> (- c, a)) b.summands)

(* An inequality with data that leaves a segment of a variable: start[i] <= e. *)
let segment c a b =
  let terms = difference a b in
  let plain = function (_, Var _) -> true | _ -> false in
  let inside = List.concat_map (fun (_, a) -> variables_of_atom a)
    (List.filter (fun t -> not (plain t)) terms) in
  c <> Ne && List.exists (function
    | (c, Var v) -> abs c = 1 && not (List.mem v inside)
    | _ -> false) terms

let negate = function Eq -> Ne | Ne -> Eq | Lt -> Ge | Ge -> Lt | Le -> Gt | Gt -> Le
let rec enumerable positive = function
  | Compare (c, a, b) ->
    let c = if positive then c else negate c in
    (affine a && affine b) || (readable a && readable b && (c = Eq || segment c a b))
  | Real _ -> false
  | Member (_, l) -> positive && List.for_all readable l
  | Not g -> enumerable (not positive) g
  | All l | Any l -> List.for_all (enumerable positive) l

(* The conjuncts that are enumerated, and those that are tests. *)
let split guard =
  let conjuncts = match guard with All l -> l | g -> [g] in
  List.partition (enumerable true) conjuncts
