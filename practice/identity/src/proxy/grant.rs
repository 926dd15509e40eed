//! Giving a client access to another one's record, and taking it away.

use std::collections::HashMap;

use serde_json::json;
use ward_engine::{Answer, Call, Refused};
use ward_instance::Timestamp;
use ward_store::audit::{AuditChange, AuditEntry};
use ward_store::system::AuditType;
use ward_store::{Cond, Day, Id, Query, Scope, Sql, StoreError, Value};

use super::rules::{self, Denied, End, Terms};
use super::table::{ClientProxy, Ended};
use crate::account_mail::{self, AccountMail};
use crate::person::{self, DEFAULT_ZONE};
use crate::session;
use crate::tables::User;

/// What the audit log calls who may act for a client.
const CHANGED: &str = "proxy";

/// What was given to `proxy` of `client`'s and has not ended; over by itself a moment ago or not.
pub async fn kept(
    scope: &mut Scope<'_>,
    client: Id<User>,
    proxy: Id<User>,
) -> Result<Option<ClientProxy>, StoreError> {
    let pair = Cond::eq("user_id", client.0).and(Cond::eq("proxy_id", proxy.0));
    scope.find_by::<ClientProxy>(pair.and(Cond::is_null("ended_at"))).await
}

impl ClientProxy {
    /// Until when it is.
    pub fn terms(&self) -> Terms {
        Terms { until: self.until, granted_on: self.granted_on, is_guardian: self.is_guardian }
    }
}

/// The day that it is for a client.
pub async fn today_of(scope: &mut Scope<'_>, client: &User) -> Result<Day, StoreError> {
    let (org_id, now) = (client.org_id.0, scope.now());
    let person = person::load(scope.tx, org_id, client.id.0).await?;
    let zone = person.map(|person| person.actor(None).time_zone);
    let today = rules::today(now, zone.as_deref().unwrap_or(DEFAULT_ZONE));
    today.ok_or_else(|| StoreError::internal("the clock shows no day"))
}

/// Lets `proxy` act for `client`, as long as `wanted` or as long as can be; what there is
/// already lasts as long from now on. Whether that changed anything.
pub async fn give(
    call: &mut Call<'_>,
    (client, proxy): (&User, &User),
    wanted: Option<Day>,
) -> Answer<bool> {
    if client.id == proxy.id {
        return Err(Refused::on(Denied::Unknown.field(), "Nobody acts for themselves"));
    }
    for person in [client, proxy] {
        if person.deceased_on.is_some() {
            let sentence = "Nobody acts for a client who has died, or is one who has";
            return Err(Refused::on(Denied::Unknown.field(), sentence));
        }
    }
    let today = today_of(call, client).await?;
    let terms = Terms::given(client.dob, today, wanted)
        .map_err(|denied| Refused::on(denied.field(), denied.sentence()))?;
    if let Some(before) = kept(call, client.id, proxy.id).await? {
        if before.terms().last(client.dob, today) {
            let Terms { until, is_guardian, .. } = terms;
            let after = ClientProxy { until, is_guardian, ..before.clone() };
            return Ok(!call.update(&before, &after).await?.is_empty());
        }
        // It was over by itself, and so is what was begun with it: this is another access.
        end(call, &before, Ended::Over).await?;
    }
    let now = call.now();
    let row = ClientProxy {
        id: call.next_id().await?,
        org_id: client.org_id,
        unit_id: client.unit_id,
        user_id: client.id,
        proxy_id: proxy.id,
        until: terms.until,
        granted_on: terms.granted_on,
        is_guardian: terms.is_guardian,
        granted_by: (call.actor.user_id != 0).then(|| Id::new(call.actor.user_id)),
        ended_at: None,
        ended_because: None,
        version: 1,
        created_at: now,
        updated_at: now,
    };
    // Somebody else has given it at the same time.
    call.create(&row).await.map_err(|error| match error {
        StoreError::Unique(_) => StoreError::Conflict,
        other => other,
    })?;
    note(call, &row, CHANGED, None, Some(row.proxy_id.0));
    tell(call, client).await?;
    Ok(true)
}

/// Tells the client that somebody acts for them from now on; by mail, which others may read, and so
/// not who.
async fn tell(call: &mut Call<'_>, client: &User) -> Answer<()> {
    let Some(to) = client.email.clone() else { return Ok(()) };
    let cause = call.request.request_id.clone();
    let mail = AccountMail { kind: "access_given", to: &to, facts: json!({}), cause: &cause };
    account_mail::send(call, client, mail).await?;
    Ok(())
}

/// Takes it away, and ends what is done with it at this moment.
pub async fn end(
    scope: &mut Scope<'_>,
    before: &ClientProxy,
    because: Ended,
) -> Result<(), StoreError> {
    let (ended_at, ended_because) = (Some(scope.now()), Some(because));
    let after = ClientProxy { ended_at, ended_because, ..before.clone() };
    let subject = scope.subject_id.replace(before.user_id.0);
    let ended = scope.update(before, &after).await;
    scope.subject_id = subject;
    ended?;
    note(scope, before, CHANGED, Some(before.proxy_id.0), None);
    session::end_of_proxy(scope, before.id).await
}

/// Takes away what anybody has of a client's, into whom another one was merged.
pub async fn end_of_client(scope: &mut Scope<'_>, client: Id<User>) -> Result<(), StoreError> {
    end_where(scope, Cond::eq("user_id", client.0), Ended::Merged).await
}

/// The same, and what the client has of anybody's: the account is closed.
pub async fn end_all(scope: &mut Scope<'_>, client: Id<User>) -> Result<(), StoreError> {
    let either = Cond::eq("user_id", client.0).or(Cond::eq("proxy_id", client.0));
    end_where(scope, either, Ended::Closed).await
}

async fn end_where(scope: &mut Scope<'_>, which: Cond, because: Ended) -> Result<(), StoreError> {
    let kept: Vec<ClientProxy> = scope.list(which.and(Cond::is_null("ended_at")), &[]).await?;
    for row in &kept {
        end(scope, row, because).await?;
    }
    Ok(())
}

/// An entry of the client's record in the audit log, which its query shows.
pub(super) fn note(
    scope: &mut Scope<'_>,
    of: &ClientProxy,
    field: &str,
    before: Option<i64>,
    after: Option<i64>,
) {
    let text = |id: Option<i64>| id.map(|id| id.to_string());
    let (before, after) = (text(before), text(after));
    let mut entry =
        AuditEntry::by(scope.actor, AuditType::Update, "USER", of.user_id.0.to_string());
    entry.unit_id = of.unit_id.0;
    entry.subject_id = Some(of.user_id.0);
    entry.changes = vec![AuditChange::new(field, before.as_deref(), after.as_deref())];
    scope.record(entry);
}

/// Who may act for these clients today: client and proxy, with the day on which it is over.
pub async fn acting(
    q: &mut dyn Query,
    org_id: i64,
    clients: &[i64],
    now: Timestamp,
) -> Result<HashMap<(i64, i64), Option<Day>>, StoreError> {
    if clients.is_empty() {
        return Ok(HashMap::new());
    }
    let mut sql = Sql::new();
    sql.push(
        "SELECT g.user_id, g.proxy_id, g.until, g.granted_on, g.is_guardian, u.dob, u.timezone, p.timezone \
         FROM client_proxies g \
         JOIN users u ON u.org_id = g.org_id AND u.id = g.user_id AND u.deleted_at IS NULL \
         AND u.deceased_on IS NULL \
         JOIN users x ON x.org_id = g.org_id AND x.id = g.proxy_id AND x.is_patient = TRUE \
         AND x.is_integration = FALSE AND x.deleted_at IS NULL AND x.deceased_on IS NULL \
         LEFT JOIN users p ON p.org_id = u.org_id AND p.id = u.dietitian_id \
         WHERE g.ended_at IS NULL AND g.org_id = ",
    );
    sql.bind(org_id).push(" AND g.user_id").bind_in(clients);
    let rows = q.rows(&sql).await?;
    Ok(rows.iter().filter_map(|row| acting_of_row(row, now)).collect())
}

/// Until when an access is, by its `until`, `granted_on` and `is_guardian` as the database has them.
pub(crate) fn terms([until, granted_on, is_guardian]: [&Value; 3]) -> Option<Terms> {
    Some(Terms {
        until: day(until),
        granted_on: day(granted_on)?,
        is_guardian: is_guardian.truth(),
    })
}

fn acting_of_row(row: &[Value], now: Timestamp) -> Option<((i64, i64), Option<Day>)> {
    let [client, proxy, until, granted_on, is_guardian, born, zone, provider_zone] = row else {
        return None;
    };
    let terms = terms([until, granted_on, is_guardian])?;
    let zone = zone.text().or(provider_zone.text()).unwrap_or(DEFAULT_ZONE);
    let born = day(born);
    if !terms.last(born, rules::today(now, zone)?) {
        return None;
    }
    let over = match terms.end(born) {
        End::On(day) => Some(day),
        End::Never | End::Over => None,
    };
    Some(((client.int()?, proxy.int()?), over))
}

/// A day as the database keeps it.
pub(crate) fn day(value: &Value) -> Option<Day> {
    value.text()?.parse().ok().map(Day)
}
