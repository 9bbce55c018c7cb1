(* Texts of parentheses and words. *)
type t = Word of string | List of t list

(* All the expressions of a text. *)
let parse text =
  let n = String.length text in
  let rec items at acc =
    if at >= n then (List.rev acc, at)
    else match text.[at] with
      | ' ' | '\n' -> items (at + 1) acc
      | '(' -> let inner, at = items (at + 1) [] in items at (List inner :: acc)
      | ')' -> (List.rev acc, at + 1)
      | _ ->
        let stop = ref at in
        while !stop < n && not (String.contains " \n()" text.[!stop]) do incr stop done;
        items !stop (Word (String.sub text at (!stop - at)) :: acc) in
  fst (items 0 [])

let rec show = function
  | Word w -> w
  | List l -> "(" ^ String.concat " " (List.map show l) ^ ")"
let unknown what e = failwith (what ^ ": " ^ show e)
let int = function Word w -> int_of_string w | e -> unknown "an integer" e
let ints = List.map int
