(* The extracted interpreter and adjoint on one program, with float scalars:
   C[a,b] = sum_j A[a,j] sin(B[j,b]); the gradient of sum C against a finite
   difference, and the counted cost of both programs. *)
open Extracted
let ops = { zero = 0.0; one = 1.0; add0 = (+.); mul0 = ( *. );
  apply = (fun p l -> match p, l with
    | "sin", [a] -> sin a
    | "cos", [a] -> cos a
    | _ -> failwith p) }
let deriv p _ = match p with "sin" -> "cos" | _ -> failwith p
let () =
  let n = int_of_string Sys.argv.(1) in
  let nn = ENat n in
  let sh = [n*n; n*n; n*n] in
  let s = { cout = 2; csum = n; cguard = BTrue; ctest = BTrue; ctests = 0; cfacs = [
     CRd { cvar = 0; cmap = EAdd (EMul (EDiv (EI, nn), nn), EJ) };
     CAp ("sin", [{ cvar = 1; cmap = EAdd (EMul (EJ, nn), EMod (EI, nn)) }]) ] } in
  let mk f = List.init (n*n) f in
  let env h = [ mk float; mk (fun k -> 1.0 /. float (k+1) +. if k = 0 then h else 0.0); mk (fun _ -> 0.0) ] in
  let seeds = [ mk (fun _ -> 0.0); mk (fun _ -> 0.0); mk (fun _ -> 1.0) ] in
  let total h = List.fold_left (+.) 0.0 (List.nth (crun ops sh [s] (env h)) 2) in
  let p' = cadjoint deriv sh [s] in
  let out = crun ops (sh @ sh) p' (env 0.0 @ seeds) in
  let g = List.hd (List.nth out 4) in
  let d = (total 1e-5 -. total (-1e-5)) /. 2e-5 in
  let c = ccost sh [s] and c' = ccost (sh @ sh) p' in
  Printf.printf "gradient %.6f difference %.6f cost %d with adjoint %d\n" g d c c';
  if abs_float (g -. d) > 1e-4 *. (1.0 +. abs_float d) || c' > 4 * c then exit 1
