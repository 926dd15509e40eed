//! The library's subscriptions.

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use ward_engine::{Answer, Args, Bindings, Happening, Kind, Listing, Refused, Request};
use ward_store::events::StoredEvent;
use ward_store::{Cond, Id, Query, Sql, StoreError};

use super::bindings::VAULT;
use super::tables::{AUTHORS, Author, BOOKS};

pub fn bind(b: &mut Bindings) {
    b.subscription("authorChanged", &AUTHORS, the_author)
        .args(&[("id", Kind::Id("Author"))])
        .hears(|_, _, event| event.changed_fields != "[]");
    b.feed("authorChanged", &["author.updated"], |event, _| {
        std::future::ready(Ok(Happening::of_record(event))).boxed()
    });
    b.subscription("bookOfMine", &BOOKS, |request, _| Ok(request.actor.user_id))
        .args(&[("shelf", Kind::Plain)])
        .listing(on_shelf);
    b.feed("bookOfMine", &["book.written"], books_of_author);
    b.feed("bookOfMine", &["author.updated", "author.praised"], books_of_author);
    b.subscription("vaultOpened", &AUTHORS, |request, _| Ok(request.actor.org_id)).requires(VAULT);
}

fn the_author(request: &Request, args: &Args) -> Answer<i64> {
    let id: Option<Id<Author>> = args.get("id", request)?;
    id.map(|id| id.0).ok_or_else(|| Refused::on("id", "Id can't be blank"))
}

fn on_shelf(_: &Request, args: &Args) -> Answer<Listing> {
    let shelf = args.text("shelf");
    Ok(Listing::of(shelf.map_or(Cond::Always, |shelf| Cond::eq("shelf", shelf))))
}

/// The event's record is an author; their books are what is told.
fn books_of_author<'a>(
    event: &'a StoredEvent,
    conn: &'a mut dyn Query,
) -> BoxFuture<'a, Result<Vec<Happening>, StoreError>> {
    async move {
        let sql = Sql::fixed(
            "SELECT id FROM books WHERE org_id = $1 AND author_id = $2 ORDER BY id",
            [event.org_id.into(), event.resource_id.into()],
        );
        let rows = conn.rows(&sql).await?;
        let happening = |row: i64| Happening { topic: event.resource_id, row };
        Ok(rows.iter().filter_map(|row| Some(happening(row.first()?.int()?))).collect())
    }
    .boxed()
}
