//! Signature version 4, checked as S3 checks it.

use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};

use super::wire::Request;
use super::{ACCESS_KEY, SECRET};

/// Whether a request is signed with the key, over its path, query, headers and body.
pub(super) fn is_right(request: &Request) -> bool {
    expected(request).is_some_and(|expected| {
        request.header("authorization").ends_with(&format!("Signature={expected}"))
    })
}

fn expected(request: &Request) -> Option<String> {
    let words = request.header("authorization").strip_prefix("AWS4-HMAC-SHA256 ")?;
    let part = |name: &str| {
        let parts = words.split(',').map(str::trim);
        parts.filter_map(|part| part.strip_prefix(name)).next()
    };
    let credential = part("Credential=")?;
    let (key, scope) = credential.split_once('/')?;
    let signed = part("SignedHeaders=")?;
    let names: Vec<&str> = signed.split(';').collect();
    let body = hex(&Sha256::digest(&request.body));
    let whole = ["host", "x-amz-content-sha256", "x-amz-date"].iter().all(|it| names.contains(it));
    if key != ACCESS_KEY || !whole || request.header("x-amz-content-sha256") != body {
        return None;
    }
    let mut pairs: Vec<String> = request
        .query
        .split('&')
        .filter(|it| !it.is_empty())
        .map(|pair| if pair.contains('=') { pair.to_owned() } else { format!("{pair}=") })
        .collect();
    pairs.sort_unstable();
    let headers: String =
        names.iter().map(|name| format!("{name}:{}\n", request.header(name))).collect();
    let canonical = format!(
        "{}\n{}\n{}\n{headers}\n{signed}\n{body}",
        request.method,
        request.path,
        pairs.join("&")
    );
    let text = format!(
        "AWS4-HMAC-SHA256\n{}\n{scope}\n{}",
        request.header("x-amz-date"),
        hex(&Sha256::digest(canonical.as_bytes()))
    );
    let key =
        scope.split('/').fold(format!("AWS4{SECRET}").into_bytes(), |key, part| keyed(&key, part));
    Some(hex(&keyed(&key, &text)))
}

fn keyed(key: &[u8], text: &str) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).unwrap();
    mac.update(text.as_bytes());
    mac.finalize().into_bytes().to_vec()
}

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
