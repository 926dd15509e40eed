//! Which goals and histories the lists answer, by their arguments, and in which orders
//! (behaviour 6, 7, 8, 29). Visibility comes on top and is not here.
//!
//! Lists of goals have no subgoals in them: those hang on their goals, and have a list of their
//! own. Days are read in the caller's calendar.

use jiff::civil::Date;
use ward_engine::{Answer, Args, Kind, Listing, OrderOption, Refused, Request};
use ward_identity::id_or_blank::IdOrBlank;
use ward_identity::tables::{USERS, User};
use ward_store::{Cond, Day, Entity, Id, Level, Value};

use super::progress::day_at;
use super::rate::week_of;
use super::table::{GOALS, Goal, GoalHistory, Repeat};

const USER: Kind = Kind::Id(User::NAME);
const GOAL: Kind = Kind::Id(Goal::NAME);

/// Arguments of `goal`.
pub const ONE_ARGS: &[(&str, Kind)] = &[
    ("client_id", USER),
    ("id", GOAL),
    ("last_client_goal", Kind::Plain),
    ("program_goal", Kind::Plain),
];
/// Arguments of `goals` and `goalsData`.
pub const LIST_ARGS: &[(&str, Kind)] = &[
    ("end_range", Kind::Plain),
    ("frequency_filter", Kind::Plain),
    ("keywords", Kind::Plain),
    ("per_page", Kind::Plain),
    ("start_range", Kind::Plain),
    ("status_filter", Kind::Plain),
    ("user_id", USER),
];
/// Arguments of `goalsCount`.
pub const COUNT_ARGS: &[(&str, Kind)] = &[
    ("end_range", Kind::Plain),
    ("frequency_filter", Kind::Plain),
    ("keywords", Kind::Plain),
    ("start_range", Kind::Plain),
    ("status_filter", Kind::Plain),
    ("user_id", USER),
];
/// Arguments of `goalsOverallCompletionRateInfo`.
pub const RATE_ARGS: &[(&str, Kind)] = &[
    ("end_range", Kind::Plain),
    ("frequency_filter", Kind::Plain),
    ("goal_id", GOAL),
    ("keywords", Kind::Plain),
    ("start_range", Kind::Plain),
    ("status_filter", Kind::Plain),
    ("user_id", USER),
];
/// Arguments of `subGoals` and its count.
pub const SUBGOALS_ARGS: &[(&str, Kind)] = &[("goal_id", GOAL), ("user_id", USER)];
/// Arguments of `goalHistory`.
pub const HISTORY_ARGS: &[(&str, Kind)] = &[("id", Kind::Id(GoalHistory::NAME))];
/// Arguments of `goalHistories` and its count.
pub const HISTORIES_ARGS: &[(&str, Kind)] =
    &[("include_subgoals", Kind::Plain), ("unique", Kind::Plain), ("user_id", USER)];

/// What goals can be ordered by. What has no last day ends last.
pub const ORDERS: &[OrderOption] = &[
    OrderOption { name: "START_DATE", expression: "{t}.start_on" },
    OrderOption { name: "FREQUENCY", expression: "{t}.repeat" },
    OrderOption { name: "NAME", expression: "{t}.name_fold" },
    OrderOption { name: "DUE_DATE", expression: "COALESCE({t}.due_date, '9999-99-99')" },
    OrderOption {
        name: "DUE_DATE_START_DATE",
        expression: "(COALESCE({t}.due_date, '9999-99-99') || ' ' || {t}.start_on)",
    },
    OrderOption {
        name: "CREATED_BY",
        expression: "COALESCE((SELECT p.last_name_fold FROM users p WHERE p.org_id = {t}.org_id \
             AND p.id = {t}.created_user_id), '')",
    },
];
/// The goal that was set last.
pub const LAST: &[OrderOption] =
    &[OrderOption { name: "CREATED_AT", expression: "{t}.created_at" }];
/// Subgoals in the order in which they were set.
pub const SET: &[OrderOption] = &[OrderOption { name: "CREATED_AT", expression: "{t}.created_at" }];
/// Histories by the day.
pub const DONE: &[OrderOption] =
    &[OrderOption { name: "COMPLETED_ON", expression: "{t}.completed_on" }];

/// An argument that is an id; a blank one says nothing.
fn id<R: Entity>(args: &Args, name: &str, request: &Request) -> Answer<Option<Id<R>>> {
    Ok(args.get::<IdOrBlank<R>>(name, request)?.and_then(|id| id.0))
}

/// An argument that is a day; a blank one says nothing.
pub fn day(args: &Args, name: &str, request: &Request) -> Answer<Option<Date>> {
    match args.text(name) {
        Some(_) => Ok(args.get::<Day>(name, request)?.map(|day| day.0)),
        None => Ok(None),
    }
}

/// Whether goals are to be reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Status {
    Complete,
    NotComplete,
}

/// What is asked of goals.
#[derive(Clone, Debug)]
pub struct Asked {
    user: Option<Id<User>>,
    goal: Option<Id<Goal>>,
    first: Option<Date>,
    last: Option<Date>,
    repeat: Option<Repeat>,
    status: Option<Status>,
    /// The day on which they count as reached or not.
    on: Date,
}

impl Asked {
    /// Out of the arguments.
    pub fn of(request: &Request, args: &Args) -> Answer<Self> {
        let first = day(args, "start_range", request)?;
        let last = day(args, "end_range", request)?;
        if first.zip(last).is_some_and(|(first, last)| last < first) {
            return Err(Refused::on("end_range", "end_range can't be before start_range"));
        }
        Ok(Asked {
            user: id(args, "user_id", request)?,
            goal: id(args, "goal_id", request)?,
            first,
            last,
            repeat: repeat(args)?,
            status: status(args)?,
            on: last.unwrap_or_else(|| day_at(request.now, request.zone.clone())),
        })
    }

    /// Whether it is about one client, or one goal of theirs.
    pub fn is_of_one(&self, request: &Request) -> bool {
        request.actor.is_client() || self.user.is_some() || self.goal.is_some()
    }

    /// The client who is named.
    pub fn user(&self) -> Option<Id<User>> {
        self.user
    }

    /// The first and the last day that are asked about.
    pub fn days(&self) -> (Option<Date>, Option<Date>) {
        (self.first, self.last)
    }

    /// Which goals.
    pub fn cond(&self) -> Cond {
        let of = match (self.goal, self.user) {
            (Some(goal), _) => Cond::eq("id", goal.0),
            (None, _) => Cond::is_null("parent_id"),
        };
        let of = self.user.map_or(of.clone(), |user| of.and(Cond::eq("user_id", user.0)));
        of.and(self.in_time()).and(self.of_repeat()).and(self.of_status())
    }

    /// Goals that are due on some day of the range: what is to be reached once also late, until it
    /// is, as [`super::rate::periods`] has it.
    fn in_time(&self) -> Cond {
        let text = |day: Date| -> Value { Day(day).to_string().into() };
        let from = "({t}.due_date IS NULL OR {t}.due_date >= ? OR ({t}.repeat = 'Once' \
             AND NOT EXISTS (SELECT 1 FROM goal_histories h WHERE h.org_id = {t}.org_id \
             AND h.goal_id = {t}.id AND h.deleted_at IS NULL AND h.completed_on < ?)))";
        let since = |day: Date| Cond::sql(from, [text(day), text(day)]);
        let first = self.first.map_or(Cond::Always, since);
        let until = "{t}.start_on <= ?";
        let last = self.last.map_or(Cond::Always, |day| Cond::sql(until, [text(day)]));
        first.and(last)
    }

    fn of_repeat(&self) -> Cond {
        self.repeat.map_or(Cond::Always, |repeat| Cond::eq("repeat", repeat.as_str()))
    }

    fn of_status(&self) -> Cond {
        match self.status {
            Some(Status::Complete) => reached_on(self.on),
            Some(Status::NotComplete) => reached_on(self.on).negated(),
            None => Cond::Always,
        }
    }

    /// The rows, and whom the question names.
    fn listing(&self, request: &Request, args: &Args) -> Listing {
        let named = self.user.map(|user| user.0).into_iter().collect();
        let listing = Listing::of(self.cond()).naming(&USERS, named);
        listing.searching(&GOALS, request, args.text("keywords"))
    }
}

fn repeat(args: &Args) -> Answer<Option<Repeat>> {
    let Some(text) = args.text("frequency_filter") else { return Ok(None) };
    match text.to_ascii_lowercase().as_str() {
        "daily" => Ok(Some(Repeat::Daily)),
        "weekly" => Ok(Some(Repeat::Weekly)),
        "one_time" | "once" => Ok(Some(Repeat::Once)),
        "all" => Ok(None),
        _ => Err(Refused::on(
            "frequency_filter",
            "frequency_filter must be one of daily, weekly, one_time, all",
        )),
    }
}

fn status(args: &Args) -> Answer<Option<Status>> {
    let Some(text) = args.text("status_filter") else { return Ok(None) };
    match text.to_ascii_lowercase().as_str() {
        "complete" => Ok(Some(Status::Complete)),
        "not_complete" => Ok(Some(Status::NotComplete)),
        "all" => Ok(None),
        _ => Err(Refused::on(
            "status_filter",
            "status_filter must be one of complete, not_complete, all",
        )),
    }
}

/// Goals that count as reached on a day, as [`super::rate::is_done_on`] has it.
fn reached_on(day: Date) -> Cond {
    let week = week_of(day);
    let text = |day: Date| -> Value { Day(day).to_string().into() };
    Cond::sql(
        "EXISTS (SELECT 1 FROM goal_histories h WHERE h.org_id = {t}.org_id \
         AND h.goal_id = {t}.id AND h.deleted_at IS NULL \
         AND (({t}.repeat = 'Daily' AND h.completed_on = ?) \
         OR ({t}.repeat = 'Weekly' AND h.completed_on >= ? AND h.completed_on <= ?) \
         OR ({t}.repeat = 'Once' AND h.completed_on <= ?)))",
        [text(day), text(week.first), text(week.last), text(day)],
    )
}

/// `goal`: by its id, else the one that was set last for a client; a client who names none asks
/// for their own. No goal is of a program.
pub fn one(request: &Request, args: &Args) -> Answer<Listing> {
    if args.flag("program_goal") {
        return Ok(Listing::none());
    }
    if let Some(id) = id::<Goal>(args, "id", request)? {
        return Ok(Listing::of(Cond::eq("id", id.0)));
    }
    let asks_own = request.actor.is_client() && args.flag("last_client_goal");
    let own = asks_own.then(|| Id::new(request.actor.user_id));
    let Some(client) = id::<User>(args, "client_id", request)?.or(own) else {
        return Ok(Listing::none());
    };
    let cond = Cond::eq("user_id", client.0).and(Cond::is_null("parent_id"));
    Ok(Listing::of(cond).naming(&USERS, vec![client.0]))
}

/// `goals`, `goalsCount`, and those of `goalsData`.
pub fn many(request: &Request, args: &Args) -> Answer<Listing> {
    Ok(Asked::of(request, args)?.listing(request, args))
}

/// Those of them that are to be reached every day.
pub fn daily(request: &Request, args: &Args) -> Answer<Listing> {
    of_repeat(request, args, Some(Repeat::Daily))
}

/// Those of them that are to be reached every week.
pub fn weekly(request: &Request, args: &Args) -> Answer<Listing> {
    of_repeat(request, args, Some(Repeat::Weekly))
}

/// Those of them that are to be reached once.
pub fn one_time(request: &Request, args: &Args) -> Answer<Listing> {
    of_repeat(request, args, Some(Repeat::Once))
}

/// As often as they may be, whatever is asked of it.
pub fn however_often(request: &Request, args: &Args) -> Answer<Listing> {
    of_repeat(request, args, None)
}

fn of_repeat(request: &Request, args: &Args, repeat: Option<Repeat>) -> Answer<Listing> {
    Ok(Asked { repeat, ..Asked::of(request, args)? }.listing(request, args))
}

/// Those of them that are reached.
pub fn complete(request: &Request, args: &Args) -> Answer<Listing> {
    of_status(request, args, Some(Status::Complete))
}

/// Those of them that are not.
pub fn not_complete(request: &Request, args: &Args) -> Answer<Listing> {
    of_status(request, args, Some(Status::NotComplete))
}

/// Reached or not, whatever is asked of it.
pub fn reached_or_not(request: &Request, args: &Args) -> Answer<Listing> {
    of_status(request, args, None)
}

fn of_status(request: &Request, args: &Args, status: Option<Status>) -> Answer<Listing> {
    Ok(Asked { status, ..Asked::of(request, args)? }.listing(request, args))
}

/// Whenever they are due, whatever is asked of it.
pub fn of_all_time(request: &Request, args: &Args) -> Answer<Listing> {
    Ok(Asked { first: None, last: None, ..Asked::of(request, args)? }.listing(request, args))
}

/// `goalsData`: of the user who is named, else of whoever asks.
pub fn whose(request: &Request, args: &Args) -> Answer<Listing> {
    let user = id::<User>(args, "user_id", request)?;
    let cond = Cond::eq("id", user.map_or(request.actor.user_id, |user| user.0));
    Ok(Listing { least: Level::Full, ..Listing::of(cond) })
}

/// `subGoals` and its count.
pub fn subgoals(request: &Request, args: &Args) -> Answer<Listing> {
    let goal = id::<Goal>(args, "goal_id", request)?;
    let user = id::<User>(args, "user_id", request)?;
    let of = goal.map_or_else(|| Cond::not_null("parent_id"), |goal| Cond::eq("parent_id", goal.0));
    let cond = user.map_or(of.clone(), |user| of.and(Cond::eq("user_id", user.0)));
    let listing = Listing::of(cond);
    Ok(match (user, goal) {
        (Some(user), _) => listing.naming(&USERS, vec![user.0]),
        (None, Some(goal)) => listing.naming(&GOALS, vec![goal.0]),
        (None, None) => listing,
    })
}

/// `goalHistory`.
pub fn history(request: &Request, args: &Args) -> Answer<Listing> {
    let id = id::<GoalHistory>(args, "id", request)?;
    Ok(id.map_or_else(Listing::none, |id| Listing::of(Cond::eq("id", id.0))))
}

/// `goalHistories` and its count. A day is recorded once, so `unique` leaves nothing out.
pub fn histories(request: &Request, args: &Args) -> Answer<Listing> {
    let user = id::<User>(args, "user_id", request)?;
    let of = user.map_or(Cond::Always, |user| Cond::eq("user_id", user.0));
    let cond = match args.bool("include_subgoals") {
        Some(false) => of.and(Cond::eq("is_subgoal", false)),
        Some(true) | None => of,
    };
    Ok(Listing::of(cond).naming(&USERS, user.map(|user| user.0).into_iter().collect()))
}
