//! A message as a connector gets it.

use std::fmt;

use ward_store::room::RoomOrder;
use ward_store::system::{EffectClass, EffectRow};
use ward_store::{Db, Uuid};

use crate::about::About;
use crate::mail::render;
use crate::mail::render_error::RenderError;
use crate::{text, video};

/// A rendered message and where it comes from.
#[derive(Clone, PartialEq)]
pub struct Message {
    /// The root organization whose message it is; 0 for the instance's.
    pub org_id: i64,
    /// The intent; the same for every attempt.
    pub intent_id: Uuid,
    /// By which way.
    pub class: EffectClass,
    /// The address of the class.
    pub to: String,
    /// What it is: `reset_password`, `welcome`.
    pub kind: String,
    /// The record that it is about.
    pub about: Option<About>,
    /// What it says.
    pub content: Content,
    /// The request that led here.
    pub cause: String,
}

/// What a message says.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Content {
    /// The subject line of a mail; nothing personal is in it. Empty otherwise.
    pub subject: String,
    /// The plain text.
    pub text: String,
    /// The HTML text of a mail; empty otherwise.
    pub html: String,
    /// Header fields of a mail that say which environment it comes from.
    pub headers: Vec<(&'static str, String)>,
    /// What is wanted of a room for a video call; none otherwise.
    pub order: Option<RoomOrder>,
}

/// The message of an intent.
pub(crate) fn message(db: &Db, intent: EffectRow) -> Result<Message, RenderError> {
    let (instance, to) = (db.instance(), &intent.to_sealed);
    let (content, about) = match intent.class {
        EffectClass::AccountMail | EffectClass::Email => {
            text::check_address(to)?;
            render::rendered(instance, &intent.kind, &intent.payload)?
        }
        EffectClass::Sms => {
            text::check_number(to)?;
            text::rendered(instance, &intent.payload)?
        }
        EffectClass::Push => {
            text::check_device(to)?;
            text::rendered(instance, &intent.payload)?
        }
        EffectClass::Video => video::rendered(&intent.payload)?,
        EffectClass::Scan => return Err(RenderError::NoText),
    };
    Ok(Message {
        org_id: intent.org_id,
        intent_id: intent.id,
        class: intent.class,
        to: intent.to_sealed,
        kind: intent.kind,
        about: about.or(intent.subject_id.map(About::client)),
        content,
        cause: intent.cause,
    })
}

/// Never the address or the texts: they hold links that open accounts.
impl fmt::Debug for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Message({} {})", self.kind, self.intent_id)
    }
}

/// Never the texts.
impl fmt::Debug for Content {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Content({})", self.subject)
    }
}
