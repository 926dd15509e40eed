//! What a request is signed with: the contract's own scheme (behaviour 13.3) and, beside it, that
//! of Standard Webhooks, so that receivers can use a maintained library.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::{Digest as _, Sha256};

use crate::secret;

/// The contract's value of `Signature-Input`.
pub const INPUT: &str = "sig1=(\"@method\" \"@path\" \"@query\" \"content-digest\" \"content-type\" \"content-length\")";

/// The only content type of a request.
pub const CONTENT_TYPE: &str = "application/json";

/// HMAC-SHA-256.
pub(crate) fn hmac(key: &[u8], message: &[u8]) -> [u8; 32] {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes keys of every length");
    mac.update(message);
    mac.finalize().into_bytes().into()
}

/// Lower-case hexadecimal.
fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The SHA-256 of a body in lower-case hexadecimal: base64 could end in `=`, at which receivers
/// cut the header.
pub fn digest(body: &[u8]) -> String {
    hex(&Sha256::digest(body))
}

/// The value of `Signature`: six parts joined by single spaces, of which the query may be empty.
pub fn contract(secret: &str, path: &str, query: &str, body: &[u8]) -> String {
    let digest = digest(body);
    let path = if path.is_empty() { "/" } else { path };
    let base = format!("post {path} {query} {digest} {CONTENT_TYPE} {}", body.len());
    format!("sig1={}", hex(&hmac(secret.as_bytes(), base.as_bytes())))
}

/// The value of `webhook-signature`: one `v1,…` for each secret that signs, with spaces between.
/// `seconds` is the wall time of `webhook-timestamp`.
pub fn standard<'a>(
    secrets: impl IntoIterator<Item = &'a str>,
    id: &str,
    seconds: i64,
    body: &[u8],
) -> String {
    let sign = |text: &str| standard_of(&secret::standard_key(text), id, seconds, body);
    secrets.into_iter().map(sign).collect::<Vec<_>>().join(" ")
}

/// One `v1,…`, by the key that a secret of Standard Webhooks holds.
pub fn standard_of(key: &[u8], id: &str, seconds: i64, body: &[u8]) -> String {
    let mut message = format!("{id}.{seconds}.").into_bytes();
    message.extend_from_slice(body);
    format!("v1,{}", STANDARD.encode(hmac(key, &message)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "whsec_sbx_K7QF2_4f6d2a";
    const BODY: &str = r#"{"resource_id":2000000501,"resource_id_type":"Appointment","event_type":"appointment.updated","changed_fields":["pm_status"],"resource_organization_id":2000000007}"#;

    #[test]
    fn the_contracts_vector() {
        assert_eq!(BODY.len(), 163);
        assert_eq!(
            digest(BODY.as_bytes()),
            "063e3edff1dd14e3ccefa956cbd13e42e1fff5b9bbfb342c75d3e7c8ee190be1"
        );
        assert_eq!(
            contract(SECRET, "/hooks/ehr", "", BODY.as_bytes()),
            "sig1=25f4dddc2693b2bb1a07f09fd9014aeca3fd66156333c0139ed55c1df9677446"
        );
        assert_eq!(
            contract(SECRET, "/hooks/ehr", "src=ehr", BODY.as_bytes()),
            "sig1=bf4f9f8789d8193058d0b3d09f585d4467fd73b82d1ce5b2deae50037c90ed3e"
        );
    }

    #[test]
    fn an_empty_path_is_the_root() {
        let body = BODY.as_bytes();
        assert_eq!(contract(SECRET, "", "", body), contract(SECRET, "/", "", body));
    }

    #[test]
    fn hmac_of_rfc_4231() {
        // Test case 2.
        assert_eq!(
            hex(&hmac(b"Jefe", b"what do ya want for nothing?")),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
        );
    }

    #[test]
    fn each_secret_signs_once() {
        let both = standard([SECRET, "other"], "id", 1_700_000_000, b"{}");
        let own = standard([SECRET], "id", 1_700_000_000, b"{}");
        let other = standard(["other"], "id", 1_700_000_000, b"{}");
        assert_eq!(both, format!("{own} {other}"));
    }
}
