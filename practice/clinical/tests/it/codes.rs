//! Codes: what is known of each system, and that what holds for one holds for all.

use proptest::prelude::*;
use ward_clinical::allergy::may_become;
use ward_clinical::codes::{self, System};
use ward_clinical::options;
use ward_clinical::sample::DRUGS;
use ward_clinical::tables::Status;

#[test]
fn codes_that_are() {
    let known = [
        (System::Icd10Cm, "E11.9", "E11.9"),
        (System::Icd10Cm, "e119", "E11.9"),
        (System::Icd10Cm, "I10", "I10"),
        (System::Icd10Cm, "C7A.00", "C7A.00"),
        (System::Icd10Cm, "S72.001A", "S72.001A"),
        (System::Icd10Pcs, "0dtj4zz", "0DTJ4ZZ"),
        (System::SnomedCt, "73211009", "73211009"),
        (System::SnomedCt, "38341003", "38341003"),
        (System::SnomedCt, "428041000124106", "428041000124106"),
        (System::Loinc, "2345-7", "2345-7"),
        (System::Loinc, "8480-6", "8480-6"),
        (System::RxNorm, "1991302", "1991302"),
        (System::Cvx, "8", "08"),
        (System::Cvx, "140", "140"),
        (System::Cpt, "99213", "99213"),
        (System::Cpt, "0001f", "0001F"),
        (System::Hcpcs, "g0439", "G0439"),
    ];
    for (system, text, kept) in known {
        assert_eq!(system.code(text).as_deref(), Some(kept), "{text}");
    }
    for system in System::ALL {
        assert_eq!(system.code(system.example()).as_deref(), Some(system.example()));
        assert_eq!(System::of_name(system.name()), Some(system));
    }
    assert_eq!(System::of_name("snomed-ct"), Some(System::SnomedCt));
    assert_eq!(System::of_name("ICD10CM"), Some(System::Icd10Cm));
    assert_eq!(System::of_name("Homemade"), None);
}

#[test]
fn codes_that_are_not() {
    let wrong = [
        (System::Icd10Cm, "E1"),
        (System::Icd10Cm, "E11."),
        (System::Icd10Cm, "11E.9"),
        (System::Icd10Cm, "E11.99999"),
        (System::Icd10Pcs, "0DTI4ZZ"),
        // A wrong check digit; a description and no concept; too short for a namespace.
        (System::SnomedCt, "73211008"),
        (System::SnomedCt, "073211009"),
        (System::SnomedCt, "12345"),
        (System::Loinc, "2345-8"),
        (System::Loinc, "2345"),
        (System::RxNorm, "06809"),
        (System::RxNorm, "123456789"),
        (System::RxNorm, "metformin"),
        (System::Cvx, "0"),
        (System::Cvx, "1000"),
        (System::Cpt, "9921"),
        (System::Hcpcs, "Z0439"),
    ];
    for (system, text) in wrong {
        assert_eq!(system.code(text), None, "{text}");
    }
}

/// A concept with its check digit.
fn concept(item: &str) -> String {
    let number = format!("{item}00");
    format!("{number}{}", codes::verhoeff_check(&number).unwrap())
}

proptest! {
    #[test]
    fn no_text_breaks_a_rule(text in ".{0,24}", digits in "[0-9A-Z.-]{0,20}") {
        for system in System::ALL {
            for text in [&text, &digits] {
                if let Some(kept) = system.code(text) {
                    prop_assert_eq!(system.code(&kept), Some(kept.clone()), "kept as it is kept");
                }
            }
        }
        prop_assert!(System::of_name(&text).is_none_or(|it| System::ALL.contains(&it)));
        prop_assert!(options::of_id(&text).is_none());
        prop_assert!(options::dosage(&digits).is_none());
    }

    /// Verhoeff's digit finds every wrong digit and every two that changed places.
    #[test]
    fn check_digits_of_concepts(item in "[1-9][0-9]{2,14}", at in 0usize..18, other in 1u8..10) {
        let code = concept(&item);
        prop_assert!(codes::is_snomed(&code), "{}", code);
        let bytes = code.as_bytes();
        let at = at % bytes.len();
        let mut wrong = bytes.to_vec();
        wrong[at] = b'0' + (wrong[at] - b'0' + other) % 10;
        prop_assert!(!codes::is_snomed(std::str::from_utf8(&wrong).unwrap()));
        let mut turned = bytes.to_vec();
        let next = (at + 1) % turned.len();
        if next > at && turned[at] != turned[next] {
            turned.swap(at, next);
            prop_assert!(!codes::is_snomed(std::str::from_utf8(&turned).unwrap()));
        }
    }

    #[test]
    fn one_check_digit_of_ten_is_loincs(number in "[1-9][0-9]{0,6}") {
        let held: Vec<u32> =
            (0..10).filter(|digit| codes::is_loinc(&format!("{number}-{digit}"))).collect();
        prop_assert_eq!(held, vec![codes::loinc_check(&number).unwrap()]);
    }

    #[test]
    fn diagnoses_are_kept_in_one_way(code in "[A-Z][0-9][0-9A-Z][0-9A-Z]{1,4}") {
        let pointed = format!("{}.{}", &code[..3], &code[3..]);
        for text in [&code, &pointed, &code.to_lowercase()] {
            let kept = codes::icd10cm(text);
            prop_assert_eq!(kept.as_ref(), Some(&pointed));
        }
    }
}

#[test]
fn what_is_resolved_stays_so() {
    use Status::{Active, Inactive, Resolved};
    for from in [Active, Inactive, Resolved] {
        for to in [Active, Inactive, Resolved] {
            let wanted = match from {
                Active => to != Resolved,
                Inactive => true,
                Resolved => to == Resolved,
            };
            assert_eq!(may_become(from, to), wanted, "{from} to {to}");
        }
    }
}

#[test]
fn the_sample_is_in_order() {
    assert!(DRUGS.windows(2).all(|two| two[0].name < two[1].name));
    let mut numbers: Vec<u32> = DRUGS.iter().map(|drug| drug.rxcui).collect();
    numbers.sort_unstable();
    numbers.dedup();
    assert_eq!(numbers.len(), DRUGS.len());
    for drug in &DRUGS {
        assert!(codes::is_rxcui(&drug.rxcui.to_string()) && !drug.strengths.is_empty());
    }
    assert_eq!(options::found("FORM met").len(), 1);
    assert_eq!(options::found("6809")[0].name, "Metformin");
    assert!(options::found("unobtainium").is_empty());
    assert_eq!(options::suggested("pet"), ["Cat dander", "Dog dander", "Horse dander"]);
    assert!(options::suggested("ALLERGY").contains(&"Peanut"));
    assert!(options::suggested("nothing").is_empty());
    let all = options::suggested("");
    assert!(all.windows(2).all(|two| two[0] < two[1]), "each once, by name");
}
