//! Signed reports: Ed25519 over the report's JSON, so that one kept for an auditor cannot be
//! improved later without its being seen.

use ring::rand::SystemRandom;
use ring::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};
use rustls::pki_types::PrivatePkcs8KeyDer;
use rustls::pki_types::pem::PemObject;
use serde_json::{Value as Json, json};

use crate::failure::Failure;
use crate::text::{hex, unhex};

/// Before what is signed, so that no other signature of the same key passes for a report's.
const PURPOSE: &[u8] = b"ward-probe report 1\n";

/// A key to sign with.
pub struct Signer(Ed25519KeyPair);

impl Signer {
    /// The key in a PEM text, as `openssl genpkey -algorithm ed25519` writes it.
    pub fn from_pem(text: &[u8]) -> Result<Signer, Failure> {
        let wrong = || {
            Failure::usage(
                "--signing-key is not an Ed25519 key in PEM; make one with: openssl genpkey -algorithm ed25519",
            )
        };
        let key = PrivatePkcs8KeyDer::from_pem_slice(text).map_err(|_| wrong())?;
        let pair = Ed25519KeyPair::from_pkcs8_maybe_unchecked(key.secret_pkcs8_der());
        pair.map(Signer).map_err(|_| wrong())
    }

    /// A key for one report, that nobody keeps.
    pub fn fresh() -> Result<Signer, Failure> {
        let failed = || Failure::internal("no key could be made: the system has no randomness");
        let made = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).map_err(|_| failed())?;
        Ed25519KeyPair::from_pkcs8(made.as_ref()).map(Signer).map_err(|_| failed())
    }

    /// The report with its signature beside it.
    pub fn sign(&self, report: Json) -> Json {
        let value = self.0.sign(&signed_bytes(&report));
        json!({
            "report": report,
            "signature": {
                "algorithm": "Ed25519",
                "public_key": hex(self.0.public_key().as_ref()),
                "value": hex(value.as_ref()),
            },
        })
    }
}

/// Form does not count, content does: the compact text.
fn signed_bytes(report: &Json) -> Vec<u8> {
    [PURPOSE, report.to_string().as_bytes()].concat()
}

/// The report of a signed document and the public key it was signed with; a sentence where it was
/// changed, or signed with another key than expected.
pub fn verify<'a>(
    document: &'a Json,
    expected: Option<&str>,
) -> Result<(&'a Json, &'a str), String> {
    let (report, signature) = (&document["report"], &document["signature"]);
    let text = |name: &str| signature[name].as_str().unwrap_or_default();
    // One more member would be read as signed, and is not.
    let members = signature.as_object().map_or(0, serde_json::Map::len);
    if !report.is_object() || members != 3 || text("algorithm") != "Ed25519" {
        return Err("it is no signed report".to_owned());
    }
    let public_key = text("public_key");
    if expected.is_some_and(|expected| !expected.eq_ignore_ascii_case(public_key)) {
        return Err(format!("it is signed with another key, {public_key}"));
    }
    let (Some(key), Some(value)) = (unhex(public_key), unhex(text("value"))) else {
        return Err("its signature cannot be read".to_owned());
    };
    let checked = UnparsedPublicKey::new(&ED25519, key).verify(&signed_bytes(report), &value);
    checked.map_err(|_| "it was changed after it was signed".to_owned())?;
    Ok((report, public_key))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_changed_report_is_found() {
        let signer = Signer::fresh().unwrap();
        let signed = signer.sign(json!({"verdict": "fault", "rows": [1, "é"]}));
        let again: Json =
            serde_json::from_str(&serde_json::to_string_pretty(&signed).unwrap()).unwrap();
        let (report, key) = verify(&again, None).unwrap();
        assert_eq!(report["verdict"], "fault");
        let key = key.to_owned();
        assert!(verify(&signed, Some(&key.to_uppercase())).is_ok());
        assert!(verify(&signed, Some("00")).unwrap_err().contains("another key"));
        let mut better = signed.clone();
        better["report"]["verdict"] = "held".into();
        assert!(verify(&better, None).unwrap_err().contains("changed"));
        let mut more = signed.clone();
        more["signature"]["note"] = "held".into();
        assert!(verify(&more, None).is_err());
        let mut cut = signed;
        cut["signature"]["value"] = "zz".into();
        assert!(verify(&cut, None).is_err());
        assert!(verify(&json!({}), None).is_err());
    }

    #[test]
    fn only_an_ed25519_key_signs() {
        for text in ["", "x", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"] {
            assert_eq!(Signer::from_pem(text.as_bytes()).err().map(|it| it.status), Some(2));
        }
    }
}
