//! What is known of a question's type, which is any word (behaviour 25). A type that
//! is not known is kept and answered as it came.

/// Types that show something and take no answer.
const SHOWN_ONLY: [&str; 5] = ["label", "read_only", "hipaa", "image", "video"];
/// Types of which one option is chosen.
const ONE_OF: [&str; 3] = ["radio", "horizontal_radio", "dropdown"];
/// A type that sums up others.
pub const CALCULATOR: &str = "autoscored_calculator";
/// A type of several options.
pub const CHECKBOX: &str = "checkbox";
/// A heading: a section begins with it.
pub const HEADING: &str = "label";
/// A notice of privacy practices, in the name of the practice.
pub const HIPAA: &str = "hipaa";
/// Rows and columns.
pub const MATRIX: &str = "matrix";

/// Whether it takes an answer of the person who fills in.
pub fn is_answered(mod_type: &str) -> bool {
    !SHOWN_ONLY.contains(&mod_type) && mod_type != CALCULATOR
}

/// Whether there is anything to fill in.
pub fn is_read_only(mod_type: &str) -> bool {
    SHOWN_ONLY.contains(&mod_type)
}

/// Whether its options are chosen, and so have a score.
pub fn is_chosen(mod_type: &str) -> bool {
    ONE_OF.contains(&mod_type) || mod_type == CHECKBOX
}

/// Whether an answer can be taken over into a new form: not what is agreed to and signed
/// each time.
pub fn is_kept(mod_type: &str) -> bool {
    !matches!(mod_type, "agree_to_above" | "signature")
}
