//! Tests of the whole, with the real binary and real servers on loopback.

mod bad_input;
mod first_run;
mod house;
mod kill;
mod support;
mod whole_way;
