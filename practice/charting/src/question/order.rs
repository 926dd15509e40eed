//! Places of questions: thousandths, so that a question is put between two others
//! without moving them, and each keeps the place of its version.

/// The room between two questions that were put one after another.
pub const STEP: i64 = 1_000;

/// A place at `index` among places in order, counted from 0; behind all without one.
/// Nothing where there is no room left between two.
pub fn at(places: &[i64], index: Option<usize>) -> Option<i64> {
    let index = index.unwrap_or(places.len()).min(places.len());
    let before = index.checked_sub(1).and_then(|at| places.get(at)).copied();
    match (before, places.get(index).copied()) {
        (None, None) => Some(STEP),
        (Some(last), None) => last.checked_add(STEP),
        (None, Some(first)) => (first > 1).then_some(first / 2),
        (Some(before), Some(after)) => {
            (after - before > 1).then_some(before + (after - before) / 2)
        }
    }
}

/// Places for so many, one after another.
pub fn anew(count: usize) -> impl Iterator<Item = i64> {
    (1..).map(|place| place * STEP).take(count)
}
