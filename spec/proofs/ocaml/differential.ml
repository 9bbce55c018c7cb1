(* Programs from standard input, one a line; for each what the extracted interpreter,
   work counter and adjoint say:

     value t q q ..           the entries of a real tensor
     index t n n ..           those of an index tensor
     work t points tests accesses
     term t k points q q ..   what the k-th term of t contributes, and the points it visits
     cotangent t q q ..       with seeds: the adjoint program's result
     pick t o points q q ..   with seeds: what one access in the statement of o contributes to
                              the cotangent of t, in the order of the text
     end

   A recurrence is unrolled: each step runs the statements of its block at their entries
   of that step. *)
open Extracted
open Program
open Translate

type run = {
  state : state;
  start : Q.t list list;                           (* tensors before anything is computed *)
  mutable executed : (int * int * Scalars.scalar cterm) list;    (* the last one first *)
  counts : (int * int, int * int * int) Hashtbl.t;    (* of a term: points, tests, accesses *)
}

let flatten_product = function Apply ("mul", l) -> l | e -> [e]

(* The body as factors: accesses and constants one by one, anything else as one primitive. *)
let factors place body =
  let parts = flatten_product body in
  let simple = function Access _ | Const _ -> true | _ -> false in
  let accesses = List.filter (function Access _ -> true | _ -> false) parts in
  let distinct = List.length (List.sort_uniq compare accesses) = List.length accesses in
  let factor e =
    let gathered = ref [] in
    let value = scalar place gathered e in
    match value, List.map (fun (_, (a, _)) -> a) !gathered with
    | Arg 0, [a] -> CRd a
    | value, l -> CAp (value, l) in
  List.map factor (if List.for_all simple parts && distinct then parts else [body])

(* The entries of a statement that belong to a step. *)
let in_step place steps =
  conjunction (List.map (fun (v, k) -> BEq (List.assoc v place.variables, EInt k)) steps)

let cterm place tensor steps { binders = _; guard = g; body } =
  let enumerated, tests = Price.split g in
  let whole g = let g, safe = guard place g in conjunction [safe; g] in
  let made = List.combine (List.map whole tests) (snd (Price.tests tests)) in
  (* in order, up to the first that fails *)
  let rec paid made i j = match made with
    | [] -> 0
    | (test, price) :: rest -> price + if bval test i j then paid rest i j else 0 in
  { cout = tensor; csum = place.points;
    cguard = conjunction (in_step place steps :: List.map whole enumerated);
    ctest = conjunction (List.map fst made);
    ctests = paid made;
    cfacs = factors place body }

let add_counts run key (p, t, a) =
  let p', t', a' = Option.value (Hashtbl.find_opt run.counts key) ~default:(0, 0, 0) in
  Hashtbl.replace run.counts key (p + p', t + t', a + a')

(* Counts a term. The work of the calculus is points and tests + accesses; index maps are
   free there, numbers are accesses, and what a test has loaded is loaded again, so accesses
   are counted by the text. A fold reads the value so far. *)
let count run tensor k (term : Program.term) ~running c =
  let shape = run.state.shape in
  let points = ccount shape (cvisits c) c in
  let held = ccount shape (cholds shape c) c in
  let tests = cprice shape c - points in
  assert (ccost1 shape c = points + tests + held * List.length (cargs c.cfacs));
  let loaded = fst (Price.tests (snd (Price.split term.guard))) in
  let accesses = Price.body_accesses loaded term.body + running in
  add_counts run (tensor, k) (points, tests, held * accesses)

let index_table (state : state) t = state.tables.(t)

(* The first best of the binder's values where the guard holds; the range if there is none. *)
let search run place best_is_greatest c i =
  let shape = run.state.shape and tensors = run.state.tensors in
  let held = List.filter (cholds shape c i) (List.init place.points Fun.id) in
  let value k = cbody Scalars.ops tensors c.cfacs i (List.nth held k) in
  let le a b = if best_is_greatest then Q.leq a b else Q.geq a b in
  if held = [] then place.points else List.nth held (argmax le value (List.length held - 1))

let statement run steps (tensor, axes, rhs) =
  let state = run.state in
  let entries place each =
    let table = index_table state tensor in
    let here = in_step place steps in
    Array.iteri (fun i _ -> if bval here i 0 then table.(i) <- each i) table in
  let counted ?(running = 0) k term =
    let place = place state axes term.binders in
    let c = cterm place tensor steps term in
    count run tensor k term ~running c;
    (place, c) in
  let execute k c =
    run.executed <- (tensor, k, c) :: run.executed;
    state.tensors <- crun1 Scalars.ops state.shape c state.tensors in
  match rhs with
  | Sum terms -> List.iteri (fun k term -> execute k (snd (counted k term))) terms
  | Search (greatest, term) ->
    let place, c = counted ~running:1 0 term in
    entries place (search run place greatest c)
  | Extremum (greatest, term) ->
    (* the body at the first best point, which is a fixed function of the entry *)
    let place, c = counted ~running:1 0 term in
    let best = Array.init (List.nth state.shape tensor) (search run place greatest c) in
    let at = EFun ((fun i -> best.(i)), EI) in
    execute 0 { c with cguard = conjunction [c.cguard; BEq (EJ, at)] }
  | IndexMap i ->
    let place = place state axes [] in
    let e, _ = index place i in
    let here = in_step place steps in
    let points = List.length (List.filter (fun i -> bval here i 0) (List.init place.box Fun.id)) in
    add_counts run (tensor, 0) (points, 0, points * Price.index_accesses i);
    entries place (fun i -> ival e i 0)

let rec block run steps = function
  | Stmt (t, axes, rhs) -> statement run steps (t, axes, rhs)
  | Rec (vars, body) ->
    let rec loop steps = function
      | [] -> List.iter (block run steps) body
      | (v, up) :: rest ->
        let n = range run.state v in
        for k = 0 to n - 1 do
          loop (steps @ [(v, if up then k else n - 1 - k)]) rest
        done in
    loop steps vars

let size shape = product shape
let evaluate program =
  let count = Array.length program.shapes in
  let entries t = List.init (size program.shapes.(t)) (fun _ -> Q.zero) in
  let given t = Option.value (List.assoc_opt t program.reals) ~default:(entries t) in
  let table t = match List.assoc_opt t program.indices with
    | Some l -> Array.of_list l
    | None -> Array.make (size program.shapes.(t)) (-1) in
  let start = List.init count given in
  let state = { program; tensors = start; tables = Array.init count table;
    shape = Array.to_list (Array.map size program.shapes) } in
  let run = { state; start; executed = []; counts = Hashtbl.create 16 } in
  List.iter (block run []) program.body;
  run

let rationals l = String.concat " " (List.map Q.to_string l)
let line what numbers l =
  print_endline (String.concat " " (what :: List.map string_of_int numbers @ (if l = [] then [] else [rationals l])))

let rec drop n l = if n = 0 then l else drop (n - 1) (List.tl l)

(* Adds contributions of the steps of a term to one another, in the order of first steps. *)
let gather pieces =
  let order = ref [] and sums = Hashtbl.create 16 in
  List.iter (fun (key, points, entries) ->
    match Hashtbl.find_opt sums key with
    | None -> order := key :: !order; Hashtbl.replace sums key (points, entries)
    | Some (p, e) -> Hashtbl.replace sums key (p + points, List.map2 Q.add e entries)) pieces;
  List.rev_map (fun key -> (key, Hashtbl.find sums key)) !order

(* What a term contributes to each entry, in a finished state. *)
let contribution shape tensors c =
  (ccount shape (cvisits c) c,
   List.init (List.nth shape c.cout) (crhs Scalars.ops shape tensors c))

let print_terms run =
  let { shape; tensors; _ } = run.state in
  let piece (t, k, c) = let points, l = contribution shape tensors c in ((t, k), points, l) in
  List.iter (fun ((t, k), (points, l)) -> line "term" [t; k; points] l)
    (gather (List.map piece (List.rev run.executed)))

(* The adjoint program as a whole, then the terms that it consists of one by one. *)
let print_adjoint run seeds =
  let { shape; tensors; program; _ } = run.state in
  let count = Array.length program.shapes in
  let numbers = drop count tensors in
  let zeros = List.map (fun n -> List.init n (fun _ -> Q.zero)) shape in
  let bars = List.mapi (fun t z -> Option.value (List.assoc_opt t seeds) ~default:z) zeros in
  let p = List.rev_map (fun (_, _, c) -> c) run.executed in
  let final = crun Scalars.ops (shape @ shape) (cadjoint Scalars.deriv shape p)
    (run.start @ numbers @ bars) in
  List.iteri (fun t l -> if t < count && l <> List.nth tensors t then
    failwith "the adjoint program changes a primal tensor") final;
  List.iteri (fun t l -> if t < count then line "cotangent" [t] l) (drop (List.length shape) final);
  let picks (t, k, c) =
    List.mapi (fun n q ->
      let points, l = contribution (shape @ shape) final (cadjoint_pick shape c q) in
      (((fst q).cvar, t, k, n), points, l)) (cpartials Scalars.deriv c.cfacs) in
  let pieces = List.concat_map picks (List.rev run.executed) in
  List.iter (fun ((v, t, _, _), (points, l)) ->
    if v < count then line "pick" [v; t; points] l) (gather pieces)

let answer text =
  let program = program (Sexp.parse text) in
  let run = evaluate program in
  let { tensors; tables; _ } = run.state in
  let defined = Hashtbl.create 16 in
  Hashtbl.iter (fun (t, _) n ->
    let add (a, b, c) (x, y, z) = (a + x, b + y, c + z) in
    let sofar = Option.value (Hashtbl.find_opt defined t) ~default:(0, 0, 0) in
    Hashtbl.replace defined t (add n sofar)) run.counts;
  Array.iteri (fun t _ ->
    if Array.exists (fun n -> n >= 0) tables.(t) then
      print_endline (String.concat " " ("index" :: string_of_int t :: List.map string_of_int (Array.to_list tables.(t))));
    line "value" [t] (List.nth tensors t);
    match Hashtbl.find_opt defined t with
    | Some (points, tests, accesses) -> line "work" [t; points; tests; accesses] []
    | None -> ()) program.shapes;
  print_terms run;
  Option.iter (print_adjoint run) program.seeds

let () =
  try while true do
    let text = input_line stdin in
    (try answer text with e -> print_endline ("failed " ^ Printexc.to_string e));
    print_endline "end"
  done with End_of_file -> ()
