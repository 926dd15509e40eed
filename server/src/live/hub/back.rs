//! When a Sandbox goes back, the numbers of its events do, too.

use super::{End, Hub, Organization};

impl Hub {
    /// The Sandbox went back: every socket ends so that its client comes back and looks anew. What
    /// is still being told of the world that is undone is told to nobody any more.
    pub fn go_back(&self) {
        let mut inner = self.inner.lock();
        inner.world += 1;
        inner.organizations.values_mut().for_each(|organization| organization.seq = None);
        inner.open.values().for_each(|open| open.outgoing.end(End::Restart));
    }

    /// How often the Sandbox went back: numbers of events are of one of its worlds.
    pub fn world(&self) -> u64 {
        self.inner.lock().world
    }

    /// The world, its organizations with listeners, and the number of the last event that each
    /// was told.
    pub fn places(&self) -> (u64, Vec<(i64, i64)>) {
        let inner = self.inner.lock();
        let place = |(org_id, it): (&i64, &Organization)| Some((*org_id, it.seq?));
        (inner.world, inner.organizations.iter().filter_map(place).collect())
    }

    /// An event of that world was told.
    pub fn passed(&self, world: u64, org_id: i64, seq: i64) {
        let mut inner = self.inner.lock();
        if inner.world == world
            && let Some(organization) = inner.organizations.get_mut(&org_id)
        {
            organization.seq = organization.seq.map(|before| before.max(seq));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_told_of_a_world_that_is_undone_does_not_count() {
        let hub = Hub::new(0);
        let organization = Organization { seq: Some(900), ..Organization::default() };
        hub.inner.lock().organizations.insert(7, organization);
        let before = hub.world();
        hub.passed(before, 7, 950);
        assert_eq!(hub.places(), (before, vec![(7, 950)]));
        hub.go_back();
        let after = hub.world();
        hub.passed(before, 7, 1_000);
        assert_eq!(hub.places(), (after, vec![]), "nobody of this world listens");
        hub.inner.lock().organizations.get_mut(&7).unwrap().seq = Some(500);
        hub.passed(before, 7, 1_000);
        assert_eq!(hub.places(), (after, vec![(7, 500)]));
    }
}
