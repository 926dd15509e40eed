//! Witnesses cannot be forged: each of these programs must fail to compile, for the reason given.

#[test]
fn forging_a_witness_does_not_compile() {
    trybuild::TestCases::new().compile_fail("tests/compile_fail/*.rs");
}
