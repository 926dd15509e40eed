//! When a Sandbox goes back, the numbers of its events do, too.

use super::{End, Hub};

impl Hub {
    /// The Sandbox went back: every socket ends so that its client comes back and looks anew, and
    /// whoever listens meanwhile is told what comes behind these numbers.
    pub fn go_back(&self, last: &[(i64, i64)]) {
        let mut inner = self.inner.lock();
        for (org_id, seq) in last {
            if let Some(organization) = inner.organizations.get_mut(org_id) {
                organization.seq = *seq;
            }
        }
        inner.open.values().for_each(|open| open.outgoing.end(End::Restart));
    }
}
