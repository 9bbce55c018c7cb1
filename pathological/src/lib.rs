//! Families of programs whose naive derivatives are asymptotically slow.
