//! A feed, as a server sends it.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| tidings_fuzz::feed(input));
