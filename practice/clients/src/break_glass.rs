//! Breaking the glass (an addition to the contract; 45 CFR 164.312(a)(2)(ii)):
//! in an emergency a member reads a restricted client whom they would not see.
//! It takes a reason, ends by itself within an hour of the real clock, is told
//! to the owner at once, and stands in the audit log and the access log.
//!
//! It is for reading: changes are found without it, so nobody can use it to give
//! themselves a lasting right.

use ward_engine::{
    Answer, Args, Bindings, Call, Kind, Link, Listing, OrderOption, Payload, Problems, Refused,
    Request, Returns, input, op,
};
use ward_identity::flags::CAN_RESTRICT_CLIENTS;
use ward_identity::tables::{
    BREAK_GLASS_ACCESSES, BreakGlassAccess, Organization, USERS, User, break_glass_accesses as at,
};
use ward_instance::Timestamp;
use ward_store::intents::EffectIntent;
use ward_store::system::EffectClass;
use ward_store::{Cond, Entity, Id, Level};

use crate::access::members_only;
use crate::restriction::REASON_CHARS_MAX;
use crate::{access, rules};

/// The longest that one access lasts, in minutes.
pub const MINUTES_MAX: i64 = 60;

const MINUTE_MICROS: i64 = 60_000_000;

input! {
    /// `createBreakGlassAccessInput`.
    pub struct CreateBreakGlass { client_id: Id<User>, reason: String, minutes: i64 }
}

input! {
    /// `endBreakGlassAccessInput`.
    pub struct EndBreakGlass { id: Id<BreakGlassAccess> }
}

static RETURNS: &[(&str, Returns)] = &[("break_glass_access", Returns::One(&BREAK_GLASS_ACCESSES))];

const ORDERS: &[OrderOption] = &[OrderOption { name: "STARTED_AT", expression: "{t}.started_at" }];

/// Binds the type, its query and its mutations.
pub fn bind(b: &mut Bindings) {
    const TYPE: &str = "BreakGlassAccess";
    b.object(TYPE, &BREAK_GLASS_ACCESSES);
    b.one(TYPE, "client", &USERS, Link::Key(at::client_id));
    b.one(TYPE, "user", &USERS, Link::Key(at::user_id));
    b.one(TYPE, "ended_by", &USERS, Link::Key(at::ended_by_id));
    b.computed(TYPE, "is_active", &[at::expires_at, at::ended_at], |request, row, _| {
        let wall = request.instance.clock().wall();
        let expires_at = row.get(at::expires_at).int().map(Timestamp);
        (row.get(at::ended_at).is_null() && expires_at.is_some_and(|at| at > wall)).into()
    });
    b.query_list("breakGlassAccesses", &BREAK_GLASS_ACCESSES, listing)
        .args(&[
            ("active", Kind::Plain),
            ("client_id", Kind::Id(User::NAME)),
            ("user_id", Kind::Id(User::NAME)),
        ])
        .orders(ORDERS, "STARTED_AT_DESC");
    b.mutation("createBreakGlassAccess", RETURNS, op!(create));
    b.mutation("endBreakGlassAccess", RETURNS, op!(end));
}

/// Of a client, of a member, those that last or those that have ended.
fn listing(request: &Request, args: &Args) -> Answer<Listing> {
    let mut cond = Cond::Always;
    for name in ["client_id", "user_id"] {
        if let Some(id) = args.get::<Id<User>>(name, request)? {
            cond = cond.and(Cond::eq(name, id.0));
        }
    }
    if let Some(active) = args.bool("active") {
        let wall = request.instance.clock().wall();
        let lasts = Cond::sql("{t}.ended_at IS NULL AND {t}.expires_at > ?", [wall.0.into()]);
        cond = cond.and(if active { lasts } else { lasts.negated() });
    }
    Ok(Listing::of(cond))
}

/// Breaks the glass. A client who is not restricted, whom the member sees, or
/// who is of a unit that the member's does not see, is not found: which it is is
/// not told.
pub async fn create(call: &mut Call<'_>, input: &CreateBreakGlass) -> Answer<Payload> {
    members_only(call.actor)?;
    let me = Id::<User>::new(call.actor.user_id);
    let me = call.find(me).await?;
    let me = me.filter(|me| !me.is_integration).ok_or_else(|| {
        Refused::base("Breaking the glass is for people: an integration can't do it")
    })?;
    let minutes = input.minutes.value().copied().unwrap_or(MINUTES_MAX);
    let mut problems = Problems::new();
    rules::required("reason", &input.reason, &mut problems);
    rules::bounded("reason", &input.reason, REASON_CHARS_MAX, &mut problems);
    if !(1..=MINUTES_MAX).contains(&minutes) {
        problems.add("minutes", format!("Minutes must be between 1 and {MINUTES_MAX}"));
    }
    problems.check()?;
    let client = unseen_client(call, input.client_id.value().copied()).await?;
    access::concerns(call, &client);
    // Of two at once, the second finds the first.
    let (org_id, user_id, client_id) = (me.org_id, me.id.to_string(), client.id.to_string());
    call.tx.lock(&["glass", &org_id.to_string(), &user_id, &client_id]).await?;
    let wall = call.tx.wall();
    let lasting = Cond::sql(
        "{t}.user_id = ? AND {t}.client_id = ? AND {t}.ended_at IS NULL AND {t}.expires_at > ?",
        [me.id.0.into(), client.id.0.into(), wall.0.into()],
    );
    if call.find_by::<BreakGlassAccess>(lasting).await?.is_some() {
        return Err(Refused::on(
            "client_id",
            "You can read this client already; end that access first",
        ));
    }
    let now = call.now();
    let access = BreakGlassAccess {
        id: call.next_id().await?,
        org_id: client.org_id,
        unit_id: client.unit_id,
        client_id: client.id,
        user_id: me.id,
        reason: input.reason.trimmed().unwrap_or_default().to_owned(),
        started_at: wall,
        expires_at: Timestamp(wall.0 + minutes * MINUTE_MICROS),
        ended_at: None,
        ended_by_id: None,
        created_at: now,
        updated_at: now,
    };
    call.create(&access).await?;
    tell_owner(call, &access, &me).await?;
    Ok(Payload::new().one("break_glass_access", access.id.0))
}

/// A restricted client of the units that the actor may see, whom they don't see.
async fn unseen_client(call: &mut Call<'_>, id: Option<Id<User>>) -> Answer<User> {
    let not_found = || Refused::not_found("client_id");
    let id = id.ok_or_else(not_found)?;
    if call.visible(id, Level::Full).await?.is_some() {
        return Err(not_found());
    }
    let restricted = Cond::eq("id", id.0)
        .and(Cond::is_true("is_patient"))
        .and(Cond::is_true("restricted"))
        .and(call.actor.units("unit_id"));
    call.find_by::<User>(restricted).await?.ok_or_else(not_found)
}

/// Mails the owner of the client's organization, or of its parent when it has
/// none, at once. Of the client the mail says nothing: it may be read on a
/// locked screen.
async fn tell_owner(call: &mut Call<'_>, access: &BreakGlassAccess, me: &User) -> Answer<()> {
    let unit: Option<Organization> = call.find(access.unit_id).await?;
    let root: Option<Organization> = call.find(access.org_id).await?;
    let practice = unit.as_ref().map(|unit| unit.name.clone());
    let owners = [unit, root].into_iter().flatten().filter_map(|it| it.owner_id);
    let mut told = None;
    for owner_id in owners {
        let owner: Option<User> = call.find(owner_id).await?;
        told = owner.and_then(|owner| Some((owner.email?, owner.first_name, owner.id)));
        if told.is_some() {
            break;
        }
    }
    // Without an address the audit log still tells it.
    let Some((to, recipient_name, owner_id)) = told else { return Ok(()) };
    let name = [me.first_name.as_deref(), me.last_name.as_deref()];
    let intent = EffectIntent {
        class: EffectClass::AccountMail,
        kind: "break_glass",
        to,
        payload: serde_json::json!({
            "recipient_name": recipient_name,
            "practice_name": practice,
            "member_name": name.into_iter().flatten().collect::<Vec<_>>().join(" "),
            "about": { "type": "BreakGlassAccess", "id": access.id.0 },
        }),
        subject_client: Some(access.client_id.0),
        recipient: Some(owner_id.0),
        cause: call.request.request_id.clone(),
        idempotency_key: format!("break_glass:{}", access.id),
        not_before: None,
        expires_at: None,
    };
    call.intend(intent).await?;
    Ok(())
}

/// Ends an access before its time: one's own; another's with the right to
/// restrict clients. Ending an ended one changes nothing.
pub async fn end(call: &mut Call<'_>, input: &EndBreakGlass) -> Answer<Payload> {
    members_only(call.actor)?;
    let id = input.id.value().copied().ok_or_else(|| Refused::not_found("id"))?;
    let found = call.visible_for_update(id, Level::Full).await?;
    let (before, _) = found.ok_or_else(|| Refused::not_found("id"))?;
    if before.user_id.0 != call.actor.user_id {
        access::requires(call.actor, CAN_RESTRICT_CLIENTS)?;
    }
    let wall = call.tx.wall();
    if before.ended_at.is_none() && before.expires_at > wall {
        let mut after = before.clone();
        after.ended_at = Some(wall);
        after.ended_by_id = (call.actor.user_id != 0).then(|| Id::new(call.actor.user_id));
        call.scope.subject_id = Some(before.client_id.0);
        call.update(&before, &after).await?;
    }
    Ok(Payload::new().one("break_glass_access", before.id.0))
}
