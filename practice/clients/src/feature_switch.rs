//! Whether a switch of the feature toggle that applies to a client is on (behaviour 19): what other
//! domains ask.

use ward_store::{Actor, Cond, Query, Sql, StoreError, Value};

/// Which toggle applies to each user.
pub(crate) const EFFECTIVE: &str = "(SELECT u.org_id, u.id AS user_id, COALESCE(\
     (SELECT o.id FROM feature_toggles o WHERE o.org_id = u.org_id AND o.user_id = u.id), \
     (SELECT g.id FROM feature_toggles g WHERE g.org_id = u.org_id \
      AND g.user_group_id = u.user_group_id), \
     (SELECT p.id FROM feature_toggles p WHERE p.org_id = u.org_id \
      AND p.user_id = u.dietitian_id)) AS toggle_id FROM users u)";

/// Whether a switch is on for a client; where no toggle applies, what a new one
/// would say.
pub async fn is_on(
    q: &mut dyn Query,
    org_id: i64,
    client_id: i64,
    switch: Switch,
) -> Result<bool, StoreError> {
    let column = switch.column();
    let mut sql = Sql::new();
    sql.push("SELECT f.").push(column).push(" FROM feature_toggles f JOIN ").push(EFFECTIVE);
    sql.push(" e ON e.org_id = f.org_id AND e.toggle_id = f.id WHERE e.org_id = ").bind(org_id);
    sql.push(" AND e.user_id = ").bind(client_id);
    Ok(q.rows(&sql).await?.scalar().is_none_or(Value::truth))
}

/// The same of the client who asks, as a condition that is the same for every row.
pub fn is_on_for(actor: &Actor, switch: Switch) -> Cond {
    let column = switch.column();
    Cond::sql(
        format!(
            "NOT EXISTS (SELECT 1 FROM feature_toggles f JOIN {EFFECTIVE} e \
             ON e.org_id = f.org_id AND e.toggle_id = f.id \
             WHERE e.org_id = ? AND e.user_id = ? AND f.{column} = FALSE)"
        ),
        [actor.org_id.into(), actor.user_id.into()],
    )
}

/// Switches that other domains look at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Switch {
    /// Care plans: what they are to follow.
    CarePlans,
    /// Conversations with several clients.
    CommunityChat,
    /// Conversations with staff only.
    DirectChat,
    /// Documents that are shared with them, and uploading.
    Documents,
    /// Forms: what there is to fill in, and what was filled in.
    Forms,
    /// What the client wants to reach, and whether they did.
    Goals,
    /// What is noted of the client's days: metrics and the other entries.
    JournalEntries,
    /// The list of what the client takes.
    Medications,
    /// Booking and moving appointments.
    Scheduling,
}

impl Switch {
    const fn column(self) -> &'static str {
        match self {
            Switch::CarePlans => "can_view_care_plan",
            Switch::CommunityChat => "allow_community_chat",
            Switch::DirectChat => "allow_direct_chat",
            Switch::Documents => "can_view_documents",
            Switch::Forms => "can_view_forms",
            Switch::Goals => "can_view_goals",
            Switch::JournalEntries => "can_view_journal_entries",
            Switch::Medications => "view_medications",
            Switch::Scheduling => "can_schedule_appointments",
        }
    }
}
