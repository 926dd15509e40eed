//! Archives that a job makes: for whoever asked, as they may at that time. Jobs delete, too, those whose
//! files were taken back.

use std::sync::Arc;
use std::time::Duration;

use ward_engine::{Answer, Call, Refused, Request, errands};
use ward_identity::flags::CAN_VIEW_REPORTS;
use ward_identity::permit::requires;
use ward_identity::person;
use ward_identity::tables::User;
use ward_store::access::AccessEntry;
use ward_store::jobs::{self, Job, NewJob};
use ward_store::{Actor, Db, Id, Scope, StoreError, Tx, Watch};

use super::consent::grant;
use super::consent::table::DisclosureConsent;
use super::{Place, Seen, expire, keep, pack, population, seen, walk};

/// The kind of job that makes a client's archive for themselves.
pub const KIND: &str = "export_client";
/// The kind that makes one by a consent: whatever becomes of its payload, it makes none without.
pub const KIND_BY_CONSENT: &str = "export_client_by_consent";
const KINDS: &[&str] = &[KIND, KIND_BY_CONSENT, population::KIND, expire::KIND];
/// Why a job by a consent makes nothing, where it names none.
const NO_CONSENT: &str = "The job names no consent, so nothing is disclosed by it";
/// Longer than an archive takes.
const LEASE: Duration = Duration::from_secs(600);
/// The error of what is tried again, and of a refusal that is no sentence.
const FAILED: &str = "the client can't be exported";

/// Makes one archive, or deletes those whose files were taken back, if a job of either is due, outside
/// any transaction; how many jobs were begun. `as_asker` is a request of the instance's own in the name
/// of an actor.
pub async fn run_batch(
    db: &Db,
    as_asker: impl Fn(Actor) -> Request + Send + Sync,
) -> Result<u64, StoreError> {
    let due = jobs::claim(db, KINDS, 1, LEASE).await?;
    let done = due.len();
    for job in due {
        let made = match job.kind.as_str() {
            population::KIND => walk::step(db, &job, &as_asker).await,
            expire::KIND => expire::clear(db, &job).await,
            _ => one(db, &job, &as_asker).await,
        };
        if let Err(refused) = made {
            errands::give_back(db, job, refused, FAILED).await?;
        }
    }
    Ok(u64::try_from(done).unwrap_or(u64::MAX))
}

/// What makes the archive of a client that the actor asks for. Asked again while it is being made, there
/// is one for the client, and one by each consent.
pub(crate) fn asked(
    actor: &Actor,
    client: Id<User>,
    consent: Option<&DisclosureConsent>,
) -> NewJob {
    let mut what = serde_json::json!({ "client": client.0, "asker": actor.user_id });
    let mut key = format!("{}-{}", actor.user_id, client.0);
    let mut kind = KIND;
    if let Some(consent) = consent {
        what["consent"] = consent.id.0.into();
        key = format!("{key}-{}", consent.id);
        kind = KIND_BY_CONSENT;
    }
    NewJob { dedupe_key: Some(key), ..NewJob::new(actor.org_id, kind, what) }
}

async fn one(db: &Db, job: &Job, as_asker: &(impl Fn(Actor) -> Request + Sync)) -> Answer<()> {
    let client = Id::<User>::new(errands::number(job, "client")?);
    let Some(asker) = asker(db, job.org_id, errands::number(job, "asker")?).await? else {
        return errands::ended(db, job).await;
    };
    let seen = match requires(&asker, CAN_VIEW_REPORTS) {
        Ok(()) => seen(&mut db.read().await?, &asker, client).await?,
        Err(_) => None,
    };
    // They may not have it any more: nothing is made, and nothing is told of the client.
    let Some(seen) = seen else { return errands::ended(db, job).await };
    let request = Arc::new(as_asker(asker));
    let consent = match by_consent(job, &request, client).await {
        Ok(consent) => Arc::new(consent),
        Err(refused @ Refused::Store(_)) => return Err(refused),
        // Revoked meanwhile, or over: the job is dead, and says why.
        Err(refused) => return Ok(errands::give_up(db, job.clone(), said(&refused)).await?),
    };
    let file = match pack::archive(&request, client.0, (*consent).as_ref()).await {
        Ok(file) => Arc::new(file),
        Err(refused @ Refused::Store(_)) => return Err(refused),
        // Another attempt would find the same: the job is dead, and says why.
        Err(refused) => return Ok(errands::give_up(db, job.clone(), said(&refused)).await?),
    };
    log(&request, "exportClientEhi", seen).await?;
    let held = job.clone();
    let kept = db.write(move |tx| {
        let (request, job) = (request.clone(), held.clone());
        let (file, consent) = (file.clone(), consent.clone());
        Box::pin(async move {
            let by = (*consent).as_ref();
            written(tx, &request, (seen, &*file, by), &job).await
        })
    });
    match kept.await? {
        None => Ok(()),
        Some(sentence) => Ok(errands::give_up(db, job.clone(), sentence).await?),
    }
}

/// The consent by which the job's archive is made, if it is good still.
async fn by_consent(
    job: &Job,
    request: &Request,
    client: Id<User>,
) -> Answer<Option<DisclosureConsent>> {
    let Some(id) = named_consent(&job.kind, errands::number(job, "consent")?)? else {
        return Ok(None);
    };
    grant::granted(request, &request.actor, client, Id::new(id)).await.map(Some)
}

/// Which consent a job of this kind names, by the number in its payload, 0 for none; nothing where its
/// archive is for the client. What should name one and does not is refused: there is more in an archive
/// without.
fn named_consent(kind: &str, number: i64) -> Answer<Option<i64>> {
    match (kind, number) {
        (KIND, 0) => Ok(None),
        (_, number) if number > 0 => Ok(Some(number)),
        _ => Err(Refused::base(NO_CONSENT)),
    }
}

/// The archive among the documents of whoever asked, and the end of its job; or why there is none: its
/// consent was revoked while it was being made.
async fn written(
    tx: &mut Tx,
    request: &Request,
    (client, file, consent): (Seen, &pack::Packed, Option<&DisclosureConsent>),
    job: &Job,
) -> Answer<Option<String>> {
    let mut call = Call { scope: Scope::new(tx, &request.actor), request };
    if let Some(consent) = consent {
        match grant::still_granted(&mut call, client.id, consent.id).await {
            Ok(()) => {}
            Err(refused @ Refused::Store(_)) => return Err(refused),
            Err(refused) => return Ok(Some(said(&refused))),
        }
    }
    keep(&mut call, client, file, Place::by(consent)).await?;
    errands::end(call.scope.tx, job).await?;
    Ok(None)
}

/// Whoever asked, as they may at this moment; nobody if they may act no more.
pub(crate) async fn asker(db: &Db, org_id: i64, user_id: i64) -> Answer<Option<Actor>> {
    let found = db.write(move |tx| Box::pin(person::load(tx, org_id, user_id))).await?;
    let able = found.filter(|it| person::may_act(&it.user, it.membership.as_ref()));
    Ok(able.map(|it| it.actor(None)))
}

/// What a refused archive is told of: tables and bounds, and nobody.
pub(crate) fn said(refused: &Refused) -> String {
    match refused {
        Refused::Problems(problems) => {
            let all: Vec<&str> = problems.iter().map(|it| it.message.as_str()).collect();
            all.join("; ")
        }
        _ => FAILED.to_owned(),
    }
}

/// Whose data leaves is in the access log before it does.
pub(crate) async fn log(request: &Request, path: &str, client: Seen) -> Answer<()> {
    let entry = AccessEntry {
        org_id: request.actor.org_id,
        actor_id: request.actor.user_id,
        actor_kind: request.actor.role.as_str(),
        credential: None,
        credential_kind: "none",
        request_id: request.request_id.as_str().into(),
        path: path.into(),
        clients: vec![client.id.0],
        watch: client.watch.max(Watch::Restricted),
        occurred_at: request.now,
        wall_at: request.instance.clock().wall(),
    };
    Ok(request.db.access_log().log(&request.db, vec![entry]).await?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dom_31_a_job_by_a_consent_never_makes_an_archive_without() {
        assert_eq!(named_consent(KIND, 0).unwrap(), None);
        assert_eq!(named_consent(KIND_BY_CONSENT, 7).unwrap(), Some(7));
        // By a consent, whatever else it says of itself.
        assert_eq!(named_consent(KIND, 7).unwrap(), Some(7));
        for number in [0, -1, i64::MIN] {
            assert_eq!(said(&named_consent(KIND_BY_CONSENT, number).unwrap_err()), NO_CONSENT);
        }
        assert!(named_consent(KIND, -1).is_err());
    }
}
