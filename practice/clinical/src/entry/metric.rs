//! Which answers of a form are a metric of the client (behaviour 25): pure rules.

use ward_instance::Timestamp;

use super::rules;

/// Names of metrics that every practice has, as a question's type or an entry's category has
/// them. The contract says two of them and has switches for the others.
const BUILT_IN: [&str; 13] = [
    "A1C",
    "Basal Metabolic Rate",
    "Blood Pressure",
    "Blood Sugar",
    "Body Fat %",
    "Body Temperature",
    "Diastolic Blood Pressure",
    "Heart Rate",
    "Height",
    "Oxygen Saturation",
    "Systolic Blood Pressure",
    "Waist Circumference",
    "Weight",
];

/// Whether a question of this type asks for a metric: a name, exactly as its category is written.
pub fn is_metric(mod_type: &str) -> bool {
    BUILT_IN.contains(&mod_type)
}

/// The number that an answer says, as it stands in an entry: of a question that is asked, on a day
/// that an entry can be dated at. Any other answer is kept in its form and is no metric.
pub fn said(
    answer: Option<&str>,
    hidden: bool,
    (served_at, now): (Timestamp, Timestamp),
) -> Option<String> {
    let text = answer?.trim();
    let counts = !hidden && served_at <= rules::latest(now);
    rules::number(text).filter(|_| counts).map(|_| text.to_owned())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const NOW: Timestamp = Timestamp(1_772_000_000_000_000);

    #[test]
    fn names() {
        for name in ["Weight", "Body Fat %", "Blood Pressure"] {
            assert!(is_metric(name), "{name}");
        }
        for name in ["", "weight", "Weight ", "number", "text", "BMI", "a type of tomorrow"] {
            assert!(!is_metric(name), "{name}");
        }
    }

    #[test]
    fn numbers_that_count() {
        let said = |text, hidden, at| said(text, hidden, (at, NOW));
        assert_eq!(said(Some(" 72.50\n"), false, NOW).as_deref(), Some("72.50"));
        assert_eq!(said(Some("72"), true, NOW), None);
        assert_eq!(said(None, false, NOW), None);
        for text in ["heavy", "120/80", "72,5", ""] {
            assert_eq!(said(Some(text), false, NOW), None, "{text}");
        }
        let last = rules::latest(NOW);
        assert!(said(Some("72"), false, last).is_some());
        assert_eq!(said(Some("72"), false, Timestamp(last.0 + 1)), None);
        assert!(said(Some("72"), false, Timestamp(0)).is_some());
    }

    proptest! {
        /// Whatever is answered, an entry's number is one that an entry takes.
        #[test]
        fn only_numbers(text in ".{0,40}", hidden: bool) {
            let found = said(Some(&text), hidden, (NOW, NOW));
            prop_assert_eq!(found.is_some(), !hidden && rules::number(text.trim()).is_some());
        }
    }
}
