//! Tests of the whole, with the real binary and real servers on loopback.
#![expect(unreachable_pub, reason = "`pub` is for the other modules here: a test has no outside")]

mod bad_input;
mod email;
mod first_run;
mod house;
mod kill;
mod support;
mod webhook;
mod whole_way;
