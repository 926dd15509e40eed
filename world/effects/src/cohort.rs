//! The people whom effects of a class reach before they reach everybody: the stage between off and
//! live. Each root organization names its own. What is for anybody else is held, listed, and
//! fails after a day, when nobody has decided (ISO-31).

use std::sync::Arc;

use serde_json::{Value as Json, json};
use ward_instance::Timestamp;
use ward_store::audit::{AuditChange, AuditEntry};
use ward_store::system::{AuditType, EffectClass, EffectRow};
use ward_store::{
    Actor, Db, Entity, Id, Key, Query, Rule, Scope, Sql, StoreError, Tx, Uuid, Value, index,
    record, unique,
};

use crate::release::{HELD_SECONDS, goes_stale};

/// The most people of an organization in one cohort: more is a release, not a trial.
pub const COHORT_MAX: usize = 1_000;

/// The most that one reading of what is held answers.
const MOST: i64 = 200;

/// Somebody of the practice, whose own table belongs to the identity domain.
#[derive(Clone, Copy, Debug)]
pub struct Person;

impl Entity for Person {
    const NAME: &'static str = "User";
}

record! {
    /// Somebody whom effects of a class reach while the class is at its cohort.
    pub struct CohortPerson in EFFECT_COHORTS, effect_cohorts {
        id: Uuid,
        org_id: i64,
        class: EffectClass,
        /// A client or a member; a merge carries it over.
        user_id: Id<Person>,
        reason: String,
        added_by: i64,
        added_at: Timestamp,
    }
    key: Key::Uuid,
    indexes: [
        unique(&["org_id", "class", "user_id"]),
        index(&["class", "org_id", "added_at"]),
    ],
    references: [],
    audit: None,
    visible: |_| Rule::none(),
}

/// Whether a class has a cohort. Account mail has none: nobody outside of it could sign in; nor have
/// looks at files, which reach nobody.
pub const fn has_cohort(class: EffectClass) -> bool {
    !matches!(class, EffectClass::AccountMail | EffectClass::Scan)
}

/// Whether an effect reaches somebody of its class's cohort, or nobody at all: a room that is given
/// up may have been made for somebody of it.
pub(crate) async fn includes(tx: &mut Tx, intent: &EffectRow) -> Result<bool, StoreError> {
    let Some(person) = intent.recipient_id else { return Ok(intent.class == EffectClass::Video) };
    let sql = Sql::fixed(
        "SELECT 1 FROM effect_cohorts WHERE org_id = $1 AND class = $2 AND user_id = $3",
        [intent.org_id.into(), intent.class.as_str().into(), person.into()],
    );
    Ok(!tx.rows(&sql).await?.is_empty())
}

/// The people of an organization in a class's cohort, in the order in which they came.
pub async fn people(db: &Db, org_id: i64, class: EffectClass) -> Result<Vec<Json>, StoreError> {
    let sql = Sql::fixed(
        "SELECT user_id, reason, added_by, added_at FROM effect_cohorts \
         WHERE class = $1 AND org_id = $2 ORDER BY added_at, id",
        [class.as_str().into(), org_id.into()],
    );
    let shown = |row: &[Value]| {
        Some(json!({
            "user_id": row.first()?.int()?.to_string(),
            "reason": row.get(1)?.text()?,
            "added_by": row.get(2)?.int()?.to_string(),
            "added_at": Timestamp(row.get(3)?.int()?).to_string(),
        }))
    };
    let rows = db.read().await?.rows(&sql).await?;
    let people = rows.iter().map(shown).collect::<Option<_>>();
    people.ok_or_else(|| StoreError::corrupt(EFFECT_COHORTS.name, "a row does not decode"))
}

/// Who comes and who goes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CohortChange {
    /// People of the actor's organization, for the caller to know; who is there already stays as
    /// they are.
    pub add: Vec<i64>,
    /// People who are there no more; who is not there is passed over.
    pub remove: Vec<i64>,
    /// Why, for the audit log.
    pub reason: String,
}

/// What became of a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CohortEnd {
    /// So many people are there now.
    Changed(usize),
    /// There would be more than [`COHORT_MAX`]; nothing is changed.
    TooMany,
}

/// Changes the actor's organization's people in a class's cohort; counts from the next effect on,
/// in every process. Audited, each person with the reason.
pub async fn change(
    db: &Db,
    actor: &Actor,
    class: EffectClass,
    change: CohortChange,
) -> Result<CohortEnd, StoreError> {
    let (actor, change) = (actor.clone(), Arc::new(change));
    db.write(move |tx| {
        let (actor, change) = (actor.clone(), Arc::clone(&change));
        Box::pin(async move { change_in(tx, &actor, class, &change).await })
    })
    .await
}

async fn change_in(
    tx: &mut Tx,
    actor: &Actor,
    class: EffectClass,
    change: &CohortChange,
) -> Result<CohortEnd, StoreError> {
    let remove = change.remove.iter().filter(|person| !change.add.contains(person));
    let remove: Vec<i64> = remove.copied().collect();
    let (all, class_text) = (count(tx, actor.org_id, class, None).await?, class.as_str());
    let going = count(tx, actor.org_id, class, Some(&remove)).await?;
    let known = count(tx, actor.org_id, class, Some(&change.add)).await?;
    let after = (all + change.add.len()).saturating_sub(going + known);
    if after > COHORT_MAX {
        return Ok(CohortEnd::TooMany);
    }
    let mut done = Vec::new();
    for person in &remove {
        let sql = Sql::fixed(
            "DELETE FROM effect_cohorts WHERE org_id = $1 AND class = $2 AND user_id = $3",
            [actor.org_id.into(), class_text.into(), (*person).into()],
        );
        if tx.execute(&sql).await? > 0 {
            done.push(("removed", *person));
        }
    }
    for person in &change.add {
        let sql = Sql::fixed(
            "INSERT INTO effect_cohorts \
             (id, org_id, class, user_id, reason, added_by, added_at) \
             VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (org_id, class, user_id) DO NOTHING",
            [
                tx.uuid().0.into(),
                actor.org_id.into(),
                class_text.into(),
                (*person).into(),
                change.reason.as_str().into(),
                actor.user_id.into(),
                tx.now().0.into(),
            ],
        );
        if tx.execute(&sql).await? > 0 {
            done.push(("added", *person));
        }
    }
    for (what, person) in done {
        let mut entry = AuditEntry::by(actor, AuditType::Admin, "EFFECT_COHORT", class_text);
        let person = person.to_string();
        entry.changes = vec![
            AuditChange::new(what, None, Some(person.as_str())),
            AuditChange::new("reason", None, Some(change.reason.as_str())),
        ];
        Scope::new(tx, actor).record(entry);
    }
    Ok(CohortEnd::Changed(after))
}

/// How many there are, of these people or of all.
async fn count(
    tx: &mut Tx,
    org_id: i64,
    class: EffectClass,
    of: Option<&[i64]>,
) -> Result<usize, StoreError> {
    let mut sql = Sql::new();
    sql.push("SELECT COUNT(*) FROM effect_cohorts WHERE org_id = ").bind(org_id);
    sql.push(" AND class = ").bind(class.as_str());
    if let Some(people) = of {
        sql.push(" AND user_id").bind_in(people.to_vec());
    }
    let count = tx.rows(&sql).await?.scalar().and_then(Value::int).unwrap_or_default();
    Ok(usize::try_from(count).unwrap_or_default())
}

/// What is held of an organization, oldest first, at most 200, and how many in all. No address and
/// no text; whom it reaches only `with_people`.
pub async fn held(
    db: &Db,
    org_id: i64,
    class: Option<EffectClass>,
    with_people: bool,
) -> Result<(Vec<Json>, i64), StoreError> {
    let of = |what: &str| {
        let mut sql = Sql::new();
        sql.push("SELECT ").push(what);
        sql.push(" FROM effect_intents WHERE state = 'waiting' AND org_id = ").bind(org_id);
        if let Some(class) = class {
            sql.push(" AND class = ").bind(class.as_str());
        }
        sql
    };
    let mut reader = db.read().await?;
    let count = reader.rows(&of("COUNT(*)")).await?.scalar().and_then(Value::int);
    let mut sql = of("id, class, kind, recipient_id, created_at, not_before, cause, \
         COALESCE(last_error, ''), expires_at");
    sql.push(" ORDER BY created_at, id").limit(MOST);
    let rows = reader.rows(&sql).await?;
    let items = rows.iter().map(|row| shown(row, with_people)).collect::<Option<_>>();
    let items =
        items.ok_or_else(|| StoreError::corrupt("effect_intents", "a row does not decode"))?;
    Ok((items, count.unwrap_or_default()))
}

fn shown(row: &[Value], with_people: bool) -> Option<Json> {
    let text = |at: usize| row.get(at)?.text();
    let (created, not_before) = (row.get(4)?.int()?, row.get(5)?.int()?);
    let class = EffectClass::from_text(text(1)?)?;
    let stale = Timestamp(created.max(not_before)).plus_seconds(HELD_SECONDS);
    let stale = goes_stale(class).then_some(stale.0);
    // Whichever comes first.
    let expires = stale.into_iter().chain(row.get(8)?.int()).min();
    Some(json!({
        "id": text(0)?,
        "class": class.as_str(),
        "kind": text(2)?,
        "user_id": row.get(3)?.int().filter(|_| with_people).map(|id| id.to_string()),
        "created_at": Timestamp(created).to_string(),
        "expires_at": expires.map(|at| Timestamp(at).to_string()),
        "cause": text(6)?,
        "why": text(7)?,
    }))
}
