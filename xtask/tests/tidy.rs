//! The repository is tidy: sources, licences and crate edges.

#[test]
fn the_repository_is_tidy() {
    let found = xtask::tidy::untidy(&xtask::repository()).expect("tidy could not look");
    assert!(found.is_empty(), "{} untidy:\n{}", found.len(), found.join("\n"));
}
