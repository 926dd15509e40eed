//! A signed report for people: as text, and as a page that carries the report inside.

use std::fmt::Write as _;

use serde_json::Value as Json;

use crate::text::{clean, escaped};

const BOLD: &str = "\x1b[1m";
const GREEN: &str = "\x1b[32m";
const RED: &str = "\x1b[31m";
const YELLOW: &str = "\x1b[33m";
const DIM: &str = "\x1b[2m";
const PLAIN: &str = "\x1b[0m";

/// Before and after the report in a page.
const OPEN: &str = "<script type=\"application/json\" id=\"report\">";
const CLOSE: &str = "</script>";

const STYLE: &str = "body{font:15px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:60rem;padding:0 1rem;color:#1b1f24;background:#fff}
table{border-collapse:collapse;width:100%}th,td{text-align:left;vertical-align:top;padding:.4rem .6rem;border-bottom:1px solid #d5dae0}
.held{color:#116329}.fault{color:#a40e26;font-weight:600}.none{color:#6a5200}code{word-break:break-all}ul{margin:.2rem 0;padding-left:1.2rem}
@media print{body{margin:0;max-width:none}}";

fn rows(report: &Json) -> &[Json] {
    report["rows"].as_array().map(Vec::as_slice).unwrap_or_default()
}

fn words(list: &Json) -> Vec<&str> {
    list.as_array().into_iter().flatten().filter_map(Json::as_str).collect()
}

fn word<'a>(json: &'a Json, name: &str) -> &'a str {
    json[name].as_str().unwrap_or_default()
}

/// What the keys' users may not ask, in a sentence.
fn untried(row: &Json) -> Option<String> {
    let those = words(&row["untried"]);
    let list = those.join(", ");
    (!those.is_empty()).then(|| format!("not tried, as the keys' users may not see it: {list}"))
}

/// What is told of a row beside its faults.
fn beside(row: &Json) -> impl Iterator<Item = String> {
    let reason = row["reason"].as_str().map(str::to_owned);
    let remarks: Vec<String> = words(&row["remarks"]).into_iter().map(str::to_owned).collect();
    reason.into_iter().chain(untried(row)).chain(remarks)
}

/// The counts in a sentence, and that the run ended early.
fn counted(report: &Json) -> String {
    let count = |name: &str| report["counts"][name].as_u64().unwrap_or_default();
    let ended = match report["ended"]["row"].as_str() {
        Some(row) => format!("The run ended early, within {}. ", clean(row)),
        None => String::new(),
    };
    format!(
        "{ended}{} rows: {} held, {} with faults, {} not applicable; {} cases: {} passed, {} failed",
        count("rows"),
        count("held"),
        count("fault"),
        count("not_applicable"),
        count("cases"),
        count("passed"),
        count("failed")
    )
}

/// What a report that was read is of, in lines: its suite, both instances and the counts.
pub fn summary(report: &Json) -> String {
    let mut text = format!("suite      {}\n", clean(word(report, "suite")));
    for kind in ["sandbox", "production"] {
        let side = &report["instances"][kind];
        let (tag, url) = (clean(word(side, "instance")), clean(word(side, "url")));
        let _ = writeln!(text, "{kind:<10} {tag} {url}");
    }
    let _ = writeln!(text, "{}", counted(report));
    text
}

/// For a terminal.
pub fn text(document: &Json) -> String {
    let report = &document["report"];
    let mut text = String::new();
    for row in rows(report) {
        let verdict = word(row, "verdict");
        let colour = match verdict {
            "held" => GREEN,
            "fault" => RED,
            _ => YELLOW,
        };
        let _ = writeln!(
            text,
            "{BOLD}{:<26}{PLAIN} {:<7} {colour}{verdict:<14}{PLAIN} {:>5} cases  {}",
            word(row, "id"),
            word(row, "iso"),
            row["cases"].as_u64().unwrap_or_default(),
            word(row, "title")
        );
        for fault in words(&row["faults"]) {
            let _ = writeln!(text, "{:<35}{RED}{}{PLAIN}", "", clean(fault));
        }
        for more in beside(row) {
            let _ = writeln!(text, "{:<35}{DIM}{}{PLAIN}", "", clean(&more));
        }
    }
    let _ = writeln!(text, "\n{}", counted(report));
    let key = word(&document["signature"], "public_key");
    let _ = writeln!(
        text,
        "{DIM}{} at {}, signed {key}{PLAIN}",
        word(report, "program"),
        word(report, "at")
    );
    text
}

/// A page that needs nothing beside it; the signed report is inside.
pub fn html(document: &Json) -> String {
    let report = &document["report"];
    let mut page = format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>Isolation of Sandbox and Production: {}</title><style>{STYLE}</style></head><body>\n<h1>Isolation of Sandbox and Production: <span class=\"{}\">{}</span></h1>\n",
        escaped(word(report, "verdict")),
        escaped(word(report, "verdict")),
        escaped(word(report, "verdict"))
    );
    let _ = writeln!(page, "<p>{}</p>\n<ul>", escaped(&counted(report)));
    for kind in ["sandbox", "production"] {
        let side = &report["instances"][kind];
        let _ = writeln!(
            page,
            "<li>{kind}: {} {}</li>",
            escaped(word(side, "instance")),
            escaped(word(side, "url"))
        );
    }
    page.push_str("</ul>\n<table><thead><tr><th>Check</th><th>Row</th><th>Result</th><th>Cases</th><th>What has to hold</th></tr></thead><tbody>\n");
    for row in rows(report) {
        page.push_str(&html_row(row));
    }
    let _ = writeln!(
        page,
        "</tbody></table>\n<p>{} at {}. Signed with the Ed25519 key <code>{}</code>; check with <code>ward-probe verify</code>.</p>",
        escaped(word(report, "program")),
        escaped(word(report, "at")),
        escaped(word(&document["signature"], "public_key"))
    );
    // Inside a script a slash after `<` would end it.
    let inside = document.to_string().replace('<', "\\u003c");
    let _ = writeln!(page, "{OPEN}{inside}{CLOSE}\n</body></html>");
    page
}

fn html_row(row: &Json) -> String {
    let verdict = word(row, "verdict");
    let class = if verdict == "not applicable" { "none" } else { verdict };
    let mut more = String::new();
    let faults = words(&row["faults"]);
    if !faults.is_empty() {
        let items: String =
            faults.iter().map(|fault| format!("<li>{}</li>", escaped(fault))).collect();
        let _ = write!(more, "<ul class=\"fault\">{items}</ul>");
    }
    for told in beside(row) {
        let _ = write!(more, "<br>{}", escaped(&told));
    }
    format!(
        "<tr><td>{}</td><td>{}</td><td class=\"{}\">{}</td><td>{}</td><td>{}{more}</td></tr>\n",
        escaped(word(row, "id")),
        escaped(word(row, "iso")),
        escaped(class),
        escaped(verdict),
        row["cases"].as_u64().unwrap_or_default(),
        escaped(word(row, "title"))
    )
}

/// The signed report in a file: JSON, or a page. A page has to be the one that its report makes,
/// and JSON the text that its content makes, compact or indented: a member twice, or one more
/// beside the report, would show a reader what nobody signed.
pub fn read(text: &str) -> Result<Json, String> {
    let is_page = text.trim_start().starts_with('<');
    let inside = match is_page {
        true => text.split_once(OPEN).and_then(|(_, rest)| rest.split_once(CLOSE)).map(|it| it.0),
        false => Some(text),
    };
    let document: Json = inside
        .and_then(|text| serde_json::from_str(text).ok())
        .ok_or_else(|| "it is no report of ward-probe".to_owned())?;
    let members: Vec<&str> =
        document.as_object().into_iter().flatten().map(|(name, _)| name.as_str()).collect();
    if members != ["report", "signature"] {
        return Err(
            "it is no report of ward-probe: not a report and its signature alone".to_owned()
        );
    }
    let is_same = match is_page {
        true => html(&document) == text,
        false => [document.to_string(), format!("{document:#}")].contains(&text.trim().to_owned()),
    };
    match (is_same, is_page) {
        (true, _) => Ok(document),
        (false, true) => Err("what the page shows is not what was signed".to_owned()),
        (false, false) => Err("its text is not the one that ward-probe writes".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_page_carries_its_report() {
        let document = json!({
            "report": {"verdict": "fault", "rows": [{"id": "a", "iso": "ISO-01", "verdict": "fault",
                "cases": 2, "faults": ["</script><b>"], "title": "t", "reason": null}]},
            "signature": {"public_key": "00"},
        });
        let page = html(&document);
        assert_eq!(read(&page), Ok(document.clone()));
        assert_eq!(page.matches("</script>").count(), 1, "{page}");
        assert_eq!(read(&document.to_string()), Ok(document));
        let better = page.replace(">fault<", ">held<");
        assert!(read(&better).unwrap_err().contains("not what was signed"));
        assert!(read("<html>").is_err() && read("{").is_err());
    }

    #[test]
    fn only_the_text_that_is_written_is_read() {
        let document = json!({"report": {"verdict": "fault"}, "signature": {"public_key": "00"}});
        let compact = document.to_string();
        for good in [compact.clone(), format!("{compact}\n"), format!("{document:#}\n")] {
            assert_eq!(read(&good), Ok(document.clone()), "{good}");
        }
        let twice = compact.replacen("{\"verdict\"", "{\"verdict\":\"held\",\"verdict\"", 1);
        let more = compact.replacen('{', "{\"note\":\"held\",", 1);
        for bad in [twice, more, compact.replacen(':', " :", 1), format!("{compact}{compact}")] {
            assert!(read(&bad).is_err(), "{bad}");
        }
        // A page with a second report inside its report is no page of ours either.
        let page = html(&document);
        assert!(read(&page.replacen(OPEN, &format!("{OPEN}{compact}{CLOSE}{OPEN}"), 1)).is_err());
    }

    #[test]
    fn a_summary_has_no_control_characters() {
        let report = json!({"suite": "probe\u{1b}[2J", "counts": {"rows": 3, "held": 3},
            "instances": {"sandbox": {"url": "http://a\u{7}", "instance": "AAAAA"}}});
        let text = summary(&report);
        assert!(
            text.contains("AAAAA http://a\u{fffd}") && text.contains("3 rows: 3 held"),
            "{text}"
        );
        assert!(!text.contains(['\u{1b}', '\u{7}']), "{text}");
    }
}
