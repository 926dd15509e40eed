//! What a Sandbox's templates ask. PHQ-9 and GAD-7 may be used by anybody without
//! permission; their words and scores are those of the published instruments.

use crate::rules::condition::Filter;

/// A template.
#[derive(Clone, Copy, Debug)]
pub struct Form {
    /// Its name.
    pub name: &'static str,
    /// Whether it is for notes.
    pub use_for_charting: bool,
    /// Whether it begins with the answers before.
    pub prefill: bool,
    /// Whether it is nobody's own.
    pub is_instrument: bool,
    /// What it asks, in order.
    pub lines: &'static [Line],
}

/// A question, or a text.
#[derive(Clone, Copy, Debug)]
pub struct Line {
    /// What it is.
    pub mod_type: &'static str,
    /// What it asks.
    pub label: &'static str,
    /// What is said below.
    pub sublabel: &'static str,
    /// What can be chosen.
    pub options: &'static [&'static str],
    /// Whether it must be answered.
    pub required: bool,
    /// The place of the question on which it depends, from 0, and how.
    pub condition: Option<(usize, Filter, &'static str)>,
}

const fn line(mod_type: &'static str, label: &'static str) -> Line {
    Line { mod_type, label, sublabel: "", options: &[], required: false, condition: None }
}

const fn must(mod_type: &'static str, label: &'static str) -> Line {
    Line { required: true, ..line(mod_type, label) }
}

const fn one_of(label: &'static str, options: &'static [&'static str]) -> Line {
    Line { options, ..must("radio", label) }
}

const YES_NO: &[&str] = &["Yes", "No"];
/// The answers of both instruments, with their scores.
const DAYS: &[&str] =
    &["Not at all (0)", "Several days (1)", "More than half the days (2)", "Nearly every day (3)"];
const TWO_WEEKS: &str =
    "Over the last 2 weeks, how often have you been bothered by any of the following problems?";
const DIFFICULTY: Line = Line {
    sublabel: "Only if you checked off any problems. This answer is no part of the score.",
    options: &[
        "Not difficult at all",
        "Somewhat difficult",
        "Very difficult",
        "Extremely difficult",
    ],
    ..line(
        "dropdown",
        "How difficult have these problems made it for you to do your work, take care of things at home, or get along with other people?",
    )
};

/// All of them.
pub const FORMS: &[Form] = &[CONSENT, HISTORY, PHQ_9, GAD_7, SOAP];

const CONSENT: Form = Form {
    name: "Consent to care",
    use_for_charting: false,
    prefill: false,
    is_instrument: false,
    lines: &[
        line("label", "Consent to care"),
        line(
            "read_only",
            "<p>This is a sample text of a synthetic practice and no legal advice. I agree to be cared for by this practice, in person or by video. I may end my care at any time.</p>",
        ),
        must("agree_to_above", "I have read and agree to the above"),
        line("label", "Privacy practices"),
        line("hipaa", "Notice of privacy practices"),
        must("agree_to_above", "I have received the notice of privacy practices"),
        must("signature", "Signature"),
        must("date", "Date"),
    ],
};

const HISTORY: Form = Form {
    name: "Health history",
    use_for_charting: false,
    prefill: true,
    is_instrument: false,
    lines: &[
        line("label", "About you"),
        must("name", "Name"),
        must("dob", "Date of birth"),
        line("phone", "Phone number"),
        line("location", "Address"),
        must("textarea", "What brings you to us?"),
        line("label", "Your health"),
        one_of("Do you take any medication?", YES_NO),
        Line {
            condition: Some((7, Filter::Equals, "Yes")),
            ..must("textarea", "Which medication, how much and how often?")
        },
        one_of("Do you have any allergies?", YES_NO),
        Line {
            options: &["Food", "Medication", "Pollen", "Insects", "Other"],
            condition: Some((9, Filter::Equals, "Yes")),
            ..must("checkbox", "What are you allergic to?")
        },
        Line {
            condition: Some((10, Filter::Contains, "Other")),
            ..must("text", "Which other allergies?")
        },
        Line {
            options: &[
                "Diabetes",
                "High blood pressure",
                "Heart disease",
                "Thyroid disease",
                "None",
            ],
            ..line("checkbox", "Do you have any of these?")
        },
        line("number", "Hours of sleep in a usual night"),
        line("date", "Last visit to a physician"),
        line("label", "Your family"),
        line("matrix", "Illnesses in your family"),
    ],
};

const PHQ_9: Form = Form {
    name: "PHQ-9 Patient Health Questionnaire",
    use_for_charting: false,
    prefill: false,
    is_instrument: true,
    lines: &[
        Line { sublabel: TWO_WEEKS, ..line("label", "PHQ-9") },
        one_of("Little interest or pleasure in doing things", DAYS),
        one_of("Feeling down, depressed, or hopeless", DAYS),
        one_of("Trouble falling or staying asleep, or sleeping too much", DAYS),
        one_of("Feeling tired or having little energy", DAYS),
        one_of("Poor appetite or overeating", DAYS),
        one_of(
            "Feeling bad about yourself - or that you are a failure or have let yourself or your family down",
            DAYS,
        ),
        one_of(
            "Trouble concentrating on things, such as reading the newspaper or watching television",
            DAYS,
        ),
        one_of(
            "Moving or speaking so slowly that other people could have noticed? Or the opposite - being so fidgety or restless that you have been moving around a lot more than usual",
            DAYS,
        ),
        one_of(
            "Thoughts that you would be better off dead or of hurting yourself in some way",
            DAYS,
        ),
        Line {
            sublabel: "0-4 minimal, 5-9 mild, 10-14 moderate, 15-19 moderately severe, 20-27 severe depression",
            ..line("autoscored_calculator", "Total score")
        },
        line("label", "Difficulty"),
        DIFFICULTY,
    ],
};

const GAD_7: Form = Form {
    name: "GAD-7 Anxiety Scale",
    use_for_charting: false,
    prefill: false,
    is_instrument: true,
    lines: &[
        Line { sublabel: TWO_WEEKS, ..line("label", "GAD-7") },
        one_of("Feeling nervous, anxious, or on edge", DAYS),
        one_of("Not being able to stop or control worrying", DAYS),
        one_of("Worrying too much about different things", DAYS),
        one_of("Trouble relaxing", DAYS),
        one_of("Being so restless that it is hard to sit still", DAYS),
        one_of("Becoming easily annoyed or irritable", DAYS),
        one_of("Feeling afraid, as if something awful might happen", DAYS),
        Line {
            sublabel: "0-4 minimal, 5-9 mild, 10-14 moderate, 15-21 severe anxiety",
            ..line("autoscored_calculator", "Total score")
        },
        line("label", "Difficulty"),
        DIFFICULTY,
    ],
};

const SOAP: Form = Form {
    name: "SOAP note",
    use_for_charting: true,
    prefill: false,
    is_instrument: false,
    lines: &[
        line("label", "Subjective"),
        must("textarea", "What the client reports"),
        line("label", "Objective"),
        line("number", "Weight (lb)"),
        line("textarea", "Findings"),
        line("label", "Assessment"),
        must("textarea", "Assessment"),
        line("diagnosis", "Diagnosis"),
        line("label", "Plan"),
        must("textarea", "Plan"),
        one_of("Follow-up needed?", YES_NO),
        Line { condition: Some((10, Filter::Equals, "Yes")), ..must("date", "Follow-up by") },
    ],
};
