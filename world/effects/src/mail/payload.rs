//! What a mail's text is made of: the members of an intent's payload.

use serde::Deserialize;

use crate::about::{About, Written};
use crate::mail::render_error::RenderError;

/// Links of one reset mail at most, one for each account of the address.
const ACCOUNTS_MAX: usize = 8;

/// Names are cut to so many characters.
const NAME_CHARS_MAX: usize = 120;

/// Kinds that the receiver can do without, and says so by a link.
const NOTICES: [&str; 11] = [
    "new_message",
    "client_created",
    "client_assigned",
    "appointment_reminder",
    "new_appointment_request",
    "appointment_booked",
    "appointment_seat_freed",
    "appointment_changed",
    "appointment_cancelled",
    "appointment_part_cancelled",
    "form_requested",
];

/// The payload of any kind; which members a kind needs, [`Payload::check`] says.
#[derive(Deserialize)]
pub(crate) struct Payload {
    /// Whom the mail greets.
    pub(crate) recipient_name: Option<String>,
    /// The practice that it comes from.
    pub(crate) practice_name: Option<String>,
    /// Who invites.
    pub(crate) inviter_name: Option<String>,
    /// Which member did what the mail tells.
    pub(crate) member_name: Option<String>,
    /// The address or path that it leads to.
    pub(crate) link: Option<String>,
    /// The address or path by which the receiver gets no more of the kind.
    pub(crate) unsubscribe_link: Option<String>,
    /// A one-time code, and how long it is good.
    pub(crate) code: Option<String>,
    pub(crate) minutes: Option<u32>,
    /// An API key as it is shown after its birth.
    pub(crate) key: Option<String>,
    /// The host name of a webhook's receiver, and the webhook's id.
    pub(crate) endpoint: Option<String>,
    pub(crate) webhook: Option<String>,
    /// What a validation found: the name of a state; or what was found in a file.
    pub(crate) finding: Option<String>,
    /// Whether something was switched on, or off.
    #[serde(default)]
    pub(crate) is_on: bool,
    /// For a reset: each account of the address.
    #[serde(default)]
    pub(crate) accounts: Vec<Account>,
    /// When an appointment begins, on the receiver's wall.
    pub(crate) time: Option<String>,
    /// With whom.
    pub(crate) provider_name: Option<String>,
    /// How many of what it tells there are, where it is more than one.
    pub(crate) count: Option<String>,
    /// The address or path by which they come into the room of a video call.
    pub(crate) room_link: Option<String>,
    about: Option<Written>,
}

/// One account of an address, with its own link.
#[derive(Deserialize)]
pub(crate) struct Account {
    /// The practice that it is an account of.
    pub(crate) practice_name: Option<String>,
    /// The address or path that sets its password.
    pub(crate) link: String,
}

impl Payload {
    /// Reads a payload. Members that no template uses are passed over.
    pub(crate) fn read(json: &str) -> Result<Self, RenderError> {
        let mut payload: Payload = serde_json::from_str(json).map_err(|_| RenderError::Payload)?;
        for name in [
            &mut payload.recipient_name,
            &mut payload.practice_name,
            &mut payload.inviter_name,
            &mut payload.member_name,
            &mut payload.code,
            &mut payload.key,
            &mut payload.endpoint,
            &mut payload.webhook,
            &mut payload.time,
            &mut payload.provider_name,
            &mut payload.count,
            &mut payload.finding,
        ] {
            tidy(name);
        }
        for account in &mut payload.accounts {
            tidy(&mut account.practice_name);
        }
        Ok(payload)
    }

    /// The record that the mail is about, if the payload names one.
    pub(crate) fn about(&mut self) -> Option<About> {
        self.about.take().and_then(Written::read)
    }

    /// Whether everything is there that the kind's texts need.
    pub(crate) fn check(&mut self, kind: &str) -> Result<(), RenderError> {
        if kind == "reset_password"
            && self.accounts.is_empty()
            && let Some(link) = self.link.take()
        {
            let practice_name = self.practice_name.clone();
            self.accounts.push(Account { practice_name, link });
        }
        if self.accounts.len() > ACCOUNTS_MAX {
            return Err(RenderError::TooMany("accounts"));
        }
        let (needs_practice, needs_link) = match kind {
            "welcome" | "invite" => (true, true),
            "confirm_email" | "form_shared" | "care_plan" => (false, true),
            kind if NOTICES.contains(&kind) => (false, true),
            _ => (false, false),
        };
        if kind == "reset_password" && self.accounts.is_empty() {
            return Err(RenderError::Missing("accounts"));
        }
        if needs_practice && self.practice_name.is_none() {
            return Err(RenderError::Missing("practice_name"));
        }
        if needs_link && self.link.is_none() {
            return Err(RenderError::Missing("link"));
        }
        if NOTICES.contains(&kind) && self.unsubscribe_link.is_none() {
            return Err(RenderError::Missing("unsubscribe_link"));
        }
        if kind == "verification_code" && (self.code.is_none() || self.minutes.is_none()) {
            return Err(RenderError::Missing("code"));
        }
        if kind == "key_revoked" && self.key.is_none() {
            return Err(RenderError::Missing("key"));
        }
        if kind.starts_with("appointment_") && self.time.is_none() {
            return Err(RenderError::Missing("time"));
        }
        if kind.starts_with("webhook_") && self.endpoint.is_none() {
            return Err(RenderError::Missing("endpoint"));
        }
        if matches!(kind, "webhook_worse" | "webhook_unfit" | "file_quarantined")
            && self.finding.is_none()
        {
            return Err(RenderError::Missing("finding"));
        }
        Ok(())
    }
}

/// A name in one line, without what could pass for a link or turn the text around. None when
/// nothing is left.
fn tidy(name: &mut Option<String>) {
    let Some(text) = name.take() else { return };
    let plain = |c: char| if c.is_control() { ' ' } else { c };
    let turns = |c: &char| matches!(c, '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let kept = text.chars().map(plain).filter(|c| !turns(c));
    let kept: String = kept.take(NAME_CHARS_MAX).collect();
    let words: Vec<&str> = kept.split_whitespace().collect();
    let words = words.join(" ").replace("//", "/ /");
    *name = (!words.is_empty()).then_some(words);
}
