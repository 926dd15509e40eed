//! Sessions in which one client acts for another (DOM-35): whether they still may, at each request.

use ward_instance::Timestamp;
use ward_store::{Actor, Value};

use crate::proxy::{grant, rules};

/// The access by which somebody acts, who does if they may at all, and until when.
pub(super) const OF_PROXY: &str = "s.proxy_id, x.id, g.until, g.granted_on, g.is_guardian, u.dob";
pub(super) const PROXY_COLUMNS: usize = 6;

/// The access, while nobody took it away, and who acts, while they may act at all, as
/// [`crate::person::may_sign_in`] has it.
pub(super) const FROM_PROXY: &str = "LEFT JOIN client_proxies g ON g.org_id = s.org_id \
     AND g.id = s.proxy_id AND g.user_id = s.user_id AND g.ended_at IS NULL \
     LEFT JOIN users x ON x.org_id = g.org_id AND x.id = g.proxy_id AND x.is_patient = TRUE \
     AND x.is_integration = FALSE AND x.deleted_at IS NULL AND x.deceased_on IS NULL";

/// Who acts in a session, if it is not the user; nothing at all when they may not any more. The
/// day that counts is the client's, by the instance's clock.
pub(super) fn who_acts(row: &[Value], client: &Actor, now: Timestamp) -> Option<Option<i64>> {
    let [by, who, until, granted_on, is_guardian, born] = row else { return None };
    if by.is_null() {
        return Some(None);
    }
    let terms = grant::terms([until, granted_on, is_guardian])?;
    let today = rules::today(now, &client.time_zone)?;
    let counts = client.is_client() && terms.last(grant::day(born), today);
    who.int().filter(|_| counts).map(Some)
}
