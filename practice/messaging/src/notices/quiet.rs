//! Quiet hours: when nobody is disturbed, by the wall clock where they are.

use jiff::civil::Time;
use jiff::tz::TimeZone;
use ward_instance::Timestamp;

/// Hours of the day in which notices are held: from `start` up to `end`, which
/// may be on the next day. The same moment twice is none at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QuietHours {
    /// From here on.
    pub start: Time,
    /// Until here.
    pub end: Time,
}

impl QuietHours {
    /// What holds for who has chosen none: a call at another hour would be a
    /// disturbance by 47 CFR 64.1200(c)(1).
    pub const USUAL: QuietHours =
        QuietHours { start: Time::constant(21, 0, 0, 0), end: Time::constant(8, 0, 0, 0) };

    /// Whether it is quiet at a time of the day.
    pub fn includes(&self, time: Time) -> bool {
        match self.start <= self.end {
            true => self.start <= time && time < self.end,
            false => self.start <= time || time < self.end,
        }
    }

    /// When the quiet hours end in which `now` is; nothing when it is in none.
    pub fn held_until(&self, now: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
        let now = jiff::Timestamp::from_microsecond(now.0).ok()?;
        let local = zone.to_datetime(now);
        if !self.includes(local.time()) {
            return None;
        }
        let day = match local.time() < self.end {
            true => local.date(),
            false => local.date().tomorrow().ok()?,
        };
        let end = zone.to_ambiguous_zoned_datetime(day.to_datetime(self.end));
        let first = end.clone().compatible().ok()?.timestamp();
        // Of an hour that comes twice, the second when the first is over.
        let end = if first > now { first } else { end.later().ok()?.timestamp() };
        Some(Timestamp(end.as_microsecond())).filter(|end| end.0 > now.as_microsecond())
    }
}

/// A time of the day such as `21:00`.
pub fn time_of_day(text: &str) -> Option<Time> {
    let (hour, minute) = text.trim().split_once(':')?;
    let number = |digits: &str| match digits.len() {
        1 | 2 if digits.bytes().all(|byte| byte.is_ascii_digit()) => digits.parse::<i8>().ok(),
        _ => None,
    };
    Time::new(number(hour)?, number(minute)?, 0, 0).ok()
}
