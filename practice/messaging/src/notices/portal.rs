//! What a contact with an account of their own opens of the client's record: all that the client
//! opens, or nothing (DOM-35). Members give it; the client and members take it away.
//!
//! `client_portal_access` is what there is at this moment ([`ward_identity::proxy`]), so that no
//! two places say different things of it.

use std::collections::HashMap;

use ward_engine::{
    Answer, Args, Bindings, Call, Given, Listing, Out, Payload, Problems, Refused, Request,
    Returns, RowView, input, moment, op,
};
use ward_identity::care::may_entrust;
use ward_identity::events::ACCESS_OVER;
use ward_identity::permit::members_only;
use ward_identity::proxy::{ClientProxy, Ended, act, grant, rules};
use ward_identity::tables::{USERS, User};
use ward_store::{Actor, Cond, Day, Event, Id, Level, Query, Scope, StoreError};

use crate::notices::contact::{
    NotificationContact, TYPE, client, event, notification_contacts as at,
};

const ACCESS: &str = "client_portal_access";
const UNTIL: &str = "client_portal_access_until";

input! {
    /// `actAsLinkedClientInput`.
    pub struct ActAs { notification_contact_id: Id<NotificationContact> }
}

/// Binds what contacts show of it, and the mutation.
pub fn bind(b: &mut Bindings) {
    const WHO: &[usize] = &[at::user_id, at::linked_client_id];
    b.batch(TYPE, ACCESS, WHO, |request, q, rows, _| Box::pin(access(request, q, rows))).limited();
    b.batch(TYPE, UNTIL, WHO, |request, q, rows, _| Box::pin(until(request, q, rows))).limited();
    const ACTING: &[(&str, Returns)] = &[("token", Returns::Leaf), ("user", Returns::One(&USERS))];
    b.mutation("actAsLinkedClient", ACTING, op!(act_as)).of_session();
    b.reaction(ACCESS_OVER, |call, event| Box::pin(over(call, event)));
}

/// A changed date of birth has ended an access.
async fn over(call: &mut Call<'_>, event: &Event) -> Answer<()> {
    let access: Option<ClientProxy> = call.find(Id::new(event.resource_id)).await?;
    if let Some(access) = access {
        tell_of_end(call, &access).await?;
    }
    Ok(())
}

/// Tells webhooks of an access that was over by itself, as of one that somebody takes away.
pub async fn tell_of_end(scope: &mut Scope<'_>, access: &ClientProxy) -> Result<(), StoreError> {
    let named = pair(access.user_id, access.proxy_id);
    let contacts: Vec<NotificationContact> = scope.list(named, &[]).await?;
    for contact in &contacts {
        scope.emit(event("notification_contact.updated", contact).changed(&[ACCESS]));
    }
    Ok(())
}

/// What was sent of a contact's access.
pub struct Wish {
    access: Option<bool>,
    until: Option<Day>,
    says_until: bool,
}

impl Wish {
    /// Reads it. A client says no day, since they give it to nobody: a blank one of theirs, which
    /// programs send along, is none.
    pub fn of(
        actor: &Actor,
        (access, until): (&Given<bool>, &Given<String>),
        problems: &mut Problems,
    ) -> Self {
        let day = until.trimmed().and_then(moment::day);
        if day.is_none() && until.trimmed().is_some() {
            problems.add(UNTIL, "Client portal access until must be a date such as 2027-03-09");
        }
        let says_until = until.is_given() && (day.is_some() || !actor.is_client());
        let wish = Wish { access: access.value().copied(), until: day, says_until };
        if wish.access == Some(false) && day.is_some() {
            problems.add(UNTIL, "Client portal access until needs client_portal_access: true");
        }
        wish
    }
}

/// Gives a contact what is wanted, or takes it away; whether anything changed.
pub async fn settle(
    call: &mut Call<'_>,
    wish: &Wish,
    contact: &NotificationContact,
) -> Answer<bool> {
    match (wish.access, wish.says_until) {
        (None, false) => Ok(false),
        (Some(false), _) => close(call, contact).await,
        (Some(true), _) | (None, true) => open(call, wish, contact).await,
    }
}

async fn open(call: &mut Call<'_>, wish: &Wish, contact: &NotificationContact) -> Answer<bool> {
    let Some(linked) = contact.linked_client_id else {
        return match (wish.access, wish.until) {
            (Some(true), _) => Err(Refused::on(
                ACCESS,
                "Client portal access needs a contact with an account of their own: name it with \
                 linked_client_id when the contact is created",
            )),
            (_, Some(_)) => Err(unopened()),
            (_, None) => Ok(false),
        };
    };
    let clients = [contact.user_id.0];
    let (org_id, now) = (call.actor.org_id, call.now());
    let open = grant::acting(&mut *call.scope.tx, org_id, &clients, now).await?;
    let is_open = open.contains_key(&(contact.user_id.0, linked.0));
    match (is_open, wish.access, wish.until) {
        // As it is.
        (true, _, _) if !wish.says_until => return Ok(false),
        (false, None, Some(_)) => return Err(unopened()),
        (false, None, None) => return Ok(false),
        _ => {}
    }
    members_only(call.actor)?;
    let of = client(call, contact.user_id, "user_id").await?;
    may_entrust(call, &of).await?;
    let account = client(call, linked, "linked_client_id").await?;
    grant::give(call, (&of, &account), wish.until).await
}

fn unopened() -> Refused {
    Refused::on(UNTIL, "Client portal access until needs client_portal_access: true")
}

/// Takes away what a contact who is to go has, unless another contact of the client's is the same
/// person: merges of clients make two of one.
pub async fn leave(call: &mut Call<'_>, contact: &NotificationContact) -> Answer<bool> {
    let Some(linked) = contact.linked_client_id else { return Ok(false) };
    let named = pair(contact.user_id, linked);
    let others: Vec<NotificationContact> = call.list(named, &[]).await?;
    match others.iter().any(|it| it.id != contact.id) {
        true => Ok(false),
        false => close(call, contact).await,
    }
}

/// Contacts of a client's that are one person.
pub(super) fn pair(client: Id<User>, linked: Id<User>) -> Cond {
    Cond::eq("user_id", client.0).and(Cond::eq("linked_client_id", linked.0))
}

/// Takes away what a contact has, if they have anything.
pub async fn close(call: &mut Call<'_>, contact: &NotificationContact) -> Answer<bool> {
    let Some(linked) = contact.linked_client_id else { return Ok(false) };
    match grant::kept(call, contact.user_id, linked).await? {
        Some(kept) => {
            grant::end(call, &kept, Ended::TakenAway).await?;
            Ok(true)
        }
        None => Ok(false),
    }
}

/// Begins to act for the client whose contact the caller is.
pub async fn act_as(call: &mut Call<'_>, input: &ActAs) -> Answer<Payload> {
    const AT: &str = "notification_contact_id";
    let id = input.notification_contact_id.value().copied();
    act::may_begin(call)?;
    let id = id.ok_or_else(|| Refused::not_found(AT))?;
    let seen: Option<(NotificationContact, Level)> = call.visible(id, Level::Limited).await?;
    let own = seen.map(|(contact, _)| contact);
    let own = own.filter(|it| it.linked_client_id == Some(Id::new(call.actor.user_id)));
    let contact = own.ok_or_else(|| Refused::not_found(AT))?;
    let acting = act::begin(call, contact.user_id, AT).await?;
    Ok(Payload::new()
        .leaf("token", acting.token.text.to_string())
        .one("user", acting.client.0)
        .seen_by(acting.actor))
}

/// For clients themselves those whose record they open; for members all whom they see.
pub fn relatives(request: &Request, _: &Args) -> Answer<Listing> {
    if !request.actor.is_client() {
        return Ok(Listing::all());
    }
    let Some(today) = rules::earliest_today(request.now) else { return Ok(Listing::none()) };
    let opened = "EXISTS (SELECT 1 FROM client_proxies g WHERE g.org_id = {t}.org_id \
         AND g.user_id = {t}.user_id AND g.proxy_id = {t}.linked_client_id \
         AND g.ended_at IS NULL AND (g.until IS NULL OR g.until > ?))";
    Ok(Listing::of(Cond::sql(opened, [today.to_string().into()])))
}

type Open = HashMap<(i64, i64), Option<Day>>;

async fn opened(request: &Request, q: &mut dyn Query, rows: &[RowView<'_>]) -> Answer<Open> {
    let mut clients: Vec<i64> = rows.iter().filter_map(|row| row.get(at::user_id).int()).collect();
    clients.sort_unstable();
    clients.dedup();
    Ok(grant::acting(q, request.actor.org_id, &clients, request.now).await?)
}

fn found(open: &Open, row: &RowView<'_>) -> Option<Option<Day>> {
    let pair = (row.get(at::user_id).int()?, row.get(at::linked_client_id).int()?);
    open.get(&pair).copied()
}

async fn access(request: &Request, q: &mut dyn Query, rows: Vec<RowView<'_>>) -> Answer<Vec<Out>> {
    let open = opened(request, q, &rows).await?;
    Ok(rows.iter().map(|row| found(&open, row).is_some().into()).collect())
}

async fn until(request: &Request, q: &mut dyn Query, rows: Vec<RowView<'_>>) -> Answer<Vec<Out>> {
    let open = opened(request, q, &rows).await?;
    let day = |row: &RowView<'_>| found(&open, row).flatten().map(|day| day.to_string());
    Ok(rows.iter().map(|row| day(row).into()).collect())
}
