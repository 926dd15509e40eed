//! Keyword search against a naive oracle, and what folding does.

use futures_util::FutureExt;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, TestRunner};
use ward_store::keywords::{BOUNDS, Bounds, keyword_cond};
use ward_store::search::fold;
use ward_store::{Actor, Cond, Id, Keywords, OrderKey};

use crate::services_tables::{PERSONS, Person, person};
use crate::support::World;

/// Short texts of few letters, so that terms are found often, with everything
/// that a pattern or a fold could trip over.
const TEXT: &str = "[abAB%_\\\\ éÉ\u{301}ß'?$1{}ſﬁİ]{0,8}";

/// Numbers as people write them.
const PHONE: &str = "(\\+?1?[ -.])?[(]?2[12]2[)]?[ -/.]?55[56][ -]?01[0-4][0-4]( ext [12])?";

/// A row's values as the oracle knows them.
#[derive(Clone, Debug)]
struct Values {
    texts: Vec<String>,
    phone: Option<String>,
}

/// Every term is part of one of the values, or its digits of the number's.
fn matches(values: &Values, keywords: &str) -> bool {
    let texts: Vec<String> = values.texts.iter().map(|text| fold(text)).collect();
    let digits = |text: &str| text.chars().filter(char::is_ascii_digit).collect::<String>();
    let number = values.phone.as_deref().map(|phone| digits(&fold(phone)));
    let in_number = |digits: &str| number.as_ref().is_some_and(|it| it.contains(digits));
    keywords.split_whitespace().map(fold).all(|term| {
        let is_number = term.chars().all(|c| "0123456789()+-./".contains(c));
        let own = digits(&term);
        let national = own.strip_prefix('1').filter(|_| own.len() == 11).unwrap_or(&own);
        texts.iter().any(|text| text.contains(&term))
            || in_number(&term)
            || (is_number && !own.is_empty() && in_number(national))
    })
}

/// How a search is planned: blindly, or after a look with these bounds.
const WAYS: [Option<Bounds>; 6] = [
    None,
    Some(BOUNDS),
    Some(Bounds { short: 20, tiny: 0, few: 60, many: 60, sample: 5, rare: 2 }),
    Some(Bounds { short: 1, tiny: 0, few: 60, many: 60, sample: 5, rare: 2 }),
    Some(Bounds { short: 2, tiny: 2, few: 2, many: 8, sample: 5, rare: 2 }),
    Some(Bounds { short: 0, tiny: 0, few: 0, many: 60, sample: 60, rare: 60 }),
];

async fn search(w: &World, org: i64, keywords: String, way: Option<Bounds>) -> Vec<i64> {
    w.act(&Actor::system(org), move |mut scope| {
        let keywords = Keywords::new(&PERSONS, org, &keywords);
        async move {
            let cond = match way {
                Some(bounds) => {
                    keywords.narrowed_by(scope.tx, Cond::is_true("active"), bounds).await?.filter
                }
                None => keywords.cond(),
            };
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
/// find the same, whatever way it is planned.
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
    let mut people: Vec<(String, Option<String>, Option<String>)> = (0..60)
        .map(|n| {
            let (name, long) = (draw(TEXT), draw("[ab]{0,20}"));
            (name + &long, (n % 3 > 0).then(|| draw(TEXT)), (n % 4 > 0).then(|| draw(PHONE)))
        })
        .collect();
    let renamed: Vec<String> = (0..60).map(|_| draw(TEXT)).collect();
    let queries: Vec<String> = (0..120)
        .map(|n| {
            draw(match n % 4 {
                0 => "[abAB%_\\\\éÉ?ß'fis]{1,2}( [abé%_]{0,2})?",
                1 => "[abéAB%_ ]{2,6}",
                2 => "[ab]{3,14}( [ab]{1,4})?",
                _ => "([(]?2[12]2[)]?[ -./])?55[56][ -]?01[0-4]?( [ab]{1,3})?",
            })
        })
        .chain(
            ["", " ", "\u{301}", "000", "%", "_", "\\", "{t}", "$1", "+1", "-"].map(str::to_owned),
        )
        .chain(people.iter().take(20).filter_map(|(_, _, phone)| phone.clone()))
        .collect();
    let made = people.clone();
    w.act(&Actor::system(org), move |mut scope| {
        let made = made.clone();
        async move {
            for (n, (name, email, phone)) in (0..).zip(&made) {
                let (email, phone) = (email.clone(), phone.clone());
                let new = Person { email, phone, ..person(scope.tx, org, org + 10 + n, name) };
                scope.create(&new).await?;
            }
            Ok(())
        }
        .boxed()
    })
    .await
    .unwrap();
    let mut hits = 0;
    for round in 0..2 {
        for keywords in &queries {
            let expected: Vec<i64> = (org + 10..)
                .zip(&people)
                .filter(|(id, (name, email, phone))| {
                    let mut texts = vec![id.to_string(), name.clone()];
                    texts.extend(email.clone());
                    matches(&Values { texts, phone: phone.clone() }, keywords)
                })
                .map(|(id, _)| id)
                .collect();
            hits += usize::from(!keywords.trim().is_empty() && !expected.is_empty());
            for way in WAYS {
                let found = search(&w, org, keywords.clone(), way).await;
                assert_eq!(found, expected, "round {round}, keywords {keywords:?}, {way:?}");
            }
        }
        let renamed_now = renamed.clone();
        for (person, name) in people.iter_mut().zip(&renamed) {
            person.0.clone_from(name);
        }
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
    assert!(hits > 90, "the test found something only {hits} times");
}

both!(search_finds_what_the_oracle_finds);

/// The sentence of the contract: name and birth date, any case, any accent;
/// and a telephone number however it is written.
async fn terms_may_match_different_values(w: World) {
    let org = w.organization(1).await;
    w.act(&Actor::system(org), move |mut scope| {
        async move {
            let email = Some("ADA@example.org".to_owned());
            let phone = Some("+1 (212) 555-0142".to_owned());
            let new = Person { email, phone, ..person(scope.tx, org, org + 10, "Ada Åhlgren") };
            scope.create(&new).await
        }
        .boxed()
    })
    .await
    .unwrap();
    let id = (org + 10).to_string();
    let found = [
        "ada ahlgren",
        "AHLG example",
        "åhl",
        &id,
        "a@e",
        "",
        "212.555.0142",
        "12125550142",
        "(212) 555 0142 ada",
        "555-01",
        "+1 212 5550142",
    ];
    let not_found =
        ["adaå", "Åhlgren ada@example.com", "rena", "213-555-0142", "5550143", "212/ada"];
    for way in WAYS {
        for keywords in found {
            assert_eq!(search(&w, org, keywords.to_owned(), way).await, [org + 10], "{keywords}");
        }
        for keywords in not_found {
            assert!(search(&w, org, keywords.to_owned(), way).await.is_empty(), "{keywords}");
        }
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
