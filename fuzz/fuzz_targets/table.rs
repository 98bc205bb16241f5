//! A table of a watchlist.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &str| tidings_fuzz::table(input));
