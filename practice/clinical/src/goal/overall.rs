//! How much of what a client wants to reach they reach: over all goals that the same arguments
//! list (behaviour 29).

use std::collections::BTreeSet;

use ward_engine::{Answer, Args, Out, Request, RowView};
use ward_identity::tables::{USERS, User, users};
use ward_store::search::keyword_cond;
use ward_store::{Cond, Id, Level, Query, Select, Value, Watch};

use super::budget;
use super::listing::Asked;
use super::progress::{self, Aim};
use super::rate::{self, Range, Tally};
use super::table::GOALS;

/// Members of `GoalOverallCompletionRateInfo`.
pub const MEMBERS: &[&str] = &["actual_times_completed", "percent", "possible_times_completed"];

/// The rate that a field tells: of a client at a time, or of one goal; null where the caller sees
/// none. Of whom it was asked and whose goals it tells of is in the access log (SEC-19).
async fn info(field: &str, request: &Request, q: &mut dyn Query, args: &Args) -> Answer<Out> {
    let asked = Asked::of(request, args)?;
    let (first, last) = asked.days();
    if !asked.is_of_one(request) {
        return Ok(Out::Null);
    }
    if let Some(user) = asked.user() {
        note_named(field, request, q, user).await?;
    }
    let mut select = Select::new(&GOALS, &request.actor);
    select.columns = progress::NEEDS.to_vec();
    select.least = Level::Full;
    select.filter = asked.cond();
    if let Some(words) = args.text("keywords") {
        select.filter = select.filter.and(keyword_cond(&GOALS, request.actor.org_id, words));
    }
    select.with_subject = true;
    let found = budget::read(request, q, select).await?;
    let (mut aims, mut clients) = (Vec::new(), Vec::new());
    for row in found.iter() {
        let [id, user, repeat, start_on, due_date, subject, watch, ..] = row else { continue };
        let Some(aim) = Aim::of([id, user, repeat, start_on, due_date]) else { continue };
        aims.push(aim);
        clients.extend(watched(subject, watch));
    }
    request.reads.note(field, clients);
    let Some(one) = aims.first() else { return Ok(Out::Null) };
    // They are of one client.
    let today = progress::todays(q, (request.actor.org_id, request.now), &[one.user_id]).await?;
    let today = today.get(&one.user_id).copied();
    let range = today.and_then(|today| progress::range(first, last, today));
    let Some(range) = range else { return Ok(shown(Tally::default())) };
    Ok(shown(tally(request, q, &aims, range).await?))
}

/// Notes the client whom a question names, also one of whom it finds nothing.
async fn note_named(
    field: &str,
    request: &Request,
    q: &mut dyn Query,
    user: Id<User>,
) -> Answer<()> {
    let mut select = Select::new(&USERS, &request.actor);
    select.columns = vec![users::id];
    select.filter = Cond::is_in("id", &[user.0]);
    select.with_subject = true;
    let found = q.rows(&select.sql()).await?;
    let client = |row: &[Value]| watched(row.get(1)?, row.get(2)?);
    request.reads.note(field, found.iter().filter_map(client));
    Ok(())
}

/// A client and how closely they are watched, as a statement answers them.
fn watched(subject: &Value, watch: &Value) -> Option<(i64, Watch)> {
    let watch = watch.int().map_or(Watch::BrokenGlass, Watch::from_number);
    Some((subject.int()?, watch))
}

/// `goalsOverallCompletionRateInfo`.
pub async fn infos(
    request: &Request,
    q: &mut dyn Query,
    rows: Vec<RowView<'_>>,
    args: &Args,
) -> Answer<Vec<Out>> {
    let (first, last) = Asked::of(request, args)?.days();
    progress::is_bounded(first, last)?;
    let info = info("goalsOverallCompletionRateInfo", request, q, args).await?;
    Ok(vec![info; rows.len()])
}

/// `GoalDataType.goals_overall_completion_rate_info`, which has the arguments of `goalsData`: its
/// lists take any range, so the rate is of the last days of a longer one.
pub async fn infos_of_data(
    request: &Request,
    q: &mut dyn Query,
    rows: Vec<RowView<'_>>,
    args: &Args,
) -> Answer<Vec<Out>> {
    let field = "goalsData.goals_overall_completion_rate_info";
    let info = info(field, request, q, args).await?;
    Ok(vec![info; rows.len()])
}

async fn tally(request: &Request, q: &mut dyn Query, aims: &[Aim], range: Range) -> Answer<Tally> {
    let done = progress::days_done(request, q, aims, range).await?;
    let nothing = BTreeSet::new();
    let of = |aim: &Aim| {
        let days = done.get(&aim.id).unwrap_or(&nothing);
        Tally::of(&rate::periods(&aim.terms, range, days))
    };
    Ok(aims.iter().fold(Tally::default(), |all, aim| all.and(of(aim))))
}

fn shown(tally: Tally) -> Out {
    Out::Object(vec![
        ("actual_times_completed", tally.done.into()),
        ("percent", tally.percent().into()),
        ("possible_times_completed", tally.possible.into()),
    ])
}
