//! Wirings that must not compile, for the reason given in each program (ISO-26).

#[test]
fn wrong_wirings_do_not_compile() {
    trybuild::TestCases::new().compile_fail("tests/compile_fail/*.rs");
}
