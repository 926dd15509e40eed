//! What care plans and recommendations may say (behaviour 29): pure rules.

use ward_engine::{Answer, Given, Problems, Refused};

use super::table::CarePlan;
use crate::rules::{LINE_CHARS_MAX, NOTES_CHARS_MAX, bounded, not_emptied, required};

/// The name of a new plan.
pub fn name_of_new(name: &Given<String>, problems: &mut Problems) {
    required("name", name, problems);
    bounded("name", name, LINE_CHARS_MAX, problems);
}

/// What a change says of a plan, written into it.
pub fn write(
    (name, description): (&Given<String>, &Given<String>),
    plan: &mut CarePlan,
    problems: &mut Problems,
) {
    not_emptied("name", name, problems);
    bounded("name", name, LINE_CHARS_MAX, problems);
    bounded("description", description, NOTES_CHARS_MAX, problems);
    if let Some(name) = name.trimmed() {
        name.clone_into(&mut plan.name);
    }
    description.set_text(&mut plan.description);
}

/// What a recommendation says.
pub fn advice(
    (body, kind): (&Given<String>, &Given<String>),
    is_new: bool,
    problems: &mut Problems,
) {
    match is_new {
        true => required("recommendation_body", body, problems),
        false => not_emptied("recommendation_body", body, problems),
    }
    bounded("recommendation_body", body, NOTES_CHARS_MAX, problems);
    bounded("recommendation_type", kind, LINE_CHARS_MAX, problems);
}

/// Templates are nobody's, so that none is active.
pub fn can_be_active(plan: &CarePlan) -> Answer<()> {
    match plan.is_template {
        true => Err(Refused::on(
            "id",
            "This is a template: apply it to a client or a group with bulkApplyCarePlanTemplate",
        )),
        false => Ok(()),
    }
}

/// The text of HTML without its tags: nothing in it is taken for one, however broken the HTML is.
pub fn without_tags(html: &str) -> String {
    let mut text = String::with_capacity(html.len());
    let mut is_inside = false;
    for letter in html.chars() {
        match letter {
            '<' => is_inside = true,
            '>' if is_inside => {
                is_inside = false;
                text.push(' ');
            }
            '>' => {}
            _ if is_inside => {}
            _ => text.push(letter),
        }
    }
    let words: Vec<&str> = text.split_whitespace().collect();
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn tags_are_left_out() {
        for (html, text) in [
            ("<p>Walk <b>more</b></p>", "Walk more"),
            ("plain", "plain"),
            ("<img src=x onerror=alert(1)", ""),
            ("a<script>b</script>c", "a b c"),
            ("1 > 0", "1 0"),
            ("", ""),
        ] {
            assert_eq!(without_tags(html), text, "{html}");
        }
    }

    proptest! {
        #[test]
        fn no_tag_is_left(html in "[<>a-c \"'/&;]{0,40}") {
            let text = without_tags(&html);
            prop_assert!(!text.contains(['<', '>']));
            prop_assert_eq!(without_tags(&text), text);
        }
    }
}
