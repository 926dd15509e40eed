//! The rules by which a form is asked, scored and judged (behaviour 25).

use std::collections::HashSet;

use proptest::prelude::*;
use ward_charting::question::order;
use ward_charting::rules::condition::{Condition, Filter, has_cycle, shown};
use ward_charting::rules::display::displayed;
use ward_charting::rules::required::missing;
use ward_charting::rules::scoring::{score, scores, worth};
use ward_charting::rules::{Answers, Question, options};
use ward_charting::seed_forms::{FORMS, Form};

fn asks(id: i64, mod_type: &str) -> Question {
    Question { id, mod_type: mod_type.to_owned(), ..Question::default() }
}

fn after(id: i64, of: i64, filter: Filter, value: &str) -> Question {
    let condition = Condition::new(of, filter.as_str(), Some(value));
    Question { condition, required: true, ..asks(id, "text") }
}

fn said(answers: &[(i64, &str)]) -> Answers {
    answers.iter().map(|(id, text)| (*id, (*text).to_owned())).collect()
}

#[test]
fn each_filter() {
    let holds = |filter: Filter, value: &str, mod_type: &str, answer: Option<&str>| {
        Condition::new(1, filter.as_str(), Some(value)).unwrap().holds(mod_type, answer)
    };
    use Filter::{Contains, Equals, GreaterThan, IsAnswered, LessThan, NotContains, NotEquals};
    for (filter, value, mod_type, answer, wanted) in [
        (Equals, "Yes", "radio", Some(" yes "), true),
        (Equals, "Yes", "radio", Some("No"), false),
        (NotEquals, "Yes", "radio", Some("No"), true),
        (NotEquals, "Yes", "radio", None, true),
        (Contains, "Other", "checkbox", Some("Food\nOther"), true),
        (Contains, "Other", "checkbox", Some("Other things"), false),
        (Contains, "pain", "textarea", Some("<p>Back Pain</p>"), true),
        (NotContains, "pain", "textarea", None, true),
        (GreaterThan, "9", "number", Some("10"), true),
        (GreaterThan, "9", "number", Some("9"), false),
        (GreaterThan, "9", "number", Some("ten"), false),
        (LessThan, "2000-01-01", "dob", Some("1990-02-01"), true),
        (LessThan, "2000-01-01", "dob", None, false),
        (IsAnswered, "", "text", Some("x"), true),
        (IsAnswered, "", "text", None, false),
    ] {
        assert_eq!(holds(filter, value, mod_type, answer), wanted, "{filter:?} {value} {answer:?}");
    }
    assert_eq!(Condition::new(1, "sounds_like", Some("x")), None);
}

#[test]
fn what_hangs_on_a_hidden_question_is_hidden() {
    let part = Question { parent: Some(2), ..asks(4, "text") };
    let form = [
        asks(1, "radio"),
        after(2, 1, Filter::Equals, "Yes"),
        after(3, 2, Filter::NotEquals, "x"),
        part,
    ];
    let seen = |answers: &[(i64, &str)]| shown(&form, &said(answers));
    assert_eq!(seen(&[(1, "Yes")]), HashSet::from([1, 2, 3, 4]));
    // The negative filter would hold, but nobody was asked.
    assert_eq!(seen(&[(1, "No"), (2, "left over")]), HashSet::from([1]));
    assert_eq!(missing(&form, &said(&[(1, "No")])), Vec::<&Question>::new());
    let blocking: Vec<i64> =
        missing(&form, &said(&[(1, "Yes"), (2, "  ")])).iter().map(|it| it.id).collect();
    assert_eq!(blocking, [2, 3]);
}

#[test]
fn what_is_required() {
    let must = |id, mod_type| Question { required: true, ..asks(id, mod_type) };
    let form = [must(1, "label"), must(2, "agree_to_above"), must(3, "unheard_of")];
    let ids = |answers: &[(i64, &str)]| -> Vec<i64> {
        missing(&form, &said(answers)).iter().map(|it| it.id).collect()
    };
    assert_eq!(ids(&[]), [2, 3]);
    assert_eq!(ids(&[(2, "false"), (3, "{}")]), [2]);
    assert_eq!(ids(&[(2, "true"), (3, "{}")]), Vec::<i64>::new());
}

#[test]
fn what_an_option_is_worth() {
    for (chosen, wanted) in [
        ("Never", Some(0.0)),
        ("Always", Some(3.0)),
        ("3 = always", Some(3.0)),
        ("-1", Some(-1.0)),
        ("1.5 points", Some(1.5)),
        ("Often (2)", Some(2.0)),
        ("Often [4] (really)", Some(4.0)),
        ("2nd choice", Some(3.0)),
    ] {
        let list = options(&format!("Never\nSometimes\n\nRarely\n{chosen}"));
        assert_eq!(worth(&list, chosen), wanted, "{chosen}");
        assert_eq!(worth(&options("Yes\nNo"), chosen), None, "{chosen} is no option");
    }
}

/// The form of a seed with the questions numbered by their places.
fn seeded(form: &Form) -> Vec<Question> {
    let question = |(at, line): (usize, &ward_charting::seed_forms::Line)| Question {
        id: i64::try_from(at).unwrap(),
        mod_type: line.mod_type.to_owned(),
        label: line.label.to_owned(),
        options: line.options.iter().map(|it| (*it).to_owned()).collect(),
        required: line.required,
        parent: None,
        condition: line.condition.map(|(of, filter, value)| Condition {
            of: i64::try_from(of).unwrap(),
            filter,
            value: value.to_owned(),
        }),
    };
    form.lines.iter().enumerate().map(question).collect()
}

#[test]
fn the_instruments_score_as_they_were_published() {
    for (name, items, most) in [("PHQ-9", 9, 27.0), ("GAD-7", 7, 21.0)] {
        let form = FORMS.iter().find(|it| it.name.starts_with(name)).unwrap();
        let questions = seeded(form);
        let items: Vec<&Question> =
            questions.iter().filter(|it| it.mod_type == "radio").take(items + 1).collect();
        let total = |option: usize| {
            let answers: Answers =
                items.iter().map(|it| (it.id, it.options[option].clone())).collect();
            let all: HashSet<i64> = questions.iter().map(|it| it.id).collect();
            let score = scores(&questions, &answers, &all).remove(0);
            assert!(score.has_calculator && score.show && score.title == name, "{score:?}");
            score.value
        };
        assert!((total(3) - most).abs() < f64::EPSILON);
        assert!(total(0).abs() < f64::EPSILON);
        let nothing = scores(&questions, &Answers::new(), &HashSet::new()).remove(0);
        assert!(!nothing.show);
    }
}

#[test]
fn how_answers_are_read() {
    let at = jiff::civil::date(2026, 7, 19).at(10, 44, 0, 0);
    let read = |mod_type, answer| displayed(mod_type, answer, at);
    assert_eq!(read("name", "Ada,King").as_deref(), Some("King, Ada"));
    assert_eq!(read("referring_provider", "King,Ada").as_deref(), Some("King, Ada"));
    assert_eq!(read("agree_to_above", "true").as_deref(), Some("Agreed To On Jul 19, 2026 10:44"));
    assert_eq!(read("agree_to_above", ""), None);
    assert_eq!(read("label", ""), None);
    assert_eq!(read("unheard_of", " \\ kept ").as_deref(), Some(" \\ kept "));
}

#[test]
fn no_seeded_form_has_a_circle_or_a_decider_without_answer() {
    for form in FORMS {
        let questions = seeded(form);
        assert!(!has_cycle(&questions), "{}", form.name);
        for condition in questions.iter().filter_map(|it| it.condition.as_ref()) {
            let of = &questions[usize::try_from(condition.of).unwrap()];
            let known = of.options.contains(&condition.value);
            assert!(known, "{}: {condition:?} of {of:?}", form.name);
        }
    }
}

#[test]
fn a_circle_hides_nothing() {
    let on = |id: i64, of: i64| Question {
        condition: Condition::new(of, "equals", Some("Yes")),
        ..asks(id, "radio")
    };
    let circle = [on(1, 2), on(2, 1), on(3, 3), asks(4, "text")];
    let yes: Answers = (1..=4).map(|id| (id, "Yes".to_owned())).collect();
    assert_eq!(shown(&circle, &yes), HashSet::from([1, 2, 3, 4]));
}

proptest! {
    /// Whatever a form's questions hang on: outside of circles, what is shown hangs on shown ones only, and
    /// a circle is found exactly where walking up comes back.
    #[test]
    fn conditions_of_any_form(
        edges in prop::collection::vec((prop::option::of(0..8i64), prop::option::of(0..8i64)), 8),
        yes in prop::collection::vec(any::<bool>(), 8),
    ) {
        let questions: Vec<Question> = (0..).zip(&edges).map(|(id, (of, parent))| Question {
            condition: of.and_then(|of| Condition::new(of, "equals", Some("Yes"))),
            parent: *parent,
            ..asks(id, "radio")
        }).collect();
        let answers: Answers = (0..).zip(&yes)
            .map(|(id, yes)| (id, if *yes { "Yes" } else { "No" }.to_owned())).collect();
        let seen = shown(&questions, &answers);
        let mut reach: Vec<HashSet<i64>> = questions.iter().map(|it| {
            it.condition.iter().map(|it| it.of).chain(it.parent).collect()
        }).collect();
        for _ in 0..questions.len() {
            reach = reach.iter().map(|own| {
                own.iter().flat_map(|at| reach[usize::try_from(*at).unwrap()].iter().copied())
                    .chain(own.iter().copied()).collect()
            }).collect();
        }
        for question in questions.iter().filter(|it| seen.contains(&it.id)) {
            // Where a circle is closed, nothing is decided.
            if reach[usize::try_from(question.id).unwrap()].contains(&question.id) {
                continue;
            }
            if let Some(condition) = &question.condition {
                prop_assert!(seen.contains(&condition.of));
                prop_assert_eq!(answers[&condition.of].as_str(), "Yes");
            }
            prop_assert!(question.parent.is_none_or(|parent| seen.contains(&parent)));
        }
        let circles = (0..).zip(&reach).any(|(id, own)| own.contains(&id));
        prop_assert_eq!(has_cycle(&questions), circles);
    }

    /// No text of an option, answer or value makes a rule fail, and a score is finite.
    #[test]
    fn any_text(option in ".{0,12}", answer in ".{0,12}", value in ".{0,12}") {
        for filter in Filter::ALL {
            Condition::new(1, filter.as_str(), Some(&value)).unwrap().holds("checkbox", Some(&answer));
        }
        let worth = worth(std::slice::from_ref(&option), &option);
        prop_assert!(worth.is_none_or(f64::is_finite));
        let at = jiff::civil::date(2026, 7, 19).at(10, 44, 0, 0);
        for mod_type in ["name", "referring_provider", "matrix", &value] {
            displayed(mod_type, &answer, at);
        }
    }

    /// A question is put where it is wanted, and no other moves.
    #[test]
    fn places(indexes in prop::collection::vec(0..20usize, 1..40)) {
        let mut places: Vec<i64> = Vec::new();
        for index in indexes {
            let index = index.min(places.len());
            let place = order::at(&places, Some(index));
            if place.is_none() {
                places = order::anew(places.len()).collect();
            }
            let place = order::at(&places, Some(index)).unwrap();
            places.insert(index, place);
            prop_assert!(places.is_sorted_by(|a, b| a < b) && places[0] > 0);
        }
    }
}

#[test]
fn what_is_no_option_scores_nothing_and_each_counts_once() {
    let options = ["Never (0)".to_owned(), "Often (3)".to_owned()].to_vec();
    let question = Question { options, ..asks(1, "checkbox") };
    let scored = |text: &str| score(&question, &Answers::from([(1, text.to_owned())]));
    assert_eq!(scored("Often (3)"), Some(3.0));
    assert_eq!(scored("Often (3)\n Often (3)"), Some(3.0));
    assert_eq!(scored("9999"), None);
    assert_eq!(scored("3 kids"), None);
}

#[test]
fn an_empty_name_is_missing() {
    for mod_type in ["name", "referring_provider"] {
        let asked = [Question { required: true, ..asks(1, mod_type) }];
        let misses = |text: &str| missing(&asked, &Answers::from([(1, text.to_owned())])).len();
        assert_eq!((misses(","), misses(" , "), misses("Ada,"), misses("Ada")), (1, 1, 0, 0));
    }
}
