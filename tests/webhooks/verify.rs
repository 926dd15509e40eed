//! Both signatures as a receiver checks them, written from the contract's text and from the
//! Standard Webhooks specification.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::{Digest as _, Sha256};

use crate::receiver::Received;

fn hmac(key: &[u8], text: &[u8]) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).unwrap();
    mac.update(text);
    mac.finalize().into_bytes().to_vec()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The contract's own (behaviour 13.3).
pub fn contract(received: &Received, secret: &str) -> bool {
    let part = |name: &str| received.header(name).split('=').nth(1).unwrap_or("").to_owned();
    let (path, query) = received.target.split_once('?').unwrap_or((&received.target, ""));
    let digest = part("content-digest");
    let kind = received.header("content-type");
    let length = received.header("content-length");
    let base = format!("post {path} {query} {digest} {kind} {length}");
    digest == hex(&Sha256::digest(&received.body))
        && received.header("signature-input").starts_with("sig1=(")
        && part("signature") == hex(&hmac(secret.as_bytes(), base.as_bytes()))
}

/// That of Standard Webhooks; one of the signatures has to be the secret's.
pub fn standard(received: &Received, secret: &str) -> bool {
    let key = STANDARD.decode(secret.strip_prefix("whsec_").unwrap()).unwrap();
    let mut text =
        format!("{}.{}.", received.header("webhook-id"), received.header("webhook-timestamp"))
            .into_bytes();
    text.extend_from_slice(&received.body);
    let own = format!("v1,{}", STANDARD.encode(hmac(&key, &text)));
    received.header("webhook-signature").split(' ').any(|signature| signature == own)
}

/// The headers of a request that is signed at wall time `seconds`, both ways.
pub fn signed(
    target: &str,
    secrets: [&str; 2],
    seconds: u64,
    body: &str,
) -> Vec<(&'static str, String)> {
    let [secret, standard] = secrets;
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let digest = hex(&Sha256::digest(body));
    let base = format!("post {path} {query} {digest} application/json {}", body.len());
    let key = STANDARD.decode(standard.strip_prefix("whsec_").unwrap()).unwrap();
    let text = format!("forged.{seconds}.{body}");
    vec![
        ("content-type", "application/json".to_owned()),
        ("content-digest", format!("SHA-256={digest}")),
        ("signature-input", "sig1=(\"@method\")".to_owned()),
        ("signature", format!("sig1={}", hex(&hmac(secret.as_bytes(), base.as_bytes())))),
        ("webhook-id", "forged".to_owned()),
        ("webhook-timestamp", seconds.to_string()),
        ("webhook-signature", format!("v1,{}", STANDARD.encode(hmac(&key, text.as_bytes())))),
    ]
}
