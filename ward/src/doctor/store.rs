//! Whether stored files are where they should be.

use ward_server::file_store::{FilePlace, Holding, place_of, told};
use ward_server::{Opened, ServerError};

use super::Check;

const NAME: &str = "file store";

/// Says which store it is, and asks a bucket whose it is.
pub async fn check(opened: &Opened) -> Check {
    look(opened).await.unwrap_or_else(|error| {
        let text = error.to_string();
        let (found, fix) = text.split_once("; fix: ").unwrap_or((
            &text,
            "see whether the bucket is reached from here with the keys s3_… of ward.toml",
        ));
        Check::fail(NAME, found, fix)
    })
}

async fn look(opened: &Opened) -> Result<Check, ServerError> {
    let place = FilePlace::of(opened);
    let Some(bucket) = place.bucket(&opened.instance)? else {
        return Ok(Check::ok(NAME, told(None, &place.directory)));
    };
    let found = told(Some(&bucket), &place.directory);
    let held = place_of(&opened.db, &opened.certificate.host_binding).await?;
    Ok(match bucket.holding(&opened.instance, &held).await? {
        Holding::Own => Check::ok(NAME, format!("{found}, and it is this instance's")),
        Holding::Nobodys => Check::warn(
            NAME,
            format!("{found}, which is empty"),
            "the next start takes it, if there are no files in the directory yet; else: ward files copy",
        ),
        Holding::Unfinished => Check::fail(
            NAME,
            format!("{found}, and not all of them were copied there"),
            "copy the rest: ward files copy",
        ),
        Holding::Elsewhere { .. } => Check::fail(
            NAME,
            format!("{found}, which belongs to this instance at another place"),
            "stop the other copy and run ward attest here, or name a bucket of its own",
        ),
    })
}
