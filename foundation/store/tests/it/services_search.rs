//! Keyword search against a naive oracle, and what folding does.

use futures_util::FutureExt;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, TestRunner};
use ward_store::search::{fold, keyword_cond};
use ward_store::{Actor, Cond, Id, OrderKey};

use crate::services_tables::{PERSONS, Person, person};
use crate::support::World;

/// Short texts of few letters, so that terms are found often, with everything
/// that a pattern or a fold could trip over.
const TEXT: &str = "[abAB%_\\\\ éÉ\u{301}ß'?$1{}ſﬁİ]{0,8}";

/// Every term is part of one of the values.
fn matches(values: &[String], keywords: &str) -> bool {
    let values: Vec<String> = values.iter().map(|value| fold(value)).collect();
    keywords
        .split_whitespace()
        .map(fold)
        .all(|term| values.iter().any(|value| value.contains(&term)))
}

async fn search(w: &World, org: i64, keywords: String) -> Vec<i64> {
    w.act(&Actor::system(org), move |mut scope| {
        let cond = keyword_cond(&PERSONS, org, &keywords);
        async move {
            let by_id = OrderKey::column("id", false);
            let found: Vec<Person> = scope.list(cond, &[by_id]).await?;
            Ok(found.iter().map(|person| person.id.0).collect())
        }
        .boxed()
    })
    .await
    .unwrap()
}

/// Random rows, random keywords, updated rows: the database and the oracle
/// find the same.
async fn search_finds_what_the_oracle_finds(w: World) {
    let org = w.organization(1).await;
    let mut runner = TestRunner::new_with_rng(
        Config::default(),
        proptest::test_runner::TestRng::deterministic_rng(
            proptest::test_runner::RngAlgorithm::ChaCha,
        ),
    );
    let mut draw = |pattern: &str| {
        proptest::string::string_regex(pattern).unwrap().new_tree(&mut runner).unwrap().current()
    };
    let rows: Vec<(String, Option<String>)> =
        (0..60).map(|n| (draw(TEXT), (n % 3 > 0).then(|| draw(TEXT)))).collect();
    let renamed: Vec<String> = (0..60).map(|_| draw(TEXT)).collect();
    let queries: Vec<String> = (0..150)
        .map(|n| {
            draw(if n % 2 == 0 {
                "[abAB%_\\\\éÉ?ß'fis]{1,2}( [abé%_]{0,2})?"
            } else {
                "[abéAB%_ ]{2,6}"
            })
        })
        .chain(["", " ", "\u{301}", "000", "%", "_", "\\", "{t}", "$1"].map(str::to_owned))
        .collect();
    let made = rows.clone();
    w.act(&Actor::system(org), move |mut scope| {
        let rows = made.clone();
        async move {
            for (n, (name, email)) in (0..).zip(&rows) {
                let new =
                    Person { email: email.clone(), ..person(scope.tx, org, org + 10 + n, name) };
                scope.create(&new).await?;
            }
            Ok(())
        }
        .boxed()
    })
    .await
    .unwrap();
    let mut hits = 0;
    let mut names: Vec<String> = rows.iter().map(|(name, _)| name.clone()).collect();
    for round in 0..2 {
        for keywords in &queries {
            let expected: Vec<i64> = (0..60_usize)
                .filter(|n| {
                    let id = org + 10 + i64::try_from(*n).unwrap();
                    let mut values = vec![id.to_string(), names[*n].clone()];
                    values.extend(rows[*n].1.clone());
                    matches(&values, keywords)
                })
                .map(|n| org + 10 + i64::try_from(n).unwrap())
                .collect();
            let found = search(&w, org, keywords.clone()).await;
            hits += usize::from(!keywords.trim().is_empty() && !found.is_empty());
            assert_eq!(found, expected, "round {round}, keywords {keywords:?}");
        }
        let renamed_now = renamed.clone();
        names.clone_from(&renamed);
        w.act(&Actor::system(org), move |mut scope| {
            let names = renamed_now.clone();
            async move {
                for (n, name) in (0..).zip(&names) {
                    let before = scope.find(Id::<Person>::new(org + 10 + n)).await?.unwrap();
                    let after = Person { name: name.clone(), ..before.clone() };
                    scope.update(&before, &after).await?;
                }
                Ok(())
            }
            .boxed()
        })
        .await
        .unwrap();
    }
    assert!(hits > 60, "the test found something only {hits} times");
}

both!(search_finds_what_the_oracle_finds);

/// The sentence of the contract: name and birth date, any case, any accent.
async fn terms_may_match_different_values(w: World) {
    let org = w.organization(1).await;
    w.act(&Actor::system(org), move |mut scope| {
        async move {
            let email = Some("ADA@example.org".to_owned());
            let new = Person { email, ..person(scope.tx, org, org + 10, "Ada Åhlgren") };
            scope.create(&new).await
        }
        .boxed()
    })
    .await
    .unwrap();
    let id = (org + 10).to_string();
    for keywords in ["ada ahlgren", "AHLG example", "åhl", &id, "a@e", ""] {
        assert_eq!(search(&w, org, keywords.to_owned()).await, [org + 10], "{keywords}");
    }
    for keywords in ["adaå", "Åhlgren ada@example.com", "rena"] {
        assert!(search(&w, org, keywords.to_owned()).await.is_empty(), "{keywords}");
    }
}

both!(terms_may_match_different_values);

#[test]
fn too_much_is_nothing() {
    let many: String = (0..50).map(|n| format!("t{n} ")).collect();
    assert_eq!(keyword_cond(&PERSONS, 1, &many), Cond::Never);
    assert_eq!(keyword_cond(&PERSONS, 1, &"x".repeat(501)), Cond::Never);
    assert_eq!(keyword_cond(&PERSONS, 1, " \u{301} "), Cond::Always);
}

proptest! {
    #[test]
    fn folding_is_stable(text in any::<String>()) {
        let once = fold(&text);
        prop_assert_eq!(fold(&once), once.clone());
        prop_assert_eq!(fold(&text.to_lowercase()), fold(&text.to_lowercase().to_lowercase()));
        prop_assert!(!once.contains('\0'));
    }
}

#[test]
fn folding_by_example() {
    for (text, folded) in [
        ("Åhlgren", "ahlgren"),
        ("ÉCOLE", "ecole"),
        ("ﬁn", "fin"),
        ("İstanbul", "istanbul"),
        ("Ⅷ", "viii"),
        ("Straße", "straße"),
        ("ΣΑΣ", "σασ"),
        ("ḰŸ", "ky"),
        ("Ⓐ", "a"),
    ] {
        assert_eq!(fold(text), folded, "{text}");
    }
}
