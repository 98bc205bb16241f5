//! A rule file, as a person writes it.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &str| tidings_fuzz::rule_file(input));
