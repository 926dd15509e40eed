//! What the store answers.

use std::io::Result;
use std::time::SystemTime;

use super::wire::{Answer, Request, Stream, write};
use super::{Asked, BUCKET, Fault, Object, Shared, State, signature};

/// The least that a part has which is not the last, in bytes.
const PART_BYTES: usize = 5 << 20;

/// Answers a request; false when the connection ends.
pub(super) fn answer(stream: &mut Stream, request: Request, shared: &Shared) -> Result<bool> {
    let target = match request.query.as_str() {
        "" => request.path.clone(),
        query => format!("{}?{query}", request.path),
    };
    let fault = {
        let mut state = shared.lock();
        state.asked.push(Asked { method: request.method.clone(), target });
        let fault = state.fault;
        let is_file = request.method == "GET" && request.query.is_empty();
        state.fault = match fault {
            Fault::Times(status, 2..) => match fault {
                Fault::Times(_, times) => Fault::Times(status, times - 1),
                _ => Fault::None,
            },
            Fault::Times(..) => Fault::None,
            Fault::CutFile if is_file => Fault::None,
            same => same,
        };
        fault
    };
    let told = match fault {
        Fault::Status(status) | Fault::Times(status, _) => Answer::error(status, "SlowDown"),
        Fault::Nonsense => {
            Answer { status: 200, body: b"<html>hello".to_vec(), ..Answer::default() }
        }
        Fault::Cut => return Ok(false),
        Fault::Hang => {
            shared.hang();
            return Ok(false);
        }
        Fault::SlowBegin => {
            let told = done(&request, shared);
            if request.query.contains("uploads") {
                shared.hang();
            }
            told
        }
        Fault::None | Fault::CutFile | Fault::Unconditional => done(&request, shared),
    };
    let halved = fault == Fault::CutFile && request.method == "GET" && request.query.is_empty();
    write(stream, &told, halved)?;
    Ok(!halved)
}

fn done(request: &Request, shared: &Shared) -> Answer {
    let mut state = shared.lock();
    if !signature::is_right(request) {
        state.unsigned += 1;
        return Answer::error(403, "SignatureDoesNotMatch");
    }
    let path = super::wire::unescaped(&request.path.replace('+', "%2B"));
    let (bucket, name) =
        path.trim_start_matches('/').split_once('/').unwrap_or((path.trim_start_matches('/'), ""));
    if bucket != BUCKET {
        return Answer::error(404, "NoSuchBucket");
    }
    let upload = request.parameter("uploadId");
    match (request.method.as_str(), upload) {
        ("GET", _) if name.is_empty() => listing(request, &state),
        ("GET", _) => get(request, state.objects.get(name)),
        ("POST", None) if request.query.contains("uploads") => {
            state.number += 1;
            let id = format!("upload-{}", state.number);
            state.uploads.insert(id.clone(), Default::default());
            let text = format!("<UploadId>{id}</UploadId>");
            Answer::xml(
                200,
                format!("<InitiateMultipartUploadResult>{text}</InitiateMultipartUploadResult>"),
            )
        }
        ("PUT", Some(id)) => part(request, &id, &mut state),
        ("POST", Some(id)) => complete(name, &id, &mut state),
        ("DELETE", Some(id)) => {
            state.uploads.remove(&id);
            Answer::of(204)
        }
        ("PUT", None)
            if request.header("if-none-match") == "*"
                && state.fault != Fault::Unconditional
                && state.objects.contains_key(name) =>
        {
            Answer::error(412, "PreconditionFailed")
        }
        ("PUT", None) => {
            let version = state.put(name, request.body.clone());
            Answer::of(200).with("ETag", tag(version))
        }
        ("DELETE", None) => {
            state.objects.remove(name);
            Answer::of(204)
        }
        _ => Answer::error(501, "NotImplemented"),
    }
}

fn tag(version: u64) -> String {
    format!("\"version-{version}\"")
}

fn get(request: &Request, object: Option<&Object>) -> Answer {
    let Some(object) = object else { return Answer::error(404, "NoSuchKey") };
    let tag = tag(object.version);
    let wanted = request.header("if-match");
    if !wanted.is_empty() && wanted != tag {
        return Answer::error(412, "PreconditionFailed");
    }
    let size = object.bytes.len();
    let range = request.header("range").strip_prefix("bytes=").and_then(|range| {
        let (first, last) = range.split_once('-')?;
        let last = last.parse().map_or(size, |last: usize| (last + 1).min(size));
        Some((first.parse::<usize>().ok()?, last))
    });
    let answer = match range {
        None => Answer { status: 200, body: object.bytes.clone(), ..Answer::default() },
        Some((first, last)) if first < last => {
            let body = object.bytes[first..last].to_vec();
            let told = format!("bytes {first}-{}/{size}", last - 1);
            Answer { status: 206, body, ..Answer::default() }.with("Content-Range", told)
        }
        Some(_) => return Answer::error(416, "InvalidRange"),
    };
    answer.with("ETag", tag).with("Last-Modified", date(object.changed, true))
}

fn part(request: &Request, id: &str, state: &mut State) -> Answer {
    let number = request.parameter("partNumber").and_then(|text| text.parse().ok());
    match (state.uploads.get_mut(id), number) {
        (Some(parts), Some(number)) => {
            parts.insert(number, request.body.clone());
            Answer::of(200).with("ETag", format!("\"part-{number}\""))
        }
        _ => Answer::error(404, "NoSuchUpload"),
    }
}

fn complete(name: &str, id: &str, state: &mut State) -> Answer {
    let Some(parts) = state.uploads.remove(id) else { return Answer::error(404, "NoSuchUpload") };
    let small = parts.values().rev().skip(1).any(|part| part.len() < PART_BYTES);
    if small {
        return Answer::error(400, "EntityTooSmall");
    }
    let version = state.put(name, parts.into_values().flatten().collect());
    let tag = tag(version).replace('"', "&quot;");
    Answer::xml(
        200,
        format!(
            "<CompleteMultipartUploadResult><ETag>{tag}</ETag></CompleteMultipartUploadResult>"
        ),
    )
}

fn listing(request: &Request, state: &State) -> Answer {
    let prefix = request.parameter("prefix").unwrap_or_default();
    let after = request.parameter("continuation-token").unwrap_or_default();
    let names =
        state.objects.iter().filter(|(name, _)| name.starts_with(&prefix) && **name > after);
    let mut rest = names.peekable();
    let (mut text, mut last) = (String::new(), None);
    for (name, object) in rest.by_ref().take(state.page) {
        text += &format!(
            "<Contents><Key>{name}</Key><Size>{}</Size><LastModified>{}</LastModified><ETag>{}</ETag></Contents>",
            object.bytes.len(),
            date(object.changed, false),
            tag(object.version).replace('"', "&quot;")
        );
        last = Some(name);
    }
    if let (Some(last), Some(_)) = (last, rest.peek()) {
        text += &format!(
            "<IsTruncated>true</IsTruncated><NextContinuationToken>{last}</NextContinuationToken>"
        );
    }
    Answer::xml(200, format!("<ListBucketResult>{text}</ListBucketResult>"))
}

/// A moment as a header has it, or as a listing has it.
fn date(moment: SystemTime, in_header: bool) -> String {
    match in_header {
        true => httpdate::fmt_http_date(moment),
        false => jiff::Timestamp::try_from(moment).unwrap().to_string(),
    }
}
