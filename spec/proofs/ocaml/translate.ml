(* From named variables and shapes to the flat syntax of Interp.v: the axes of a
   statement are read off its flat output index, the binders of a term off its flat
   summed index; guards are parted into what is enumerated and what is tested, and
   priced, as chapter 3 of the specification says. *)
open Extracted
open Program

(* What an evaluation has computed so far. *)
type state = {
  program : Program.t;
  mutable tensors : Q.t list list;                 (* flat, the auxiliary ones last *)
  mutable shape : int list;
  tables : int array array;                        (* index tensors; -1: not yet defined *)
}

(* Where a term stands. *)
type place = {
  state : state;
  tables : int array array;                        (* as they are at this time *)
  variables : (int * iexp) list;
  points : int;                                    (* of the summed index *)
  box : int;                                       (* of both *)
}

let product = List.fold_left ( * ) 1
let auxiliary place tensor = tensor >= Array.length place.state.program.shapes

(* The coordinates of a flat index over the extents, outermost first. *)
let coordinates flat extents =
  let step extent (stride, found) =
    let at = if stride = 1 then flat else EDiv (flat, EInt stride) in
    (stride * max extent 1, EMod (at, EInt (max extent 1)) :: found) in
  snd (List.fold_right step extents (1, []))

let range state v = max 0 state.program.ranges.(v)
let place state axes binders =
  let extents = List.map (range state) in
  let outer = extents axes and inner = extents binders in
  let variables = List.combine axes (coordinates EI outer)
    @ List.combine binders (coordinates EJ inner) in
  let points = product inner in
  { state; tables = Array.map Array.copy state.tables; variables; points;
    box = points * product outer }

(* A function of the point, as one of the flattened point. *)
let of_point place f =
  let s = max place.points 1 in
  EFun ((fun at -> f (at / s) (at mod s)), EAdd (EMul (EI, EInt s), EJ))

let conjunction = List.fold_left (fun a b -> if a = BTrue then b else if b = BTrue then a else BAnd (a, b)) BTrue
let within e extent = BAnd (BNot (BLt (e, EInt 0)), BLt (e, EInt extent))
let either a b = BNot (BAnd (BNot a, BNot b))
let compared c a b = match c with
  | Eq -> BEq (a, b) | Ne -> BNot (BEq (a, b)) | Lt -> BLt (a, b)
  | Le -> BNot (BLt (b, a)) | Gt -> BLt (b, a) | Ge -> BNot (BLt (a, b))
let add a b = match a, b with EInt 0, e | e, EInt 0 -> e | _ -> EAdd (a, b)
let scaled c e = match c with 1 -> e | -1 -> ESub (EInt 0, e) | _ -> EMul (EInt c, e)

(* An expression with the condition for it to have a value. *)
let rec index place { constant; summands } =
  let term (c, a) = let e, safe = atom place a in (scaled c e, safe) in
  let terms = List.map term summands in
  let sum = List.fold_left (fun sum (e, _) -> add sum e) (EInt 0) terms in
  (add sum (EInt constant), conjunction (List.map snd terms))
and atom place = function
  | Size s -> (EInt place.state.program.sizes.(s), BTrue)
  | Var v -> (List.assoc v place.variables, BTrue)
  | Div (a, k) -> let e, safe = index place a in (EDiv (e, EInt k), safe)
  | Mod (a, k) -> let e, safe = index place a in (EMod (e, EInt k), safe)
  | If (g, a, b) ->
    let g, sg = guard place g and a, sa = index place a and b, sb = index place b in
    (EIf (g, a, b), conjunction [sg; either (BNot g) sa; either g sb])
  | Read (t, l) ->
    let at, safe = flat place t l in
    let table = place.tables.(t) in
    let entry k = if k < 0 || k >= Array.length table then -1 else table.(k) in
    let read = EFun (entry, at) in
    (read, conjunction [safe; BNot (BLt (read, EInt 0))])
  | Floor e ->
    let value, safe = real place e in
    (of_point place (fun i j -> Scalars.floor (value i j)), safe)
(* The place of an entry, -1 if there is none. *)
and flat place t l =
  let shape = place.state.program.shapes.(t) in
  let parts = List.map (index place) l in
  let inside = List.map2 (fun (e, _) n -> within e n) parts shape in
  let safe = conjunction (List.map snd parts @ inside) in
  let at = List.fold_left2 (fun at (e, _) n -> add (scaled n at) e) (EInt 0) parts shape in
  ((if l = [] then EInt 0 else EIf (safe, at, EInt (-1))), safe)
and guard place = function
  | Compare (c, a, b) ->
    let a, sa = index place a and b, sb = index place b in
    (compared c a b, conjunction [sa; sb])
  | Real (c, a, b) ->
    let a, sa = real place a and b, sb = real place b in
    let truth i j = if Scalars.holds c (Q.compare (a i j) (b i j)) then 1 else 0 in
    (BEq (of_point place truth, EInt 1), conjunction [sa; sb])
  | Member (r, l) ->
    let parts = List.map (index place) l in
    let tuples = place.state.program.relations.(r) in
    let is_tuple tuple = conjunction (List.map2 (fun (e, _) k -> BEq (e, EInt k)) parts tuple) in
    let any = List.fold_left (fun b tuple -> either b (is_tuple tuple)) (BNot BTrue) tuples in
    (any, conjunction (List.map snd parts))
  | Not g -> let g, safe = guard place g in (BNot g, safe)
  | All l ->
    let both (g, sg) (h, sh) = (conjunction [g; h], conjunction [sg; either (BNot g) sh]) in
    List.fold_left both (BTrue, BTrue) (List.map (guard place) l)
  | Any l ->
    let both (g, sg) (h, sh) = (either g h, conjunction [sg; either g sh]) in
    List.fold_left both (BNot BTrue, BTrue) (List.map (guard place) l)
(* A real, as a function of the point, with the condition for its accesses to be in range. *)
and real place e =
  let accesses = ref [] in
  let value = scalar place accesses e in
  let tensors = place.state.tensors in
  let args = List.map snd !accesses in
  let arg i j (a, _) = caval Scalars.ops tensors a i j in
  ((fun i j -> pval Scalars.operations value (List.map (arg i j) args)),
   conjunction (List.map snd args))
(* A scalar expression in the accesses gathered; equal accesses are one. *)
and scalar place accesses e : Scalars.scalar =
  let argument make =
    let rec find k = function
      | [] -> accesses := !accesses @ [(e, make ())]; k
      | (source, _) :: rest -> if source = e then k else find (k + 1) rest in
    Arg (find 0 !accesses) in
  match e with
  | Const c -> Cst c
  | Index { constant; summands = [] } -> Cst (Q.of_int constant)
  | Index i -> argument (fun () -> number_of place i)
  | Access (t, l) ->
    argument (fun () -> let at, safe = flat place t l in ({ cvar = t; cmap = at }, safe))
  | Apply (f, l) -> Scalars.func f (List.map (scalar place accesses) l)
(* An index as a real: an access to an auxiliary tensor that holds the numbers. *)
and number_of place i =
  let e, safe = index place i in
  let s = max place.points 1 in
  let entries = List.init place.box (fun at -> Q.of_int (ival e (at / s) (at mod s))) in
  let state = place.state in
  let tensor = List.length state.shape in
  state.tensors <- state.tensors @ [entries];
  state.shape <- state.shape @ [place.box];
  ({ cvar = tensor; cmap = EAdd (EMul (EI, EInt s), EJ) }, safe)
