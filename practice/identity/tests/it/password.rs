//! Which passwords are taken, and that checking one costs the same always.

use proptest::prelude::*;
use ward_identity::password::{self, personal_words, problems};
use ward_instance::Random;

const PERSONAL: [&str; 3] = ["Ada", "ada.brackett@example.com", "Brackett Nutrition"];

#[test]
fn lengths_are_counted_in_characters() {
    assert_eq!(problems("", &[]), ["Password can't be blank"]);
    assert_eq!(problems("kürbis-97", &[]), ["Password is too short (minimum is 10 characters)"]);
    let long: String = "ä".repeat(129);
    assert_eq!(problems(&long, &[]), ["Password is too long (maximum is 128 characters)"]);
    assert!(problems("turnip-harbour-quilt-94", &PERSONAL).is_empty());
    assert!(problems("nur kleine wörter im satz", &PERSONAL).is_empty());
}

#[test]
fn common_and_personal_passwords_are_refused() {
    for common in ["password123", "qwertyuiop", "1234567890", "iloveyou123", "aaaaaaaaaaaaaa"] {
        assert_eq!(problems(common, &[]).len(), 1, "{common}");
    }
    for personal in ["AdaBrackett1", "brackett-ada-99", "Brackett Nutrition!", "ada.brackett1990"] {
        assert_eq!(problems(personal, &PERSONAL).len(), 1, "{personal}");
    }
}

#[test]
fn however_much_is_given_the_work_is_bounded() {
    let words: String = (0..200_000).map(|n| format!("w{n} ")).collect();
    let texts = vec![words.as_str(); 50];
    let looked_at = personal_words(&texts);
    assert!(looked_at.len() <= password::PERSONAL_WORDS_MAX, "{}", looked_at.len());
    assert!(looked_at.iter().all(|word| word.chars().count() <= 255));
    let many: Vec<String> = (0..5_000).map(|n| format!("word{n}")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    assert_eq!(personal_words(&many).len(), password::PERSONAL_WORDS_MAX);
    assert!(problems("turnip-harbour-quilt-94", &texts).is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_check_finds_the_first_that_fits_and_no_other() {
    let random = Random::os();
    let one = password::hash(&random, "first-of-them-all").await.unwrap();
    let two = password::hash(&random, "second-of-them-all").await.unwrap();
    assert_ne!(one, password::hash(&random, "first-of-them-all").await.unwrap(), "salted");
    assert!(one.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{one}");
    for (given, hashes, at) in [
        ("second-of-them-all", vec![one.clone(), two.clone()], Some(1)),
        ("neither-of-them", vec![one.clone(), two.clone()], None),
        ("first-of-them-all", Vec::new(), None),
    ] {
        let before = password::hashes_done();
        assert_eq!(password::first_match(given, hashes).await.unwrap(), at);
        assert!(password::hashes_done() - before >= 4, "dummies fill up");
    }
}

proptest! {
    #[test]
    fn nothing_built_from_personal_words_alone_is_taken(
        words in prop::collection::vec(prop::sample::select(vec!["Ada", "brackett", "Nutrition", "example"]), 2..6),
        tail in "[0-9!]{0,4}",
    ) {
        let text = words.join("-") + &tail;
        prop_assume!(text.chars().count() >= 10);
        prop_assert_eq!(problems(&text, &PERSONAL).len(), 1);
    }

    #[test]
    fn any_text_has_an_answer(text in "\\PC{0,140}") {
        let length = text.chars().count();
        let found = problems(&text, &PERSONAL);
        if !(10..=128).contains(&length) {
            prop_assert_eq!(found.len(), 1);
        }
    }
}
