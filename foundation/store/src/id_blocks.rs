//! Numeric ids, handed out of blocks that a transaction takes from a row of
//! table `id_blocks`.
//!
//! A block's rest becomes visible to the process when that transaction is
//! committed. An id is never handed out twice by a process, whatever is rolled
//! back: each allocation also starts above everything this process ever took.
//! When ids move on to another slot, or back above those of an undone world, a
//! new era begins, and blocks of before it are handed out no more.

use std::collections::{HashMap, VecDeque};

use parking_lot::Mutex;
use ward_instance::{Instance, Kind, SandboxWitness, ids};

use crate::error::StoreError;
use crate::query::Query;
use crate::tx::Tx;
use crate::value::{Sql, Value};

/// The first block of an entity after a start.
const BLOCK_MIN: i64 = 16;
/// Blocks double with use up to this size, so that a kill costs few ids.
const BLOCK_MAX: i64 = 1_024;

/// Ids `next..=last` that nobody has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Range {
    next: i64,
    last: i64,
}

/// Ids of one entity.
#[derive(Debug)]
struct Stock {
    ranges: VecDeque<Range>,
    block: i64,
    /// The largest id that this process ever took from the database.
    ceiling: i64,
}

/// The ids that this process may hand out.
#[derive(Debug, Default)]
pub(crate) struct IdBlocks(Mutex<Stocks>);

/// Ids of all entities.
#[derive(Debug, Default)]
struct Stocks {
    /// How often blocks were forgotten.
    era: u64,
    by_entity: HashMap<&'static str, Stock>,
}

impl Stocks {
    fn of(&mut self, entity: &'static str) -> &mut Stock {
        self.by_entity.entry(entity).or_insert_with(Stock::new)
    }
}

impl IdBlocks {
    fn era(&self) -> u64 {
        self.0.lock().era
    }

    fn take(&self, entity: &str) -> Option<i64> {
        let mut stocks = self.0.lock();
        take_first(&mut stocks.by_entity.get_mut(entity)?.ranges)
    }

    /// The size of the next block.
    fn next_block(&self, entity: &'static str) -> i64 {
        let mut stocks = self.0.lock();
        let stock = stocks.of(entity);
        let size = stock.block;
        stock.block = (stock.block * 2).min(BLOCK_MAX);
        size
    }

    /// The largest id that was ever taken.
    fn ceiling(&self, entity: &str) -> i64 {
        self.0.lock().by_entity.get(entity).map_or(0, |stock| stock.ceiling)
    }

    fn raise_ceiling(&self, entity: &'static str, last: i64) {
        let mut stocks = self.0.lock();
        let stock = stocks.of(entity);
        stock.ceiling = stock.ceiling.max(last);
    }

    /// What committed transactions left of their blocks; nobody gets those of an earlier era.
    pub(crate) fn publish(&self, draft: &mut Draft) {
        if draft.blocks.is_empty() {
            return;
        }
        let mut stocks = self.0.lock();
        let is_of_now = draft.era == stocks.era;
        for (entity, ranges) in draft.blocks.drain().filter(|_| is_of_now) {
            stocks.of(entity).ranges.extend(ranges);
        }
    }

    /// Forgets all blocks, those of transactions that run included: after ids moved on to another
    /// slot.
    pub(crate) fn forget(&self) {
        let mut stocks = self.0.lock();
        stocks.era += 1;
        for stock in stocks.by_entity.values_mut() {
            stock.ranges.clear();
            stock.block = BLOCK_MIN;
        }
    }
}

impl Stock {
    fn new() -> Self {
        Stock { ranges: VecDeque::new(), block: BLOCK_MIN, ceiling: 0 }
    }
}

fn take_first(ranges: &mut VecDeque<Range>) -> Option<i64> {
    let range = ranges.front_mut()?;
    let id = range.next;
    range.next += 1;
    if range.next > range.last {
        ranges.pop_front();
    }
    Some(id)
}

/// Blocks taken by transactions that are not committed yet.
#[derive(Debug, Default)]
pub(crate) struct Draft {
    /// In which the blocks were taken.
    era: u64,
    blocks: HashMap<&'static str, VecDeque<Range>>,
}

/// Blocks that a draft held at some moment: of which entity, and where each ends.
#[derive(Debug)]
pub(crate) struct Mark(Vec<(&'static str, i64)>);

impl Draft {
    /// Drops the blocks of an earlier era.
    fn enter(&mut self, era: u64) {
        if self.era != era {
            self.era = era;
            self.blocks.clear();
        }
    }

    /// Identifies the blocks held now: those of different entities often end at the same id.
    pub(crate) fn mark(&self) -> Mark {
        let ends = |(entity, ranges): (&&'static str, &VecDeque<Range>)| {
            let entity = *entity;
            ranges.iter().map(move |range| (entity, range.last)).collect::<Vec<_>>()
        };
        Mark(self.blocks.iter().flat_map(ends).collect())
    }

    /// Drops the blocks taken since the mark. Ids used since then of older
    /// blocks stay used.
    pub(crate) fn back_to(&mut self, mark: &Mark) {
        for (entity, ranges) in &mut self.blocks {
            ranges.retain(|range| mark.0.contains(&(*entity, range.last)));
        }
        self.blocks.retain(|_, ranges| !ranges.is_empty());
    }
}

/// The next free id of an entity.
pub(crate) async fn next_id(tx: &mut Tx, entity: &'static str) -> Result<i64, StoreError> {
    // Before the ledger is asked for the slot, so that no block is of an earlier slot than its era.
    tx.draft.enter(tx.core.ids.era());
    if let Some(id) = tx.draft.blocks.get_mut(entity).and_then(take_first) {
        return Ok(id);
    }
    if let Some(id) = tx.core.ids.take(entity) {
        return Ok(id);
    }
    let size = tx.core.ids.next_block(entity);
    let (row, first, last) = start(tx, entity, 1).await?;
    let end = last.min(first + size - 1);
    advance(tx, entity, row, end + 1, last).await?;
    if end > first {
        tx.draft.blocks.entry(entity).or_default().push_back(Range { next: first + 1, last: end });
    }
    Ok(first)
}

/// Takes `count` ids in a row that start at a multiple of `align` from the
/// start of the instance's range; gives the first.
pub(crate) async fn reserve(
    tx: &mut Tx,
    entity: &'static str,
    count: i64,
    align: i64,
) -> Result<i64, StoreError> {
    if count < 1 || align < 1 {
        return Err(StoreError::internal("ids are reserved in positive numbers"));
    }
    let (row, first, last) = start(tx, entity, align).await?;
    if first + count - 1 > last {
        return Err(used_up(entity));
    }
    advance(tx, entity, row, first + count, last).await?;
    Ok(first)
}

/// Deletes what is known of slots that are retired. Of one that lives nothing is forgotten, also
/// where no row has any of its ids: they may be given out.
pub(crate) async fn drop_retired(tx: &mut Tx, _: &SandboxWitness) -> Result<(), StoreError> {
    let living = tx.instance().ledger().living_slots();
    let lasts: Vec<i64> = living.into_iter().map(|slot| ids::slot_range(slot).1).collect();
    let mut sql = Sql::new();
    sql.push("DELETE FROM id_blocks WHERE NOT (last_id").bind_in(lasts).push(")");
    tx.execute(&sql).await.map(drop)
}

/// Locks the entity's row and finds where free ids begin: the row's id, the
/// first free one, and the last of the range.
async fn start(
    tx: &mut Tx,
    entity: &'static str,
    align: i64,
) -> Result<(i64, i64, i64), StoreError> {
    let next = match locked_row(tx, entity).await? {
        Some(next) => next,
        None => {
            let (first, last) = range_at(tx.instance(), entity, 0)?;
            tx.execute(&Sql::fixed(
                "INSERT INTO id_blocks (entity, next_id, last_id) VALUES ($1, $2, $3) \
                 ON CONFLICT (entity) DO NOTHING",
                [entity.into(), first.into(), last.into()],
            ))
            .await?;
            let row = locked_row(tx, entity).await?;
            row.ok_or_else(|| StoreError::internal("the row of ids is gone"))?
        }
    };
    // Read under the row's lock: who took ids and was rolled back raised it before.
    let ceiling = tx.core.ids.ceiling(entity);
    let (first, last) = range_at(tx.instance(), entity, next)?;
    let free = free_in(tx.instance(), entity, (first, last), [next, ceiling + 1], align);
    if free <= last {
        return Ok((next, free, last));
    }
    let (first, last) = range_behind(tx.instance(), entity, last)?;
    let free = free_in(tx.instance(), entity, (first, last), [next, ceiling + 1], align);
    if free <= last { Ok((next, free, last)) } else { Err(used_up(entity)) }
}

async fn locked_row(tx: &mut Tx, entity: &'static str) -> Result<Option<i64>, StoreError> {
    let sql =
        Sql::fixed("SELECT next_id FROM id_blocks WHERE entity = $1 FOR_UPDATE", [entity.into()]);
    Ok(tx.rows(&sql).await?.scalar().and_then(Value::int))
}

async fn advance(
    tx: &mut Tx,
    entity: &'static str,
    from: i64,
    next: i64,
    last: i64,
) -> Result<(), StoreError> {
    let changed = tx
        .execute(&Sql::fixed(
            "UPDATE id_blocks SET next_id = $1, last_id = $2 WHERE entity = $3 AND next_id = $4",
            [next.into(), last.into(), entity.into(), from.into()],
        ))
        .await?;
    if changed != 1 {
        return Err(StoreError::internal("the row of ids changed under its lock"));
    }
    tx.core.ids.raise_ceiling(entity, next - 1);
    Ok(())
}

/// The first free id of a range, aligned from its start: above what the row,
/// this process and the ledger know as given out.
fn free_in(
    instance: &Instance,
    entity: &str,
    (first, last): (i64, i64),
    known: [i64; 2],
    align: i64,
) -> i64 {
    let head = instance.ledger().head(entity).map_or(0, |head| head + 1);
    let within = |id: &i64| (first..=last + 1).contains(id);
    let free = known.into_iter().chain([head]).filter(within).max().unwrap_or(first);
    first + (free - first + align - 1) / align * align
}

/// The range that ids of the entity come from, when the next one is `next`.
fn range_at(instance: &Instance, entity: &str, next: i64) -> Result<(i64, i64), StoreError> {
    match instance.kind() {
        Kind::Sandbox => {
            let slot = instance.ledger().slot_for(entity).ok_or_else(|| used_up(entity))?;
            Ok(ids::slot_range(slot))
        }
        Kind::Production if next > ids::PRODUCTION.1 + 1 => Ok(ids::PRODUCTION_WIDE),
        Kind::Production => Ok(ids::PRODUCTION),
    }
}

/// The range after one that is full.
fn range_behind(
    instance: &Instance,
    entity: &'static str,
    last: i64,
) -> Result<(i64, i64), StoreError> {
    match instance.kind() {
        Kind::Sandbox => {
            let now = instance.clock().wall();
            let slot = instance.ledger().take_overflow(entity, now);
            slot.map(ids::slot_range).map_err(|_| used_up(entity))
        }
        Kind::Production if last == ids::PRODUCTION.1 && !ids::is_int_class(entity) => {
            Ok(ids::PRODUCTION_WIDE)
        }
        Kind::Production => Err(used_up(entity)),
    }
}

fn used_up(entity: &str) -> StoreError {
    StoreError::Full(format!("all ids of {entity} are used"))
}
