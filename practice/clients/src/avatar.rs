//! A person's picture: what may be one, and how it is kept (behaviour 10).

use std::io::Read;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ward_engine::{Answer, Call, Refused, Request, Upload, UploadedFile};
use ward_identity::tables::User;
use ward_store::blobs::{self, BlobFacts, DEFAULT_QUOTA_BYTES, Registered, Stored};

/// The largest picture.
pub const AVATAR_BYTES_MAX: u64 = 5 << 20;
/// A file is read in pieces of so many bytes.
const PIECE_BYTES: usize = 64 << 10;

/// A picture on the disk that no row tells of yet.
pub struct NewAvatar {
    stored: Stored,
    file_name: String,
    content_type: &'static str,
}

/// The media type of a picture, by its first bytes: what its sender says of it
/// is not believed, and no format that can hold a script is a picture.
pub fn picture_type(start: &[u8]) -> Option<&'static str> {
    match start {
        [0x89, b'P', b'N', b'G', 0x0d, 0x0a, 0x1a, 0x0a, ..] => Some("image/png"),
        [0xff, 0xd8, 0xff, ..] => Some("image/jpeg"),
        [b'G', b'I', b'F', b'8', b'7' | b'9', b'a', ..] => Some("image/gif"),
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => Some("image/webp"),
        _ => None,
    }
}

/// The bytes of a data URL `data:<type>;base64,<data>`, or of bare base64.
pub fn data_url_bytes(text: &str) -> Option<Vec<u8>> {
    let data = match text.trim().strip_prefix("data:") {
        Some(rest) => rest.split_once(";base64,")?.1,
        None => text.trim(),
    };
    STANDARD.decode(data.trim()).ok()
}

/// Seals an uploaded picture onto the disk, outside any transaction.
pub async fn from_upload(request: &Request, file: UploadedFile) -> Answer<NewAvatar> {
    let upload = request.uploads.get(file.0).ok_or_else(|| Refused::not_found("avatar"))?;
    if upload.byte_size > AVATAR_BYTES_MAX {
        return Err(too_large("avatar"));
    }
    let bytes = read(upload).map_err(|_| Refused::on("avatar", "The file can't be read"))?;
    keep(request, &bytes, &upload.file_name, "avatar").await
}

/// Seals a picture sent as text onto the disk, outside any transaction.
pub async fn from_text(request: &Request, text: &str) -> Answer<NewAvatar> {
    let wrong = || Refused::on("avatar_string", "Avatar string must be a base64 data URL");
    let bytes = data_url_bytes(text).ok_or_else(wrong)?;
    keep(request, &bytes, "avatar", "avatar_string").await
}

fn read(upload: &Upload) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    std::fs::File::open(&upload.path)?.take(AVATAR_BYTES_MAX + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

async fn keep(request: &Request, bytes: &[u8], file_name: &str, at: &str) -> Answer<NewAvatar> {
    let Some(store) = &request.blobs else {
        return Err(Refused::on(at, "This instance stores no files"));
    };
    let content_type = picture_type(bytes)
        .ok_or_else(|| Refused::on(at, "Avatar must be a PNG, JPEG, GIF or WebP picture"))?;
    let keys = {
        let mut reader = request.db.read().await?;
        request.db.keyring().of(&mut reader, request.actor.org_id).await?
    };
    let mut upload = blobs::begin(&**store, &request.instance, &keys, AVATAR_BYTES_MAX).await?;
    for piece in bytes.chunks(PIECE_BYTES) {
        if !upload.write(piece).await? {
            return Err(too_large(at));
        }
    }
    let stored = upload.finish(&keys).await?;
    Ok(NewAvatar { stored, file_name: file_name.to_owned(), content_type })
}

fn too_large(at: &str) -> Refused {
    Refused::on(at, format!("Avatar must be at most {} MiB", AVATAR_BYTES_MAX >> 20))
}

/// Makes the picture the user's, in the transaction that changes them; the one
/// before is deleted.
pub async fn put_on(call: &mut Call<'_>, user: &mut User, avatar: &NewAvatar) -> Answer<()> {
    let facts = BlobFacts {
        unit_id: user.unit_id.0,
        owner_id: user.id.0,
        purpose: "avatar".to_owned(),
        file_name: avatar.file_name.clone(),
        content_type: avatar.content_type.to_owned(),
    };
    let registered =
        blobs::register(call.scope.tx, &avatar.stored, facts, DEFAULT_QUOTA_BYTES).await?;
    if let Registered::OverQuota { .. } = registered {
        return Err(Refused::on("avatar", "The organization has used up its file storage"));
    }
    take_off(call, user).await?;
    user.avatar_id = Some(avatar.stored.id.clone());
    user.uploaded_avatar_file_name = Some(avatar.file_name.clone());
    Ok(())
}

/// Removes the user's picture.
pub async fn take_off(call: &mut Call<'_>, user: &mut User) -> Answer<()> {
    if let Some(old) = user.avatar_id.take() {
        blobs::delete(call.scope.tx, user.org_id.0, &old).await?;
    }
    user.uploaded_avatar_file_name = None;
    Ok(())
}
