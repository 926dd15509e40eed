//! Parts of resources of FHIR R4: pure functions. What is not there is left out, since FHIR knows
//! neither null nor the empty text.

use serde_json::{Map, Value as Json, json};

/// A resource, or a part of one, as it is put together.
#[derive(Clone, Debug, Default)]
pub struct Part(Map<String, Json>);

impl Part {
    /// A resource with its id.
    pub fn resource(kind: &str, id: impl ToString) -> Self {
        Part::default().with("resourceType", kind).with("id", id.to_string())
    }

    /// With a member that is always there.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<Json>) -> Self {
        self.0.insert(name.to_owned(), value.into());
        self
    }

    /// With a member, where there is one.
    #[must_use]
    pub fn maybe(self, name: &str, value: Option<impl Into<Json>>) -> Self {
        match value {
            Some(value) => self.with(name, value),
            None => self,
        }
    }

    /// With a text, where there is one.
    #[must_use]
    pub fn text(self, name: &str, value: Option<&str>) -> Self {
        self.maybe(name, value.and_then(string))
    }

    /// With a list, where it holds something.
    #[must_use]
    pub fn list(self, name: &str, items: Vec<Json>) -> Self {
        match items.is_empty() {
            true => self,
            false => self.with(name, items),
        }
    }

    /// With a moment (RFC 3339) or a day, where FHIR can write it.
    #[must_use]
    pub fn at(self, name: &str, value: Option<String>) -> Self {
        self.maybe(name, value.filter(|text| is_time(text)))
    }

    /// With who is referred to.
    #[must_use]
    pub fn to(self, name: &str, reference: Option<String>) -> Self {
        self.maybe(name, reference.map(refer))
    }

    /// As JSON.
    pub fn json(self) -> Json {
        Json::Object(self.0)
    }

    /// As JSON, unless nothing is in it.
    pub fn some(self) -> Option<Json> {
        (!self.0.is_empty()).then_some(Json::Object(self.0))
    }
}

/// A text as FHIR takes it: no spaces but plain ones, and not blank.
pub fn string(text: &str) -> Option<String> {
    let plain = |c: char| match c {
        ' ' | '\t' | '\r' | '\n' => c,
        c if c.is_whitespace() || c == '\u{feff}' => ' ',
        c => c,
    };
    let text: String = text.chars().map(plain).collect();
    (!text.trim().is_empty()).then(|| text.trim().to_owned())
}

/// Years 0001 to 9999; jiff writes others with a sign, and what is no moment as a number.
fn is_time(text: &str) -> bool {
    let year = text.split_once('-').map_or("", |(year, _)| year);
    text.len() >= 10 && year.len() == 4 && year != "0000"
}

/// A reference.
pub fn refer(reference: String) -> Json {
    json!({ "reference": reference })
}

/// A concept that is only a text; none of a blank one.
pub fn concept(text: Option<&str>) -> Option<Json> {
    let text = string(text?)?;
    Some(json!({ "text": text }))
}

/// A concept with a code of a system, and perhaps a text.
pub fn coded(system: &str, code: Option<&str>, text: Option<&str>) -> Option<Json> {
    let coding = code.and_then(token).map(|code| {
        let coding = Part::default().with("system", system).with("code", code);
        vec![coding.text("display", text).json()]
    });
    let part = Part::default().maybe("coding", coding);
    part.text("text", text).some()
}

/// A code as FHIR takes it: words with single spaces.
pub fn token(text: &str) -> Option<String> {
    let words: Vec<&str> = text.split_whitespace().collect();
    (!words.is_empty()).then(|| words.join(" "))
}

/// A note that says something.
pub fn notes(texts: &[Option<&str>]) -> Vec<Json> {
    let texts = texts.iter().flatten().filter_map(|text| string(text));
    texts.map(|text| json!({ "text": text })).collect()
}

/// A time from one moment to another; none where neither is known, and no end before the start.
pub fn period(start: Option<String>, end: Option<String>) -> Option<Json> {
    let start = start.filter(|text| is_time(text));
    let end = end.filter(|end| is_time(end) && start.as_ref().is_none_or(|start| start <= end));
    Part::default().maybe("start", start).maybe("end", end).some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_there_is_left_out() {
        let part = Part::resource("Patient", 7)
            .text("a", Some(" \u{a0} "))
            .text("b", None)
            .list("c", Vec::new())
            .at("d", Some("-009999-01-01T00:00:00Z".to_owned()))
            .maybe("e", None::<bool>)
            .to("f", None);
        assert_eq!(part.json(), json!({ "resourceType": "Patient", "id": "7" }));
        assert_eq!(concept(Some("")), None);
        assert_eq!(coded("http://loinc.org", Some("  "), None), None);
        assert_eq!(period(None, None), None);
    }

    #[test]
    fn texts_are_as_fhir_takes_them() {
        assert_eq!(string("a\u{a0}b\u{2028}c\n").as_deref(), Some("a b c"));
        assert_eq!(token(" a \t b ").as_deref(), Some("a b"));
        let day = |text: &str| Some(text.to_owned());
        let back = period(day("2026-03-02"), day("2026-03-01"));
        assert_eq!(back, Some(json!({ "start": "2026-03-02" })));
        let one = coded("http://loinc.org", Some("8302-2"), Some("Height"));
        let coding =
            json!([{ "system": "http://loinc.org", "code": "8302-2", "display": "Height" }]);
        assert_eq!(one, Some(json!({ "coding": coding, "text": "Height" })));
    }
}
