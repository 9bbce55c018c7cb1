(* Tensor SSA as the tests write it: names are numbers, ranges and shapes have values. *)
type cmp = Eq | Ne | Lt | Le | Gt | Ge

type index = { constant : int; summands : (int * atom) list }
and atom =
  | Size of int
  | Var of int
  | Read of int * index list
  | Div of index * int
  | Mod of index * int
  | Floor of expr
  | If of guard * index * index
and guard =
  | Compare of cmp * index * index
  | Real of cmp * expr * expr
  | Member of int * index list
  | Not of guard
  | All of guard list
  | Any of guard list
and expr =
  | Const of Q.t
  | Index of index
  | Access of int * index list
  | Apply of string * expr list

type term = { binders : int list; guard : guard; body : expr }
(* Searches and extrema say whether they are for the greatest. *)
type rhs =
  | Sum of term list
  | Search of bool * term
  | Extremum of bool * term
  | IndexMap of index
type block =
  | Stmt of int * int list * rhs
  | Rec of (int * bool) list * block list          (* with the variables that ascend *)

type t = {
  sizes : int array;
  ranges : int array;                              (* of variables *)
  shapes : int list array;                         (* of tensors *)
  relations : int list list array;
  reals : (int * Q.t list) list;                   (* the arguments *)
  indices : (int * int list) list;
  body : block list;
  seeds : (int * Q.t list) list option;            (* cotangents of results *)
}

open Sexp
let words = List.map (function Word w -> w | e -> unknown "a word" e)
let rationals l = List.map Q.of_string (words l)
let cmp = function
  | Word "=" -> Eq | Word "!=" -> Ne | Word "<" -> Lt | Word "<=" -> Le
  | Word ">" -> Gt | Word ">=" -> Ge | e -> unknown "a comparison" e

let rec index = function
  | List (Word "i" :: constant :: summands) ->
    let summand = function List [c; a] -> (int c, atom a) | e -> unknown "a summand" e in
    { constant = int constant; summands = List.map summand summands }
  | e -> unknown "an index" e
and atom = function
  | List [Word "size"; s] -> Size (int s)
  | List [Word "var"; v] -> Var (int v)
  | List (Word "read" :: t :: l) -> Read (int t, List.map index l)
  | List [Word "div"; a; k] -> Div (index a, int k)
  | List [Word "mod"; a; k] -> Mod (index a, int k)
  | List [Word "floor"; e] -> Floor (expr e)
  | List [Word "if"; g; a; b] -> If (guard g, index a, index b)
  | e -> unknown "an atom" e
and guard = function
  | List [Word "compare"; c; a; b] -> Compare (cmp c, index a, index b)
  | List [Word "real"; c; a; b] -> Real (cmp c, expr a, expr b)
  | List (Word "member" :: r :: l) -> Member (int r, List.map index l)
  | List [Word "not"; g] -> Not (guard g)
  | List (Word "all" :: l) -> All (List.map guard l)
  | List (Word "any" :: l) -> Any (List.map guard l)
  | e -> unknown "a guard" e
and expr = function
  | List [Word "const"; Word q] -> Const (Q.of_string q)
  | List [Word "index"; i] -> Index (index i)
  | List (Word "access" :: t :: l) -> Access (int t, List.map index l)
  | List (Word f :: l) -> Apply (f, List.map expr l)
  | e -> unknown "an expression" e

let term = function
  | List [List binders; g; e] -> { binders = ints binders; guard = guard g; body = expr e }
  | e -> unknown "a term" e
let rhs = function
  | List (Word "sum" :: l) -> Sum (List.map term l)
  | List [Word "argmax"; t] -> Search (true, term t)
  | List [Word "argmin"; t] -> Search (false, term t)
  | List [Word "max"; t] -> Extremum (true, term t)
  | List [Word "min"; t] -> Extremum (false, term t)
  | List [Word "indexed"; i] -> IndexMap (index i)
  | e -> unknown "a right side" e
let rec block = function
  | List [Word "stmt"; t; List axes; r] -> Stmt (int t, ints axes, rhs r)
  | List (Word "rec" :: List vars :: l) ->
    let var = function List [v; Word d] -> (int v, d = "up") | e -> unknown "a variable" e in
    Rec (List.map var vars, List.map block l)
  | e -> unknown "a block" e

let lists read = List.map (function List l -> read l | e -> unknown "a list" e)
let entries read =
  List.map (function List (t :: l) -> (int t, read l) | e -> unknown "entries" e)

let program fields =
  let field name =
    List.find_map (function List (Word w :: l) when w = name -> Some l | _ -> None) fields in
  let get name = match field name with Some l -> l | None -> failwith ("no field " ^ name) in
  { sizes = Array.of_list (ints (get "sizes"));
    ranges = Array.of_list (ints (get "ranges"));
    shapes = Array.of_list (lists ints (get "shapes"));
    relations = Array.of_list (lists (lists ints) (get "relations"));
    reals = entries rationals (get "reals");
    indices = entries ints (get "indices");
    body = List.map block (get "body");
    seeds = Option.map (entries rationals) (field "seeds") }
