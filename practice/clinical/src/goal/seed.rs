//! What the first clients of a seeded practice want to reach, and on which of the last days they
//! did: made by the system, without events. Plainly synthetic, and of no person.

use jiff::ToSpan;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use ward_identity::tables::User;
use ward_store::{Day, Id, Scope, StoreError};

use super::progress::day_at;
use super::table::{Action, Goal, GoalHistory, Repeat};

/// Seeded ids start at a multiple of this in each range.
const ALIGN: i64 = 1_000;

/// A goal that is laid.
struct Line {
    /// Whose place.
    whose: usize,
    /// The line of the goal that it is a part of.
    part_of: Option<usize>,
    name: &'static str,
    description: Option<&'static str>,
    repeat: Repeat,
    /// Days since it began, and until it ends.
    began: i64,
    ends: Option<i64>,
    /// How many days ago it was reached, the longest ago first.
    done: &'static [i64],
}

const LINES: &[Line] = &[
    Line {
        whose: 0,
        part_of: None,
        name: "Walk thirty minutes",
        description: Some("Around the lake, or wherever it is pleasant"),
        repeat: Repeat::Daily,
        began: 21,
        ends: Some(40),
        done: &[13, 12, 11, 9, 8, 6, 5, 4, 3, 2, 1],
    },
    Line {
        whose: 0,
        part_of: None,
        name: "Cook at home more often",
        description: None,
        repeat: Repeat::Weekly,
        began: 28,
        ends: None,
        done: &[22, 15, 8],
    },
    Line {
        whose: 0,
        part_of: Some(1),
        name: "Plan the meals of the week",
        description: None,
        repeat: Repeat::Weekly,
        began: 28,
        ends: None,
        done: &[23, 16, 9],
    },
    Line {
        whose: 0,
        part_of: Some(1),
        name: "Try one new vegetable",
        description: None,
        repeat: Repeat::Weekly,
        began: 28,
        ends: None,
        done: &[8],
    },
    Line {
        whose: 1,
        part_of: None,
        name: "Be in bed by eleven",
        description: Some("The telephone stays in the kitchen"),
        repeat: Repeat::Daily,
        began: 10,
        ends: Some(20),
        done: &[9, 7, 4, 2],
    },
    Line {
        whose: 2,
        part_of: None,
        name: "Buy a blood pressure cuff",
        description: None,
        repeat: Repeat::Once,
        began: 14,
        ends: Some(7),
        done: &[6],
    },
    Line {
        whose: 4,
        part_of: None,
        name: "Call a friend",
        description: Some("Whoever comes to mind"),
        repeat: Repeat::Weekly,
        began: 20,
        ends: None,
        done: &[],
    },
];

/// Lays the goals of these clients, the first of the practice.
pub async fn goals(scope: &mut Scope<'_>, clients: &[User]) -> Result<(), StoreError> {
    let whose = |line: &Line| clients.get(line.whose).filter(|client| client.active);
    let now = scope.now();
    let today = day_at(now, TimeZone::UTC);
    let start = scope.tx.reserve_ids("Goal", LINES.len() as i64, ALIGN).await?;
    let many: usize = LINES.iter().map(|line| line.done.len()).sum();
    let first = scope.tx.reserve_ids("GoalHistory", many as i64, ALIGN).await?;
    let (mut goals, mut histories) = (Vec::new(), Vec::new());
    let mut next = first;
    for (id, line) in (start..).zip(LINES) {
        let ids = next..;
        next += line.done.len() as i64;
        let Some(client) = whose(line) else { continue };
        let author = client.dietitian_id.unwrap_or(client.id);
        let mut goal = Goal::new(Id::new(id), client, (author, ago(today, line.began)), now);
        goal.parent_id = line.part_of.map(|nth| Id::new(start + nth as i64));
        goal.name = line.name.to_owned();
        goal.description = line.description.map(str::to_owned);
        goal.repeat = line.repeat;
        goal.due_date = line.ends.map(|days| Day(ago(today, -days)));
        histories.extend(ids.zip(line.done).map(|(id, days)| done(id, &goal, ago(today, *days))));
        goals.push(goal);
    }
    scope.create_all_about(&goals, |row: &Goal| Some(row.user_id.0)).await?;
    scope.create_all_about(&histories, |row: &GoalHistory| Some(row.user_id.0)).await
}

fn ago(today: Date, days: i64) -> Date {
    today.saturating_sub(days.days())
}

/// That its client reached a goal on a day.
fn done(id: i64, goal: &Goal, day: Date) -> GoalHistory {
    GoalHistory {
        id: Id::new(id),
        org_id: goal.org_id,
        unit_id: goal.unit_id,
        user_id: goal.user_id,
        goal_id: goal.id,
        added_by_user_id: goal.user_id,
        action: Action::Completed,
        completed_on: Day(day),
        name: goal.name.clone(),
        description: goal.description.clone(),
        repeat: goal.repeat,
        is_subgoal: goal.parent_id.is_some(),
        version: 1,
        created_at: goal.created_at,
        updated_at: goal.created_at,
        deleted_at: None,
    }
}
