//! The library's mutations.

use ward_engine::{
    Answer, Bindings, Call, Given, Payload, Problems, Refused, RequestError, Returns, UploadedFile,
    input, op,
};
use ward_store::events::Event;
use ward_store::{Day, Id, Json, Level, StoreError};

use super::bindings::PUBLISH;
use super::tables::{AUTHORS, Author, AuthorKind, Book, BookTag, Tag};

input! {
    /// A new author with books.
    pub struct CreateAuthor {
        name: String,
        email: String,
        rating: i64,
        kind: String,
        born_on: Day,
        boss_id: Id<Author>,
        tag_ids: Vec<Id<Tag>>,
        books: Vec<NewBook>,
        file: UploadedFile,
        unserved: String,
    }
}
input! {
    /// One of the books.
    pub struct NewBook { title: String, pages: i64 }
}
input! {
    /// Absent leaves, null empties.
    pub struct UpdateAuthor { id: Id<Author>, name: String, email: String }
}
input! {
    /// Which one.
    pub struct ById { id: Id<Author> }
}
input! {
    /// In which way.
    pub struct BreakDown { how: String }
}
input! {
    /// Whom to greet.
    pub struct Hello { name: String }
}

pub fn bind(b: &mut Bindings) {
    const ONE: &[(&str, Returns)] = &[("author", Returns::One(&AUTHORS))];
    const PUBLISHED: &[(&str, Returns)] =
        &[("authors", Returns::Many(&AUTHORS)), ("count", Returns::Leaf)];
    b.mutation("createAuthor", ONE, op!(create));
    b.mutation("updateAuthor", ONE, op!(update));
    b.mutation("deleteAuthor", ONE, op!(delete));
    b.mutation("publish", PUBLISHED, op!(publish)).requires(PUBLISH);
    b.mutation("breakDown", &[], op!(break_down));
    b.mutation("hello", &[("greeting", Returns::Leaf)], op!(hello)).public();
}

async fn create(call: &mut Call<'_>, input: &CreateAuthor) -> Answer<Payload> {
    let mut problems = Problems::new();
    if input.name.trimmed().is_none() {
        problems.add("name", "Name can't be blank");
    }
    if input.email.trimmed().is_some_and(|email| !email.contains('@')) {
        problems.add("email", "Email is invalid");
    }
    problems.check()?;
    if let Given::Value(boss) = input.boss_id
        && call.visible(boss, Level::Public).await?.is_none()
    {
        return Err(Refused::not_found("boss_id"));
    }
    let id = call.next_id::<Author>().await?;
    let (org_id, now) = (Id::new(call.actor.org_id), call.now());
    let kind = input.kind.value().and_then(|kind| AuthorKind::from_text(kind));
    let author = Author {
        id,
        org_id,
        name: input.name.trimmed().unwrap_or_default().to_owned(),
        email: input.email.trimmed().map(str::to_owned),
        note: None,
        born_on: input.born_on.value().copied(),
        joined_at: now,
        rating: input.rating.value().copied(),
        active: true,
        kind: kind.unwrap_or(AuthorKind::Poet),
        extra: Some(Json("{}".to_owned())),
        secret_hash: None,
        boss_id: input.boss_id.value().copied(),
        version: 1,
        created_at: now,
        updated_at: now,
        deleted_at: None,
    };
    call.create(&author).await?;
    call.emit(Event::new("author.created", "Author", id.0));
    for new in input.books.value().into_iter().flatten() {
        let book_id = call.next_id::<Book>().await?;
        let title = new.title.trimmed().unwrap_or_default().to_owned();
        if title == "Forbidden" {
            return Err(Refused::on("books", "Books can't be called Forbidden"));
        }
        let pages = new.pages.value().copied();
        let (author_id, shelf, cents) = (id, None, None);
        let book =
            Book { id: book_id, org_id, author_id, title, shelf, pages, cents, deleted_at: None };
        call.create(&book).await?;
        for tag_id in input.tag_ids.value().into_iter().flatten() {
            call.create(&BookTag { org_id, book_id, tag_id: *tag_id }).await?;
        }
    }
    Ok(Payload::new().one("author", id.0))
}

async fn found(call: &mut Call<'_>, id: &Given<Id<Author>>) -> Answer<Author> {
    let Given::Value(id) = id else { return Err(Refused::on("id", "Id can't be blank")) };
    match call.visible_for_update(*id, Level::Full).await? {
        Some((author, _)) => Ok(author),
        None => Err(Refused::not_found("id")),
    }
}

async fn update(call: &mut Call<'_>, input: &UpdateAuthor) -> Answer<Payload> {
    let before = found(call, &input.id).await?;
    let mut after = before.clone();
    input.email.set_text(&mut after.email);
    match input.name.trimmed() {
        Some(name) => name.clone_into(&mut after.name),
        None if input.name.is_given() => return Err(Refused::on("name", "Name can't be blank")),
        None => {}
    }
    call.update(&before, &after).await?;
    Ok(Payload::new().one("author", before.id.0))
}

async fn delete(call: &mut Call<'_>, input: &ById) -> Answer<Payload> {
    let author = found(call, &input.id).await?;
    call.destroy(&author).await?;
    Ok(Payload::new().one("author", author.id.0))
}

async fn publish(call: &mut Call<'_>, input: &ById) -> Answer<Payload> {
    let authors: Vec<Author> = call.list(ward_store::Cond::is_true("active"), &[]).await?;
    let ids: Vec<i64> = authors.iter().map(|author| author.id.0).collect();
    if let Given::Value(id) = input.id
        && !ids.contains(&id.0)
    {
        return Err(Refused::Error(RequestError::coded("RESTING", "This author rests.")));
    }
    let count = ids.len() as i64;
    Ok(Payload::new().many("authors", ids).leaf("count", count))
}

/// Writes something, then fails.
async fn break_down(call: &mut Call<'_>, input: &BreakDown) -> Answer<Payload> {
    call.emit(Event::new("author.created", "Author", 1));
    let how = input.how.trimmed().unwrap_or_default();
    Err(match how {
        "full" => StoreError::Full("disk".into()).into(),
        "conflict" => StoreError::Conflict.into(),
        "world" => StoreError::OtherWorld.into(),
        _ => StoreError::internal("by design: the secret is 4711").into(),
    })
}

async fn hello(_: &mut Call<'_>, input: &Hello) -> Answer<Payload> {
    Ok(Payload::new().leaf("greeting", format!("Hello {}", input.name.trimmed().unwrap_or("you"))))
}
