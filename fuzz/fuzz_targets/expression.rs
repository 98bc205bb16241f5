//! An expression of a rule, matched against a story.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &str| tidings_fuzz::expression(input));
