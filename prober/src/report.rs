//! What a run found: rows with their cases, and what they are counted to.

use std::collections::BTreeSet;

use serde_json::{Value as Json, json};

use crate::failure::Failure;
use crate::text::{Secrets, finding};

/// Faults of one row that are written out at most; all are counted.
const FAULTS_SHOWN: usize = 20;

/// What became of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// All cases are as they have to be.
    Held,
    /// At least one is not.
    Fault,
    /// There was nothing to try.
    NotApplicable,
}

impl Verdict {
    /// In reports.
    pub const fn word(self) -> &'static str {
        match self {
            Verdict::Held => "held",
            Verdict::Fault => "fault",
            Verdict::NotApplicable => "not applicable",
        }
    }
}

/// One thing that keeps the two apart, tried.
#[derive(Clone, Debug)]
pub struct Row {
    /// Its name in reports.
    pub id: &'static str,
    /// The row of the mistake catalogue that it belongs to.
    pub iso: &'static str,
    /// What has to hold.
    pub title: &'static str,
    cases: usize,
    failed: usize,
    faults: Vec<String>,
    untried: BTreeSet<String>,
    remarks: Vec<String>,
    reason: Option<String>,
    is_cut: bool,
    secrets: Secrets,
}

impl Row {
    /// A row without cases; what is secret stands in none of its faults.
    pub fn new(id: &'static str, iso: &'static str, title: &'static str, secrets: &Secrets) -> Row {
        Row {
            id,
            iso,
            title,
            cases: 0,
            failed: 0,
            faults: Vec::new(),
            untried: BTreeSet::new(),
            remarks: Vec::new(),
            reason: None,
            is_cut: false,
            secrets: secrets.clone(),
        }
    }

    /// One case.
    pub fn case(&mut self, holds: bool, otherwise: impl FnOnce() -> String) {
        self.cases += 1;
        if !holds {
            self.failed += 1;
            let sentence = finding(&otherwise(), &self.secrets);
            if self.faults.len() < FAULTS_SHOWN && !self.faults.contains(&sentence) {
                self.faults.push(sentence);
            }
        }
    }

    /// One case with what is wrong with it, if anything.
    pub fn judged(&mut self, fault: Option<String>) {
        self.case(fault.is_none(), || fault.unwrap_or_default());
    }

    /// Why there is nothing to try; counts only while there is no case.
    pub fn without(&mut self, reason: impl Into<String>) {
        self.reason = Some(finding(&reason.into(), &self.secrets));
    }

    /// Something that the key's user may not ask, and so was not tried: no case, and named.
    pub fn untried(&mut self, what: &str) {
        self.untried.insert(finding(what, &self.secrets));
    }

    /// What has to be known of its cases: over how much was looked, and what there was not.
    pub fn remark(&mut self, what: impl Into<String>) {
        self.remarks.push(finding(&what.into(), &self.secrets));
    }

    /// The run ended within this row, or before it.
    fn cut(&mut self, why: &str) {
        self.is_cut = true;
        self.without(why);
    }

    /// What became of it. A row that tried nothing has not held, nor has one that was cut off.
    pub fn verdict(&self) -> Verdict {
        match (self.failed, self.cases) {
            (1.., _) => Verdict::Fault,
            (0, 1..) if !self.is_cut => Verdict::Held,
            _ => Verdict::NotApplicable,
        }
    }

    /// How many cases there were.
    pub fn cases(&self) -> usize {
        self.cases
    }

    fn reason(&self) -> Option<&str> {
        let nothing = match self.untried.is_empty() {
            true => "there was nothing to try",
            false => "the keys' users may not see what is tried",
        };
        let said = self.reason.as_deref().unwrap_or(nothing);
        (self.is_cut || self.verdict() == Verdict::NotApplicable).then_some(said)
    }

    fn json(&self) -> Json {
        json!({
            "id": self.id,
            "iso": self.iso,
            "title": self.title,
            "verdict": self.verdict().word(),
            "cases": self.cases,
            "passed": self.cases - self.failed,
            "failed": self.failed,
            "faults": self.faults,
            "untried": self.untried,
            "remarks": self.remarks,
            "reason": self.reason(),
        })
    }
}

/// All rows of a run.
#[derive(Clone, Debug)]
pub struct Report {
    /// `probe` or `isolation`.
    pub suite: &'static str,
    /// Both instances, as they are known by their addresses.
    pub instances: Json,
    /// The rows.
    pub rows: Vec<Row>,
    ended: Option<Ended>,
}

/// Why a run ended before its end, and within which row.
#[derive(Clone, Debug)]
struct Ended {
    row: &'static str,
    why: Failure,
}

impl Report {
    /// One without rows.
    pub fn new(suite: &'static str) -> Report {
        Report { suite, instances: Json::Null, rows: Vec::new(), ended: None }
    }

    /// Tries a row. Once one could not be tried to its end, none is tried any more: what was found
    /// before is not lost by it.
    pub fn try_row(&mut self, mut row: Row, attempt: impl FnOnce(&mut Row) -> Result<(), Failure>) {
        if self.ended.is_some() {
            row.cut("not tried: the run had ended before");
        } else if let Err(why) = attempt(&mut row) {
            let why = why.without(&row.secrets);
            row.cut(&format!("the run ended here: {why}"));
            self.ended = Some(Ended { row: row.id, why });
        }
        self.rows.push(row);
    }

    /// Why the run ended before its end.
    pub fn ended(&self) -> Option<&Failure> {
        self.ended.as_ref().map(|it| &it.why)
    }

    /// The report of a run that came to its end, or found a fault before it was cut off; else why
    /// it has none.
    pub fn finished(self) -> Result<Report, Failure> {
        match self.ended {
            Some(Ended { why, .. }) if self.rows.iter().all(|row| row.failed == 0) => Err(why),
            _ => Ok(self),
        }
    }

    /// Whether a fault was found.
    pub fn has_fault(&self) -> bool {
        self.rows.iter().any(|row| row.verdict() == Verdict::Fault)
    }

    /// The report as it is signed; `at` is when it was made.
    pub fn json(&self, at: jiff::Timestamp) -> Json {
        let of = |verdict| self.rows.iter().filter(|row| row.verdict() == verdict).count();
        let sum = |count: fn(&Row) -> usize| self.rows.iter().map(count).sum::<usize>();
        json!({
            "program": concat!("ward-probe ", env!("CARGO_PKG_VERSION")),
            "suite": self.suite,
            "at": at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
            "instances": self.instances,
            "verdict": if self.has_fault() { "fault" } else { "held" },
            "counts": {
                "rows": self.rows.len(),
                "held": of(Verdict::Held),
                "fault": of(Verdict::Fault),
                "not_applicable": of(Verdict::NotApplicable),
                "cases": sum(|row| row.cases),
                "passed": sum(|row| row.cases - row.failed),
                "failed": sum(|row| row.failed),
            },
            "ended": self.ended.as_ref().map(|it| json!({"row": it.row, "why": it.why.sentence})),
            "rows": self.rows.iter().map(Row::json).collect::<Vec<_>>(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_holds_by_its_cases_only() {
        let mut row = Row::new("a", "ISO-01", "t", &Secrets::default());
        row.without("no key");
        assert_eq!((row.verdict(), row.reason()), (Verdict::NotApplicable, Some("no key")));
        row.case(true, String::new);
        assert_eq!((row.verdict(), row.reason()), (Verdict::Held, None));
        row.judged(Some("wrong".to_owned()));
        assert_eq!((row.verdict(), row.cases()), (Verdict::Fault, 2));
        assert_eq!(row.json()["faults"], json!(["wrong"]));
    }

    #[test]
    fn a_run_that_was_cut_off_keeps_its_faults_and_holds_nothing_more() {
        let row = |id| Row::new(id, "ISO-01", "t", &Secrets::default());
        let cut = |is_good: bool| {
            let mut report = Report::new("probe");
            report.try_row(row("a"), |row| {
                row.case(is_good, || "wrong".to_owned());
                Ok(())
            });
            report.try_row(row("b"), |row| {
                row.case(true, String::new);
                Err(Failure::unavailable("it is gone"))
            });
            report.try_row(row("c"), |row| {
                row.case(true, String::new);
                Ok(())
            });
            report.finished()
        };
        assert_eq!(cut(true).unwrap_err().sentence, "it is gone");
        let report = cut(false).unwrap();
        let verdicts: Vec<_> = report.rows.iter().map(Row::verdict).collect();
        assert_eq!(verdicts, [Verdict::Fault, Verdict::NotApplicable, Verdict::NotApplicable]);
        let json = report.json(jiff::Timestamp::UNIX_EPOCH);
        assert_eq!(json["ended"], json!({"row": "b", "why": "it is gone"}));
        assert_eq!(json["rows"][1]["reason"], "the run ended here: it is gone");
        assert_eq!((&json["verdict"], &json["counts"]["held"]), (&json!("fault"), &json!(0)));
    }

    #[test]
    fn what_was_not_tried_is_no_case_and_is_named() {
        let mut row = Row::new("a", "ISO-01", "t", &Secrets::default());
        row.untried("auditLog");
        row.remark("looked at 7 answers");
        let json = row.json();
        assert_eq!(json["remarks"], json!(["looked at 7 answers"]));
        assert_eq!((&json["verdict"], &json["cases"]), (&json!("not applicable"), &json!(0)));
        assert_eq!(json["reason"], "the keys' users may not see what is tried");
        row.case(true, String::new);
        let json = row.json();
        assert_eq!((&json["verdict"], &json["untried"]), (&json!("held"), &json!(["auditLog"])));
    }

    #[test]
    fn all_faults_are_counted_and_some_are_shown() {
        let mut row = Row::new("a", "ISO-01", "t", &Secrets::default());
        for number in 0..50 {
            row.case(false, || format!("fault {number}"));
        }
        let json = row.json();
        assert_eq!((&json["failed"], &json["passed"]), (&json!(50), &json!(0)));
        assert_eq!(json["faults"].as_array().map(Vec::len), Some(FAULTS_SHOWN));
    }

    #[test]
    fn a_fault_holds_no_secret_and_no_control_character() {
        let secrets = Secrets::of(["ward_key".to_owned()]);
        let mut row = Row::new("a", "ISO-01", "t", &secrets);
        row.case(false, || format!("it says \u{1b}[2Jward_key{}", "é".repeat(400)));
        row.without("a reason with ward_key");
        let fault = row.json()["faults"][0].as_str().unwrap().to_owned();
        assert!(fault.starts_with("it says \u{fffd}[2J[a credential]é"), "{fault}");
        assert_eq!(fault.chars().count(), 300);
        assert!(!row.reason.unwrap().contains("ward_key"));
    }
}
