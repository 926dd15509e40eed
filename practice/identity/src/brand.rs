//! Brands: how a practice looks, and who may say so (behaviour 16.3:
//! `has_own_branding`, `can_edit_settings`).
//!
//! A brand belongs to a member; the organization's is its owner's. Members with
//! `has_own_branding` have one of their own, members with `can_edit_settings`
//! change the organization's and those of their colleagues.

use std::sync::Arc;

use ward_engine::{Answer, Call, Given, Payload, Problems, Refused, Request, UploadedFile, input};
use ward_store::{Actor, Cond, Id, Level, StoreError, blobs};

use crate::flags::{CAN_EDIT_SETTINGS, HAS_OWN_BRANDING};
use crate::lines;
use crate::permit;
use crate::picture::{self, NewFile};
use crate::tables::{Brand, Organization, User};

/// Characters of a description.
const TEXT_CHARACTERS_MAX: usize = 20_000;
/// Characters of a sign-in path.
const PATH_CHARACTERS: std::ops::RangeInclusive<usize> = 3..=63;

/// The fields that the contract has in both inputs, and those of the update
/// alone.
macro_rules! brand_inputs {
    (both: $( $both:ident ),*; update: $( $update:ident ),*) => {
        input! {
            /// `createBrandInput`.
            pub struct CreateBrand {
                logo: UploadedFile,
                custom_sign_in_path: String,
                $( $both: String, )*
            }
        }

        input! {
            /// `updateBrandInput`.
            pub struct UpdateBrand {
                /// The caller's when there is none.
                id: Id<Brand>,
                logo: UploadedFile,
                custom_sign_in_path: String,
                display_embed_title: bool,
                display_package_image: bool,
                $( $both: String, )*
                $( $update: String, )*
            }
        }

        impl CreateBrand {
            /// As a change of a brand that says nothing yet.
            fn into_change(self) -> UpdateBrand {
                UpdateBrand {
                    logo: self.logo,
                    custom_sign_in_path: self.custom_sign_in_path,
                    $( $both: self.$both, )*
                    ..UpdateBrand::default()
                }
            }
        }

        impl UpdateBrand {
            /// Its texts but for the sign-in path, by name.
            fn texts(&self) -> Vec<(&'static str, &Given<String>)> {
                vec![
                    $( (stringify!($both), &self.$both), )*
                    $( (stringify!($update), &self.$update), )*
                ]
            }

            /// Overwrites what was sent.
            fn write(&self, brand: &mut Brand) {
                $( self.$both.set_text(&mut brand.$both); )*
                $( self.$update.set_text(&mut brand.$update); )*
                for (given, field) in [
                    (&self.display_embed_title, &mut brand.display_embed_title),
                    (&self.display_package_image, &mut brand.display_package_image),
                ] {
                    if let Some(value) = given.value() {
                        *field = *value;
                    }
                }
                if self.custom_sign_in_path.is_given() {
                    brand.custom_sign_in_path =
                        self.custom_sign_in_path.trimmed().map(str::to_lowercase);
                }
            }
        }
    };
}

brand_inputs! {
    both: about_description, bg_color, brand_email, brand_name, brand_phone, contact_description,
        display_name, email_background_color, facebook, font_color, instagram, selected_color,
        slogan, tab_accent_color, titles, twitter, website;
    update: embed_primary_color, theme_background_primary, theme_background_secondary,
        theme_background_hover, theme_background_input, theme_accent_primary,
        theme_accent_primary_hover, theme_border_primary, theme_border_input, theme_text_sidebar,
        theme_background_sidebar, theme_text_sidebar_active, theme_text_sidebar_tab_bar
}

/// A change, with its logo on the disk.
pub struct Prepared {
    input: UpdateBrand,
    logo: Option<NewFile>,
}

/// What is wrong with a change of a brand.
pub fn problems(input: &UpdateBrand) -> Problems {
    let mut problems = Problems::new();
    for (field, given) in input.texts() {
        let Some(text) = given.trimmed() else { continue };
        let label = lines::label(field);
        let most = match field {
            "about_description" | "contact_description" => TEXT_CHARACTERS_MAX,
            _ => lines::LINE_CHARACTERS_MAX,
        };
        if text.chars().count() > most {
            problems.add(field, format!("{label} is too long (maximum is {most} characters)"));
        } else if !is_fitting_color(field, text) {
            problems.add(field, format!("{label} must be a color such as #1A2B3C"));
        } else if field == "website" && !is_web_address(text) {
            problems
                .add(field, format!("{label} must be a web address such as https://example.com"));
        } else if field == "brand_email" && !crate::email::is_valid(text) {
            problems.add(field, format!("{label} is invalid"));
        }
    }
    if input.custom_sign_in_path.trimmed().is_some_and(|path| !is_path(&path.to_lowercase())) {
        problems.add(
            "custom_sign_in_path",
            "Custom sign in path must have 3 to 63 letters, digits or hyphens, and no hyphen at its ends",
        );
    }
    problems
}

/// Whether a text may stand in a field, as far as its color goes; names of
/// colors are for fields that the contract does not type as `HexColor`.
fn is_fitting_color(field: &str, text: &str) -> bool {
    let is_theme = field.starts_with("theme_");
    let is_color = is_theme || field.ends_with("_color");
    !is_color || (is_color_value(text) && (text.starts_with('#') || !is_theme))
}

/// A hexadecimal color (behaviour 9), or a color's name.
pub fn is_color_value(text: &str) -> bool {
    match text.strip_prefix('#') {
        Some(digits) => {
            [3, 6, 8].contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_hexdigit())
        }
        None => text.bytes().all(|b| b.is_ascii_alphabetic()),
    }
}

/// An address that a page may link to: never a script's.
fn is_web_address(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    let rest = lower.strip_prefix("https://").or(lower.strip_prefix("http://")).unwrap_or(&lower);
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host = host.split(':').next().unwrap_or_default();
    let is_plain = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'.' || b >= 0x80;
    host.contains('.') && host.bytes().all(is_plain) && !rest.contains(char::is_whitespace)
}

/// What may stand as the last step of a sign-in address.
pub fn is_path(text: &str) -> bool {
    PATH_CHARACTERS.contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        && !text.starts_with('-')
        && !text.ends_with('-')
}

/// Whether the actor may change the brand of a member: their own with
/// `has_own_branding`, any of the organization's with `can_edit_settings`.
pub fn may_edit(actor: &Actor, user_id: Id<User>) -> Answer<()> {
    permit::members_only(actor)?;
    if actor.has(CAN_EDIT_SETTINGS.flag) {
        return Ok(());
    }
    match user_id.0 == actor.user_id {
        true => permit::requires(actor, HAS_OWN_BRANDING),
        false => Err(Refused::Denied(CAN_EDIT_SETTINGS)),
    }
}

/// Checks a new brand and stores its logo.
pub async fn prepare_create(request: Arc<Request>, input: CreateBrand) -> Answer<Prepared> {
    prepare(request, input.into_change()).await
}

/// Checks a change of a brand and stores its logo.
pub async fn prepare(request: Arc<Request>, input: UpdateBrand) -> Answer<Prepared> {
    permit::members_only(&request.actor)?;
    if !request.actor.has(HAS_OWN_BRANDING.flag) && !request.actor.has(CAN_EDIT_SETTINGS.flag) {
        return Err(Refused::Denied(HAS_OWN_BRANDING));
    }
    problems(&input).check()?;
    let logo = match input.logo.value() {
        Some(file) => Some(picture::from_upload(&request, *file, "logo").await?),
        None => None,
    };
    Ok(Prepared { input, logo })
}

/// Makes the caller's brand, or the organization's when the caller may have
/// none of their own.
pub async fn create(call: &mut Call<'_>, prepared: &Prepared) -> Answer<Payload> {
    let user_id = whose(call).await?;
    may_edit(call.actor, user_id)?;
    let owner = call.find(user_id).await?.ok_or_else(|| Refused::not_found("base"))?;
    let mut brand = blank(call.next_id().await?, &owner, call.now());
    if of_user(call, user_id).await?.is_some() {
        return Err(Refused::base("Brand already exists. Change it with updateBrand"));
    }
    fill(call, prepared, &mut brand).await?;
    call.create(&brand).await.map_err(taken)?;
    Ok(Payload::new().one("brand", brand.id.0))
}

/// Changes a brand; the caller's when none is named.
pub async fn update(call: &mut Call<'_>, prepared: &Prepared) -> Answer<Payload> {
    let id = match prepared.input.id.value() {
        Some(id) => *id,
        None => {
            let user_id = whose(call).await?;
            of_user(call, user_id).await?.ok_or_else(|| Refused::not_found("id"))?.id
        }
    };
    let found = call.visible_for_update(id, Level::Full).await?;
    let (before, _) = found.ok_or_else(|| Refused::not_found("id"))?;
    may_edit(call.actor, before.user_id)?;
    let mut after = before.clone();
    fill(call, prepared, &mut after).await?;
    call.update(&before, &after).await.map_err(taken)?;
    Ok(Payload::new().one("brand", after.id.0))
}

async fn fill(call: &mut Call<'_>, prepared: &Prepared, brand: &mut Brand) -> Answer<()> {
    prepared.input.write(brand);
    let removes = prepared.input.logo == Given::Null;
    if removes || prepared.logo.is_some() {
        if let Some(old) = brand.logo_id.take() {
            blobs::delete(call.scope.tx, brand.org_id.0, &old).await?;
        }
        brand.logo_file_name = None;
    }
    if let Some(logo) = &prepared.logo {
        let (unit, owner) = (brand.unit_id.0, brand.user_id.0);
        brand.logo_id = Some(picture::register(call, logo, unit, owner, "logo").await?);
        brand.logo_file_name = Some(logo.file_name.clone());
    }
    Ok(())
}

/// Whose brand is meant when none is named: the caller's, unless they may only
/// change the organization's, which is its owner's.
async fn whose(call: &mut Call<'_>) -> Answer<Id<User>> {
    let own = Id::new(call.actor.user_id);
    if call.actor.has(HAS_OWN_BRANDING.flag) {
        return Ok(own);
    }
    let unit_id = Id::new(call.actor.unit_id);
    let unit: Option<Organization> = call.find(unit_id).await?;
    Ok(unit.and_then(|unit| unit.owner_id).unwrap_or(own))
}

async fn of_user(call: &mut Call<'_>, user_id: Id<User>) -> Result<Option<Brand>, StoreError> {
    call.find_by(Cond::eq("user_id", user_id.0)).await
}

/// A brand that says nothing yet.
fn blank(id: Id<Brand>, owner: &User, now: ward_instance::Timestamp) -> Brand {
    Brand {
        id,
        org_id: owner.org_id,
        unit_id: owner.unit_id,
        user_id: owner.id,
        about_description: None,
        bg_color: None,
        brand_email: None,
        brand_name: None,
        brand_phone: None,
        contact_description: None,
        custom_sign_in_path: None,
        display_embed_title: true,
        display_name: None,
        display_package_image: true,
        email_background_color: None,
        embed_primary_color: None,
        facebook: None,
        font_color: None,
        instagram: None,
        logo_id: None,
        logo_file_name: None,
        selected_color: None,
        slogan: None,
        tab_accent_color: None,
        theme_accent_primary: None,
        theme_accent_primary_hover: None,
        theme_background_hover: None,
        theme_background_input: None,
        theme_background_primary: None,
        theme_background_secondary: None,
        theme_background_sidebar: None,
        theme_border_input: None,
        theme_border_primary: None,
        theme_text_sidebar: None,
        theme_text_sidebar_active: None,
        theme_text_sidebar_tab_bar: None,
        titles: None,
        twitter: None,
        website: None,
        version: 1,
        created_at: now,
        updated_at: now,
    }
}

/// The path is the instance's: whoever has it is found by it without a
/// credential, so that it is taken is no secret.
fn taken(error: StoreError) -> Refused {
    match error {
        StoreError::Unique(rule) if rule.contains("custom_sign_in_path") => {
            Refused::on("custom_sign_in_path", "Custom sign in path has already been taken")
        }
        StoreError::Unique(_) => Refused::base("Brand already exists. Change it with updateBrand"),
        other => other.into(),
    }
}
