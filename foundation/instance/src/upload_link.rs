//! Links by which somebody sends one file that they have told of before, for a while. They carry what
//! they are for, under a MAC; of another instance they open nothing, and none of them reads a file.

use crate::clock::Timestamp;
use crate::root::{Purpose, RootRing};
use crate::token::{LinkRefusal, SignedLinks, opened, signed};

const LINKS: SignedLinks =
    SignedLinks { start: "wtp", purpose: Purpose::FileUrl, what: b"ward/upload-link/v2" };

/// A link to send a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UploadLink {
    /// The tenant.
    pub org_id: i64,
    /// What was told of the file.
    pub upload_id: i64,
    /// For whom the link was made; whether they may still act is asked again when it is used.
    pub user_id: i64,
    /// The other user who told of it, acting for them; 0 for nobody.
    pub proxy_id: i64,
    /// Wall time after which it takes nothing.
    pub expires: Timestamp,
}

/// Signs a link: `wtp_<sbx|live>_<tag>_<base64url of the numbers and MAC>`.
pub fn upload_link(ring: &RootRing, link: &UploadLink) -> String {
    let numbers = [link.org_id, link.upload_id, link.user_id, link.proxy_id, link.expires.0];
    signed(ring, &LINKS, numbers.iter().flat_map(|number| number.to_be_bytes()).collect())
}

/// Opens a link at wall time `now`.
pub fn open_upload_link(
    ring: &RootRing,
    text: &str,
    now: Timestamp,
) -> Result<UploadLink, LinkRefusal> {
    let payload = opened(ring, &LINKS, text)?;
    let (words, rest) = payload.as_chunks::<8>();
    let numbers: Vec<i64> = words.iter().map(|word| i64::from_be_bytes(*word)).collect();
    let link = match (numbers.as_slice(), rest) {
        ([org_id, upload_id, user_id, proxy_id, expires], []) => UploadLink {
            org_id: *org_id,
            upload_id: *upload_id,
            user_id: *user_id,
            proxy_id: *proxy_id,
            expires: Timestamp(*expires),
        },
        _ => return Err(LinkRefusal::Malformed),
    };
    if link.expires < now { Err(LinkRefusal::Expired) } else { Ok(link) }
}
