//! Looks for bytes of which something in `fuzz_checks::interval` does not hold.

#![no_main]

#[path = "../../tests/fuzz_checks/mod.rs"]
mod fuzz_checks;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    fuzz_checks::interval(bytes);
});
