(* Exact rationals for the extracted code, and scalar functions as its expressions. *)
module Integer = Z
open Extracted
open Program

(* A condition of the arguments, constant for differentiation. *)
type test = Test of cmp * scalar * scalar
and scalar = (Q.t, test) prim

let holds cmp order = match cmp with
  | Eq -> order = 0 | Ne -> order <> 0 | Lt -> order < 0
  | Le -> order <= 0 | Gt -> order > 0 | Ge -> order >= 0

let rec power x n = if n = 0 then Q.one else Q.mul x (power x (n - 1))
let inverse x = if Q.sign x = 0 then Q.zero else Q.inv x
let rec operations = {
  of_nat0 = Q.of_int; minus_one = Q.minus_one; plus = Q.add; times = Q.mul; inverse; power;
  holdsq = fun (Test (c, a, b)) l -> holds c (Q.compare (pval operations a l) (pval operations b l)) }

(* The interpreter's scalars. A primitive is a scalar expression in its arguments. *)
let ops = {
  zero = Q.zero; one = Q.one; add0 = Q.add; mul0 = Q.mul; apply = pval operations }
let deriv = pderiv operations

let negative a = Times (Cst Q.minus_one, a)
let floor x = Integer.to_int (Integer.fdiv (Q.num x) (Q.den x))
(* A function of the language, of arguments that are expressions already. *)
let func name args : scalar = match name, args with
  | "neg", [a] -> negative a
  | "add", a :: l -> List.fold_left (fun a b -> Plus (a, b)) a l
  | "mul", a :: l -> List.fold_left (fun a b -> Times (a, b)) a l
  | "div", [a; b] -> Times (a, Inverse b)
  | "pow", [a; Cst n] when Integer.equal (Q.den n) Integer.one ->
    let n = Integer.to_int (Q.num n) in
    if n < 0 then Inverse (Power (a, - n)) else Power (a, n)
  | "abs", [a] ->
    let zero = Cst Q.zero in
    Cond (Test (Gt, a, zero), a, Cond (Test (Lt, a, zero), negative a, zero))
  (* the first wins at a tie *)
  | "max", [a; b] -> Cond (Test (Gt, b, a), b, a)
  | "min", [a; b] -> Cond (Test (Lt, b, a), b, a)
  | _ -> failwith ("no scalar function " ^ name)
