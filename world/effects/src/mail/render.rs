//! Templates to texts, with the marks of the environment.
//!
//! Subject lines are constants: no name, diagnosis or form can get into one.

use std::sync::LazyLock;

use minijinja::{Environment, UndefinedBehavior, Value, context};
use ward_instance::{Instance, Kind};

use crate::about::About;
use crate::mail::links;
use crate::mail::payload::Payload;
use crate::mail::render_error::RenderError;
use crate::message::Content;

/// The kinds of mail that there are texts for.
pub const MAIL_KINDS: [&str; 30] = [
    "reset_password",
    "welcome",
    "confirm_email",
    "invite",
    "password_changed",
    "break_glass",
    "verification_code",
    "second_factor_changed",
    "email_changed",
    "access_given",
    "key_revoked",
    "file_quarantined",
    "webhook_failing",
    "webhook_disabled",
    "webhook_worse",
    "webhook_unfit",
    "new_message",
    "form_shared",
    "care_plan",
    "client_created",
    "client_assigned",
    "contact_message",
    "appointment_reminder",
    "new_appointment_request",
    "appointment_booked",
    "appointment_seat_freed",
    "appointment_changed",
    "appointment_cancelled",
    "appointment_part_cancelled",
    "form_requested",
];

struct Template {
    kind: &'static str,
    subject: &'static str,
    text: &'static str,
    html: &'static str,
}

macro_rules! template {
    ($kind:literal, $subject:literal) => {
        Template {
            kind: $kind,
            subject: $subject,
            text: concat!($kind, ".txt"),
            html: concat!($kind, ".html"),
        }
    };
}

const TEMPLATES: [Template; 30] = [
    template!("reset_password", "Set a new password"),
    template!("welcome", "Your account is ready"),
    template!("confirm_email", "Confirm your e-mail address"),
    template!("invite", "You are invited to join a team"),
    template!("password_changed", "Your password was changed"),
    template!("break_glass", "Emergency access to a restricted record"),
    template!("verification_code", "Your verification code"),
    template!("second_factor_changed", "Your sign-in was changed"),
    template!("email_changed", "Your e-mail address was changed"),
    template!("access_given", "Somebody can act for you"),
    template!("key_revoked", "An API key was revoked"),
    template!("file_quarantined", "Malware was found in a file"),
    template!("webhook_failing", "A webhook fails"),
    template!("webhook_disabled", "A webhook was disabled"),
    template!("webhook_worse", "A webhook's receiver needs a look"),
    template!("webhook_unfit", "A webhook was disabled"),
    template!("new_message", "You have a new message"),
    template!("form_shared", "A form was shared with you"),
    template!("care_plan", "You have a care plan"),
    template!("client_created", "You have a new client"),
    template!("client_assigned", "You have a new client"),
    template!("contact_message", "A message is waiting"),
    template!("appointment_reminder", "Reminder of your appointment"),
    template!("new_appointment_request", "Somebody asks for an appointment"),
    template!("appointment_booked", "Your appointment is booked"),
    template!("appointment_seat_freed", "A seat is free, and yours"),
    template!("appointment_changed", "Your appointment has changed"),
    template!("appointment_cancelled", "Your appointment was cancelled"),
    template!("appointment_part_cancelled", "A client does not come to an appointment"),
    template!("form_requested", "Something to fill in"),
];

macro_rules! sources {
    ($($name:literal),* $(,)?) => {
        [$(($name, include_str!(concat!("../../templates/", $name)))),*]
    };
}

const SOURCES: [(&str, &str); 62] = sources![
    "layout.txt",
    "layout.html",
    "reset_password.txt",
    "reset_password.html",
    "welcome.txt",
    "welcome.html",
    "confirm_email.txt",
    "confirm_email.html",
    "invite.txt",
    "invite.html",
    "password_changed.txt",
    "password_changed.html",
    "break_glass.txt",
    "break_glass.html",
    "verification_code.txt",
    "verification_code.html",
    "second_factor_changed.txt",
    "second_factor_changed.html",
    "email_changed.txt",
    "email_changed.html",
    "access_given.txt",
    "access_given.html",
    "key_revoked.txt",
    "key_revoked.html",
    "file_quarantined.txt",
    "file_quarantined.html",
    "webhook_failing.txt",
    "webhook_failing.html",
    "webhook_disabled.txt",
    "webhook_disabled.html",
    "webhook_worse.txt",
    "webhook_worse.html",
    "webhook_unfit.txt",
    "webhook_unfit.html",
    "new_message.txt",
    "new_message.html",
    "form_shared.txt",
    "form_shared.html",
    "care_plan.txt",
    "care_plan.html",
    "client_created.txt",
    "client_created.html",
    "client_assigned.txt",
    "client_assigned.html",
    "contact_message.txt",
    "contact_message.html",
    "appointment_reminder.txt",
    "appointment_reminder.html",
    "new_appointment_request.txt",
    "new_appointment_request.html",
    "appointment_booked.txt",
    "appointment_booked.html",
    "appointment_seat_freed.txt",
    "appointment_seat_freed.html",
    "appointment_changed.txt",
    "appointment_changed.html",
    "appointment_cancelled.txt",
    "appointment_cancelled.html",
    "appointment_part_cancelled.txt",
    "appointment_part_cancelled.html",
    "form_requested.txt",
    "form_requested.html",
];

/// All templates, parsed once. The ending `.html` switches escaping on.
static ENGINE: LazyLock<Environment<'static>> = LazyLock::new(|| {
    let mut engine = Environment::new();
    engine.set_undefined_behavior(UndefinedBehavior::Strict);
    for (name, source) in SOURCES {
        engine.add_template(name, source).expect("an embedded template is well-formed");
    }
    engine
});

/// The texts of a mail of this kind, out of an intent's payload (JSON), and the record that the
/// payload says it is about.
pub fn rendered(
    instance: &Instance,
    kind: &str,
    payload: &str,
) -> Result<(Content, Option<About>), RenderError> {
    let template = TEMPLATES.iter().find(|template| template.kind == kind);
    let template = template.ok_or(RenderError::UnknownKind)?;
    let mut payload = Payload::read(payload)?;
    payload.check(kind)?;
    let base = instance.base_url().to_string();
    let marks = Marks::of(instance);
    let subject = match instance.kind() {
        Kind::Sandbox => format!("[Sandbox] {}", template.subject),
        Kind::Production => template.subject.to_owned(),
    };
    let filled = |name: &str, form: Form| -> Result<String, RenderError> {
        let values = values(&payload, &base, &subject, &marks, form)?;
        let text = ENGINE.get_template(name)?.render(values)?;
        match links::leads_home(&base, &text) {
            true => Ok(text),
            false => Err(RenderError::ForeignLink),
        }
    };
    let (text, html) = (filled(template.text, Form::Text)?, filled(template.html, Form::Html)?);
    let content = Content { text, html, headers: marks.headers(), subject, ..Content::default() };
    Ok((content, payload.about()))
}

#[derive(Clone, Copy)]
enum Form {
    Text,
    Html,
}

impl Form {
    /// A checked link for this form. The engine's own escaping would write each slash as an
    /// entity, which is right but which nobody who searches a mail for a link expects.
    fn link(self, base: &str, link: &str) -> Result<Value, RenderError> {
        let link = links::resolved(base, link)?;
        Ok(match self {
            Form::Text => Value::from(link),
            Form::Html => Value::from_safe_string(link.replace('&', "&amp;")),
        })
    }
}

fn values(
    payload: &Payload,
    base: &str,
    subject: &str,
    marks: &Marks,
    form: Form,
) -> Result<Value, RenderError> {
    let link = payload.link.as_deref().map(|link| form.link(base, link));
    let unsubscribe_link = payload.unsubscribe_link.as_deref().map(|link| form.link(base, link));
    let room_link = payload.room_link.as_deref().map(|link| form.link(base, link));
    let accounts = payload.accounts.iter().map(|account| {
        let link = form.link(base, &account.link)?;
        Ok(context! { practice_name => account.practice_name.as_deref(), link })
    });
    let accounts = accounts.collect::<Result<Vec<Value>, RenderError>>()?;
    Ok(context! {
        subject,
        accounts,
        link => link.transpose()?,
        unsubscribe_link => unsubscribe_link.transpose()?,
        room_link => room_link.transpose()?,
        mark => marks.visible.as_deref(),
        environment => marks.environment,
        instance => marks.instance.as_str(),
        recipient_name => payload.recipient_name.as_deref(),
        practice_name => payload.practice_name.as_deref(),
        inviter_name => payload.inviter_name.as_deref(),
        member_name => payload.member_name.as_deref(),
        code => payload.code.as_deref(),
        minutes => payload.minutes,
        key => payload.key.as_deref(),
        endpoint => payload.endpoint.as_deref(),
        webhook => payload.webhook.as_deref(),
        finding => payload.finding.as_deref(),
        is_on => payload.is_on,
        time => payload.time.as_deref(),
        provider_name => payload.provider_name.as_deref(),
        count => payload.count.as_deref(),
    })
}

/// How a message tells its environment (ISO-30): to people at the head of its body and in its
/// subject line, to machines in header fields and in the document's head.
struct Marks {
    environment: &'static str,
    instance: String,
    /// Only a Sandbox needs to say what it is.
    visible: Option<String>,
}

impl Marks {
    fn of(instance: &Instance) -> Self {
        let tag = instance.tag().to_string();
        let visible = match instance.kind() {
            Kind::Sandbox => Some(format!(
                "[Sandbox {tag}] Simulated message: it was sent to nobody, and nothing in it is real."
            )),
            Kind::Production => None,
        };
        Marks { environment: instance.kind().as_str(), instance: tag, visible }
    }

    fn headers(&self) -> Vec<(&'static str, String)> {
        vec![("X-Environment", self.environment.to_owned()), ("X-Instance", self.instance.clone())]
    }
}
