//! `ward webhooks …`: whether a request that arrived is right, and what is wrong with it.

use std::io::Read as _;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Value as Json, json};
use ward_webhooks::verify::{self, Arrived, Verdict};

use crate::cli::WebhooksCommand;
use crate::failure::{Done, Failure};
use crate::output::{GREEN, Out, PLAIN, RED, YELLOW};

/// A file of headers or a body is no larger.
const BYTES_MAX: u64 = 1024 * 1024;

/// `ward webhooks …`.
pub fn run(command: &WebhooksCommand, out: Out) -> Done {
    let WebhooksCommand::Verify { secret_file, headers, body, target } = command;
    let secret = secret(secret_file)?;
    let text = String::from_utf8(file(headers, "--headers")?)
        .map_err(|_| Failure::usage("--headers is not a text file"))?;
    let (line, headers) = read_headers(&text);
    let body = file(body, "--body")?;
    let target = target.as_deref().or(line);
    let arrived = Arrived { target, headers: &headers, body: &body };
    let contract = verify::contract(&secret, &arrived);
    let standard = verify::standard(&secret, &arrived);
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |it| it.as_secs());
    let age = verify::age(&arrived, i64::try_from(now).unwrap_or(i64::MAX));
    let is_old = age.is_some_and(|age| age.abs() > verify::TOLERANCE);
    let valid = [&contract, &standard].iter().all(|it| !matches!(it, Verdict::Wrong(_)));
    let answer = json!({
        "valid": valid,
        "contract": shown(&contract),
        "standard": shown(&standard),
        "age_seconds": age,
    });
    out.answer(&answer, || {
        let mut text = lines("Signature", &contract);
        text += &lines("webhook-signature", &standard);
        if let Some(age) = age.filter(|_| is_old) {
            text += &format!(
                "{YELLOW}sent {age} seconds ago{PLAIN}: libraries refuse what is older than {}\n",
                verify::TOLERANCE
            );
        }
        text
    });
    if valid { Ok(()) } else { Err(Failure::no()) }
}

fn secret(path: &str) -> Done<String> {
    let bytes = match path {
        "-" => {
            let mut bytes = Vec::new();
            let read = std::io::stdin().take(4_096).read_to_end(&mut bytes);
            read.map_err(|error| Failure::usage(format!("standard input has no secret: {error}")))?;
            bytes
        }
        path => file(Path::new(path), "--secret-file")?,
    };
    let text = String::from_utf8(bytes).unwrap_or_default().trim().to_owned();
    match text.starts_with("whsec_") {
        true => Ok(text),
        false => {
            Err(Failure::usage("--secret-file has no webhook's secret, which begins with whsec_"))
        }
    }
}

fn file(path: &Path, option: &str) -> Done<Vec<u8>> {
    let wrong = |error| Failure::usage(format!("cannot read {option} {}: {error}", path.display()));
    let mut bytes = Vec::new();
    let opened = std::fs::File::open(path).map_err(wrong)?;
    opened.take(BYTES_MAX + 1).read_to_end(&mut bytes).map_err(wrong)?;
    match u64::try_from(bytes.len()).is_ok_and(|length| length <= BYTES_MAX) {
        true => Ok(bytes),
        false => Err(Failure::usage(format!("{option} has more than a webhook's request"))),
    }
}

/// The target of a request line, if one stands above, and the headers.
fn read_headers(text: &str) -> (Option<&str>, Vec<(String, String)>) {
    let first = text.lines().next().unwrap_or_default();
    let mut words = first.split(' ');
    let target = match (words.next(), words.next()) {
        (Some(method), Some(target))
            if method.eq_ignore_ascii_case("post") && target.starts_with('/') =>
        {
            Some(target)
        }
        _ => None,
    };
    let header = |line: &str| {
        let (name, value) = line.split_once(':')?;
        Some((name.trim().to_owned(), value.trim().to_owned()))
    };
    (target, text.lines().skip(usize::from(target.is_some())).filter_map(header).collect())
}

fn shown(verdict: &Verdict) -> Json {
    match verdict {
        Verdict::Valid => json!({"valid": true, "problems": []}),
        Verdict::Wrong(problems) => json!({"valid": false, "problems": problems}),
        Verdict::Unknown(why) => json!({"valid": null, "problems": [why]}),
    }
}

fn lines(name: &str, verdict: &Verdict) -> String {
    match verdict {
        Verdict::Valid => format!("{GREEN}{name} is valid{PLAIN}\n"),
        Verdict::Unknown(why) => format!("{name} was not checked: {why}\n"),
        Verdict::Wrong(problems) => {
            let problems: String = problems.iter().map(|it| format!("  {it}\n")).collect();
            format!("{RED}{name} is wrong{PLAIN}\n{problems}")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_with_and_without_a_request_line() {
        let (target, headers) = read_headers("POST /a?b=1 HTTP/1.1\r\nwebhook-id: 7\r\n\r\n");
        assert_eq!(target, Some("/a?b=1"));
        assert_eq!(headers, [("webhook-id".to_owned(), "7".to_owned())]);
        let (target, headers) = read_headers("Host: a:80\nwebhook-id:7");
        assert_eq!((target, headers.len(), headers[0].1.as_str()), (None, 2, "a:80"));
    }
}
