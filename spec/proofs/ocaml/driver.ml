(* A small run of the extracted interpreter: float scalars, primitives by name. *)
open Extracted
let ops = { zero = 0.0; one = 1.0;
  add0 = (+.);
  mul0 = ( *. );
  apply = (fun (p : string) l -> match p, l with
    | "sin", [a] -> sin a
    | "divide", [a; b] -> a /. b
    | _ -> failwith p) }
let () =
  let n = int_of_string Sys.argv.(1) in
  let sh = [n*n; n*n; n*n] in
  let i_ = EI and j_ = EJ and nn = ENat n in
  (* C[a,b] = sum_j A[a,j] sin(B[j,b]) *)
  let s = { cout = 2; csum = n; cguard = BTrue; ctest = BTrue; ctests = 0; cfacs = [
     CRd { cvar = 0; cmap = EAdd (EMul (EDiv (i_,nn), nn), j_) };
     CAp ("sin", [{ cvar = 1; cmap = EAdd (EMul (j_, nn), EMod (i_,nn)) }]) ] } in
  let mk f = List.init (n*n) f in
  let env = [ mk float; mk (fun k -> 1.0 /. float (k+1)); mk (fun _ -> 0.0) ] in
  let c = List.nth (crun ops sh [s] env) 2 in
  Printf.printf "C[0]=%g C[n*n-1]=%g cost=%d\n" (List.hd c) (List.nth c (n*n-1)) (ccost sh [s])
