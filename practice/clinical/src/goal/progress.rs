//! How far goals are: what hangs on a goal and is reckoned from the days on which it was reached,
//! for all goals of a level at once. The rules are in [`super::rate`].

use std::collections::{BTreeSet, HashMap};

use jiff::ToSpan;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use ward_engine::{Answer, Args, Call, Out, Refused, Request, RowView, moment};
use ward_identity::person::DEFAULT_ZONE;
use ward_identity::tables::User;
use ward_instance::Timestamp;
use ward_store::{Cond, Day, Query, Select, Sql, StoreError, Value};

use super::budget;
use super::listing;
use super::rate::{self, RANGE_DAYS_MAX, Range, Tally, Terms};
use super::table::{GOAL_HISTORIES, GOALS, Repeat, goal_histories as recorded, goals as at};

/// The columns that it is reckoned from.
pub const NEEDS: &[usize] = &[at::id, at::user_id, at::repeat, at::start_on, at::due_date];

/// Members of `GoalStreakInfo`.
pub const STREAK_MEMBERS: &[&str] = &["count", "end_date", "start_date"];

/// A goal, as far as it is needed here.
#[derive(Clone, Copy, Debug)]
pub struct Aim {
    /// Its id.
    pub id: i64,
    /// The client.
    pub user_id: i64,
    /// When it is due.
    pub terms: Terms,
}

impl Aim {
    /// Out of the values of [`NEEDS`], in that order.
    pub fn of(values: [&Value; 5]) -> Option<Self> {
        let [id, user_id, repeat, start_on, due_date] = values;
        let day = |value: &Value| value.text().and_then(|text| text.parse::<Date>().ok());
        let terms = Terms {
            repeat: repeat.text().and_then(Repeat::from_text)?,
            start_on: day(start_on)?,
            due_date: day(due_date),
        };
        Some(Aim { id: id.int()?, user_id: user_id.int()?, terms })
    }

    fn of_row(row: &RowView<'_>) -> Option<Self> {
        let columns = [at::id, at::user_id, at::repeat, at::start_on, at::due_date];
        Self::of(columns.map(|column| row.get(column)))
    }
}

/// The day that a moment is of, in a zone.
pub fn day_at(now: Timestamp, zone: TimeZone) -> Date {
    let now = jiff::Timestamp::from_microsecond(now.0).unwrap_or(jiff::Timestamp::MAX);
    now.to_zoned_datetime(zone).date()
}

/// The day that it is for each of these users: in their own zone, else in their primary
/// provider's (behaviour 9).
pub async fn todays(
    q: &mut dyn Query,
    (org_id, now): (i64, Timestamp),
    users: &[i64],
) -> Result<HashMap<i64, Date>, StoreError> {
    let mut sql = Sql::new();
    sql.push("SELECT u.id, COALESCE(u.timezone, p.timezone) FROM users u LEFT JOIN users p ");
    sql.push("ON p.org_id = u.org_id AND p.id = u.dietitian_id WHERE u.org_id = ").bind(org_id);
    sql.push(" AND u.id").bind_in(users);
    let found = q.rows(&sql).await?;
    let zone = |name: Option<&str>| {
        let known = name.and_then(moment::zone).or_else(|| moment::zone(DEFAULT_ZONE));
        known.unwrap_or(TimeZone::UTC)
    };
    let pair = |row: &[Value]| {
        let id = row.first()?.int()?;
        Some((id, day_at(now, zone(row.get(1).and_then(Value::text)))))
    };
    Ok(found.iter().filter_map(pair).collect())
}

/// The day that it is for a client.
pub async fn today(call: &mut Call<'_>, client: &User) -> Answer<Date> {
    let when = (client.org_id.0, call.now());
    let days = todays(call.scope.tx, when, &[client.id.0]).await?;
    Ok(days.get(&client.id.0).copied().unwrap_or_else(|| day_at(when.1, TimeZone::UTC)))
}

/// The days on which each of these goals was reached, as far as the caller sees them: those of
/// the weeks of the range, and of what is to be reached once those before, too.
pub async fn days_done(
    request: &Request,
    q: &mut dyn Query,
    aims: &[Aim],
    range: Range,
) -> Answer<HashMap<i64, BTreeSet<Date>>> {
    let ids: Vec<i64> = aims.iter().map(|aim| aim.id).collect();
    let once = aims.iter().filter(|aim| aim.terms.repeat == Repeat::Once);
    let once: Vec<i64> = once.map(|aim| aim.id).collect();
    let weeks = range.of_weeks();
    let text = |day: Date| -> Value { Day(day).to_string().into() };
    let since = Cond::sql("{t}.completed_on >= ?", [text(weeks.first)]);
    let until = Cond::sql("{t}.completed_on <= ?", [text(weeks.last)]);
    let mut select = Select::new(&GOAL_HISTORIES, &request.actor);
    select.columns = vec![recorded::goal_id, recorded::completed_on];
    select.filter = Cond::is_in("goal_id", &ids).and(until);
    select.filter = select.filter.and(since.or(Cond::is_in("goal_id", &once)));
    let mut days: HashMap<i64, BTreeSet<Date>> = HashMap::new();
    if select.filter.is_never() {
        return Ok(days);
    }
    budget::spend(request, budget::units(ids.len()).saturating_mul(1 + range.months()))?;
    for row in budget::read(request, q, select).await?.iter() {
        let [Value::Int(goal), Value::Text(text), ..] = row else { continue };
        let Ok(day) = text.parse::<Date>() else { continue };
        days.entry(*goal).or_default().insert(day);
    }
    Ok(days)
}

/// What is known of the goals of a level: each with the day that it is for its client, and the
/// days on which it was reached.
struct Known {
    aims: Vec<Option<Aim>>,
    todays: HashMap<i64, Date>,
    done: HashMap<i64, BTreeSet<Date>>,
    nothing: BTreeSet<Date>,
}

/// Today and the year before.
const YEAR: i64 = RANGE_DAYS_MAX - 1;
/// Today alone.
const TODAY: i64 = 0;

impl Known {
    /// Reads it for a range, which ends today where it has no end, and begins so many days before
    /// where it has no beginning.
    async fn of(
        request: &Request,
        q: &mut dyn Query,
        aims: Vec<Option<Aim>>,
        (first, last, back): (Option<Date>, Option<Date>, i64),
    ) -> Answer<Self> {
        let known: Vec<Aim> = aims.iter().flatten().copied().collect();
        let mut users: Vec<i64> = known.iter().map(|aim| aim.user_id).collect();
        users.sort_unstable();
        users.dedup();
        let todays = todays(q, (request.actor.org_id, request.now), &users).await?;
        let here = day_at(request.now, TimeZone::UTC);
        // Clients whose day is another one are asked of, too.
        let latest = last.or_else(|| todays.values().max().copied()).unwrap_or(here);
        let earliest = last.or_else(|| todays.values().min().copied()).unwrap_or(here);
        let longest = Range::until(earliest).first;
        let first = first.unwrap_or_else(|| earliest.saturating_sub(back.days())).max(longest);
        let done = match Range::new(first.min(latest), latest) {
            Some(range) => days_done(request, q, &known, range).await?,
            None => HashMap::new(),
        };
        Ok(Known { aims, todays, done, nothing: BTreeSet::new() })
    }

    fn today(&self, aim: &Aim) -> Option<Date> {
        self.todays.get(&aim.user_id).copied()
    }

    fn done(&self, aim: &Aim) -> &BTreeSet<Date> {
        self.done.get(&aim.id).unwrap_or(&self.nothing)
    }

    /// Of each goal what a function says of it, and nothing of what is not known.
    fn each(&self, say: impl Fn(&Aim, Date) -> Out) -> Vec<Out> {
        let of = |aim: &Option<Aim>| {
            let aim = aim.as_ref()?;
            Some(say(aim, self.today(aim)?))
        };
        self.aims.iter().map(|aim| of(aim).unwrap_or(Out::Null)).collect()
    }
}

fn aims_of(rows: &[RowView<'_>]) -> Vec<Option<Aim>> {
    rows.iter().map(Aim::of_row).collect()
}

/// The days that `start_range` and `end_range` name.
fn asked(request: &Request, args: &Args) -> Answer<(Option<Date>, Option<Date>)> {
    let first = listing::day(args, "start_range", request)?;
    let last = listing::day(args, "end_range", request)?;
    is_bounded(first, last)?;
    Ok((first, last))
}

/// That one question is about no more days than it may be.
pub fn is_bounded(first: Option<Date>, last: Option<Date>) -> Answer<()> {
    let Some((first, last)) = first.zip(last) else { return Ok(()) };
    if last < first {
        return Err(Refused::on("end_range", "end_range can't be before start_range"));
    }
    match (Range { first, last }).is_bounded() {
        true => Ok(()),
        false => Err(Refused::on(
            "end_range",
            format!("A range has at most {RANGE_DAYS_MAX} days: move end_range or start_range"),
        )),
    }
}

/// From the first day that is asked about until the last, else until today, and no more days than
/// one question is about.
pub fn range(first: Option<Date>, last: Option<Date>, today: Date) -> Option<Range> {
    let longest = Range::until(last.unwrap_or(today));
    Range::new(first.map_or(longest.first, |day| day.max(longest.first)), longest.last)
}

/// `Goal.completion_percentage_for_range`; null where it was not due.
pub async fn percentages(
    request: &Request,
    q: &mut dyn Query,
    rows: Vec<RowView<'_>>,
    args: &Args,
) -> Answer<Vec<Out>> {
    let (first, last) = asked(request, args)?;
    let known = Known::of(request, q, aims_of(&rows), (first, last, YEAR)).await?;
    Ok(known.each(|aim, today| {
        let range = range(first, last, today);
        range.and_then(|range| tally(&known, aim, range).percent()).into()
    }))
}

fn tally(known: &Known, aim: &Aim, range: Range) -> Tally {
    Tally::of(&rate::periods(&aim.terms, range, known.done(aim)))
}

/// `Goal.completion_rate`, of the last year.
pub async fn rates(
    request: &Request,
    q: &mut dyn Query,
    rows: Vec<RowView<'_>>,
) -> Answer<Vec<Out>> {
    let known = Known::of(request, q, aims_of(&rows), (None, None, YEAR)).await?;
    Ok(known.each(|aim, today| {
        let percent = tally(&known, aim, Range::until(today)).percent();
        percent.map(|number| number.to_string()).into()
    }))
}

/// `Goal.is_completed_for_date`.
pub async fn are_done_on(
    request: &Request,
    q: &mut dyn Query,
    rows: Vec<RowView<'_>>,
    args: &Args,
) -> Answer<Vec<Out>> {
    let Some(day) = listing::day(args, "date", request)? else {
        return Err(Refused::on("date", "date must be a date such as 2026-03-04"));
    };
    let known = Known::of(request, q, aims_of(&rows), (Some(day), Some(day), TODAY)).await?;
    Ok(known.each(|aim, _| rate::is_done_on(&aim.terms, day, known.done(aim)).into()))
}

/// `Goal.is_current`: whether it counts as reached today.
pub async fn are_done(
    request: &Request,
    q: &mut dyn Query,
    rows: Vec<RowView<'_>>,
) -> Answer<Vec<Out>> {
    let known = Known::of(request, q, aims_of(&rows), (None, None, TODAY)).await?;
    Ok(known.each(|aim, today| rate::is_done_on(&aim.terms, today, known.done(aim)).into()))
}

/// `Goal.streak_info`.
pub async fn streaks(
    request: &Request,
    q: &mut dyn Query,
    rows: Vec<RowView<'_>>,
    args: &Args,
) -> Answer<Vec<Out>> {
    let (first, last) = asked(request, args)?;
    let known = Known::of(request, q, aims_of(&rows), (first, last, YEAR)).await?;
    // The day's beginning where the caller is, so that they read that day.
    let day = |day: Date| moment::instant(&Day(day).to_string(), &request.zone);
    let shown = |streak: rate::Streak| {
        let (start, end) = (day(streak.days.first), day(streak.days.last));
        let date = |at: Option<Timestamp>| at.map_or(Out::Null, Out::Instant);
        Out::Object(vec![
            ("count", streak.count.into()),
            ("end_date", date(end)),
            ("start_date", date(start)),
        ])
    };
    Ok(known.each(|aim, today| {
        let Some(range) = range(first, last, today) else { return Out::List(Vec::new()) };
        let periods = rate::periods(&aim.terms, range, known.done(aim));
        Out::List(rate::streaks(&periods).into_iter().map(shown).collect())
    }))
}

/// Of each of the goals in a column, how many percent of its subgoals count as reached today; null
/// where it has none: `Goal.subgoal_completion_rate` and `parent_subgoal_completion_rate`.
pub async fn subgoal_rates(
    request: &Request,
    q: &mut dyn Query,
    rows: Vec<RowView<'_>>,
    column: usize,
) -> Answer<Vec<Out>> {
    let mut parents: Vec<i64> = rows.iter().filter_map(|row| row.get(column).int()).collect();
    parents.sort_unstable();
    parents.dedup();
    let mut select = Select::new(&GOALS, &request.actor);
    select.columns = NEEDS.to_vec();
    select.columns.push(at::parent_id);
    select.filter = Cond::is_in("parent_id", &parents);
    if select.filter.is_never() {
        return Ok(vec![Out::Null; rows.len()]);
    }
    let found = budget::read(request, q, select).await?;
    let mut aims = Vec::new();
    for row in found.iter() {
        let [id, user, repeat, start_on, due_date, Value::Int(parent), ..] = row else { continue };
        let Some(aim) = Aim::of([id, user, repeat, start_on, due_date]) else { continue };
        aims.push((*parent, aim));
    }
    let all = aims.iter().map(|(_, aim)| Some(*aim)).collect();
    let known = Known::of(request, q, all, (None, None, TODAY)).await?;
    let mut shares: HashMap<i64, Tally> = HashMap::new();
    for (parent, aim) in &aims {
        let Some(today) = known.today(aim) else { continue };
        let is_done = rate::is_done_on(&aim.terms, today, known.done(aim));
        let share = shares.entry(*parent).or_default();
        *share = share.and(Tally { done: i64::from(is_done), possible: 1 });
    }
    let of = |row: &RowView<'_>| {
        let share = row.get(column).int().and_then(|parent| shares.get(&parent));
        share.and_then(Tally::percent).map(|number| number.to_string())
    };
    Ok(rows.iter().map(|row| of(row).into()).collect())
}
