//! The library on async-graphql, field by field, from rows in memory. What
//! may be null against its type is nullable here: async-graphql's dynamic
//! schemas let no null climb, which is `climb`'s to do.

use std::sync::LazyLock;

use async_graphql::dynamic::{
    Enum, Field, FieldFuture, FieldValue, InputValue, Object, ResolverContext, Schema, TypeRef,
};
use async_graphql::{Name, Value};

use crate::world::seed::{self, BASE};
use crate::world::tables::{Author, Book};

struct Library {
    authors: Vec<Author>,
    books: Vec<Book>,
}

static LIBRARY: LazyLock<Library> = LazyLock::new(|| {
    let mut authors = seed::authors();
    authors.retain(|author| author.deleted_at.is_none());
    authors.sort_by_key(|author| author.id);
    let mut books = seed::books();
    books.retain(|book| book.deleted_at.is_none());
    books.sort_by_key(|book| (book.title.to_lowercase(), book.id));
    Library { authors, books }
});

#[derive(Clone, Copy)]
struct Tag(i64);

/// A page of a connection: its nodes, how many there are, whether more follow.
#[derive(Clone)]
struct Page(Vec<Node>, usize, bool);

#[derive(Clone, Copy)]
enum Node {
    Author(&'static Author),
    Book(&'static Book),
    Tag(Tag),
}

impl Node {
    fn value(self) -> FieldValue<'static> {
        match self {
            Node::Author(author) => FieldValue::owned_any(author),
            Node::Book(book) => FieldValue::owned_any(book),
            Node::Tag(tag) => FieldValue::owned_any(tag),
        }
    }
}

type Out = Option<FieldValue<'static>>;
type Ctx<'a, 'b> = &'b ResolverContext<'a>;

fn field(name: &str, ty: TypeRef, run: fn(Ctx<'_, '_>) -> Out) -> Field {
    Field::new(name, ty, move |ctx| {
        let out = run(&ctx);
        FieldFuture::new(async move { Ok(out) })
    })
}

fn parent<T: Copy + Send + Sync + 'static>(ctx: Ctx<'_, '_>) -> T {
    *ctx.parent_value.try_downcast_ref::<T>().expect("the parent is of the type")
}

fn leaf<T: Into<Value>>(value: Option<T>) -> Out {
    Some(FieldValue::value(value.map_or(Value::Null, Into::into)))
}

fn id(number: i64) -> Out {
    leaf(Some(number.to_string()))
}

fn list(nodes: Vec<Node>) -> Out {
    Some(FieldValue::list(nodes.into_iter().map(Node::value)))
}

fn page(ctx: Ctx<'_, '_>, nodes: Vec<Node>) -> Out {
    let first =
        ctx.args.get("first").filter(|it| !it.is_null()).map_or(100, |it| it.u64().unwrap());
    let (total, first) = (nodes.len(), usize::try_from(first).unwrap());
    let kept: Vec<Node> = nodes.into_iter().take(first).collect();
    let more = total > first;
    Some(FieldValue::owned_any(Page(kept, total, more)))
}

fn books_of(author: &Author) -> Vec<Node> {
    LIBRARY.books.iter().filter(|book| book.author_id == author.id).map(Node::Book).collect()
}

fn tags_of(book: &Book) -> Vec<Node> {
    let tags = seed::BOOK_TAGS.iter().filter(|(of, _)| BASE + of == book.id.0);
    tags.map(|(_, tag)| Node::Tag(Tag(*tag))).collect()
}

fn author(number: i64) -> Out {
    LIBRARY.authors.iter().find(|author| author.id.0 == number).map(FieldValue::owned_any)
}

fn asked(ctx: Ctx<'_, '_>) -> Out {
    let value = ctx.args.get("id").filter(|it| !it.is_null())?;
    let number = value.u64().ok().or_else(|| value.string().ok()?.parse().ok())?;
    author(i64::try_from(number).unwrap())
}

fn query() -> Object {
    let object = Object::new("Query");
    let first = || InputValue::new("first", TypeRef::named(TypeRef::INT));
    object
        .field(
            field("author", TypeRef::named("Author"), asked)
                .argument(InputValue::new("id", TypeRef::named(TypeRef::ID))),
        )
        .field(
            field("strict_author", TypeRef::named("Author"), asked)
                .argument(InputValue::new("id", TypeRef::named_nn(TypeRef::ID))),
        )
        .field(
            field("authors", TypeRef::named_nn("AuthorConnection"), |ctx| {
                page(ctx, LIBRARY.authors.iter().map(Node::Author).collect())
            })
            .argument(first())
            .argument(InputValue::new("order_by", TypeRef::named("AuthorOrder"))),
        )
        .field(
            field("books", TypeRef::named("BookConnection"), |ctx| {
                page(ctx, LIBRARY.books.iter().map(Node::Book).collect())
            })
            .argument(first()),
        )
        .field(
            field("tags", TypeRef::named_nn("TagConnection"), |ctx| {
                page(ctx, (1..=4).map(|n| Node::Tag(Tag(n))).collect())
            })
            .argument(first()),
        )
}

fn shout(ctx: Ctx<'_, '_>) -> Out {
    let times = ctx.args.get("times").filter(|it| !it.is_null()).map_or(0, |it| it.u64().unwrap());
    let mark = ctx.args.get("with").map_or(String::new(), |it| it.string().unwrap().to_owned());
    let name = &parent::<&Author>(ctx).name;
    leaf(Some(format!("{name}{}", mark.repeat(usize::try_from(times).unwrap()))))
}

fn author_type() -> Object {
    type A = &'static Author;
    let object = Object::new("Author");
    let named = TypeRef::named;
    let nn = TypeRef::named_nn;
    object
        .field(field("id", nn(TypeRef::ID), |ctx| id(parent::<A>(ctx).id.0)))
        .field(field("name", nn(TypeRef::STRING), |ctx| leaf(Some(parent::<A>(ctx).name.clone()))))
        .field(field("rating", named(TypeRef::INT), |ctx| leaf(parent::<A>(ctx).rating)))
        .field(field("active", nn(TypeRef::BOOLEAN), |ctx| leaf(Some(parent::<A>(ctx).active))))
        .field(field("kind", nn("AuthorKind"), |ctx| {
            leaf(Some(Value::Enum(Name::new(parent::<A>(ctx).kind.as_str()))))
        }))
        .field(field("email", named(TypeRef::STRING), |ctx| leaf(parent::<A>(ctx).email.clone())))
        .field(field("strict_email", named(TypeRef::STRING), |ctx| {
            parent::<A>(ctx).email.clone().map(FieldValue::value)
        }))
        .field(field("score", named(TypeRef::FLOAT), |ctx| {
            leaf(parent::<A>(ctx).rating.map(|it| it as f64 / 2.0))
        }))
        .field(field("books_count", nn(TypeRef::INT), |ctx| {
            leaf(Some(books_of(parent::<A>(ctx)).len()))
        }))
        .field(
            field("shout", named(TypeRef::STRING), shout)
                .argument(InputValue::new("times", named(TypeRef::INT)).default_value(1))
                .argument(InputValue::new("with", named(TypeRef::STRING)).default_value("!")),
        )
        .field(field("boss", named("Author"), |ctx| {
            parent::<A>(ctx).boss_id.and_then(|boss| author(boss.0))
        }))
        .field(field("first_book", named("Book"), |ctx| {
            let books = LIBRARY.books.iter().filter(|book| book.author_id == parent::<A>(ctx).id);
            books.min_by_key(|book| book.id).map(FieldValue::owned_any)
        }))
        .field(field("all_books", TypeRef::named_nn_list_nn("Book"), |ctx| {
            list(books_of(parent::<A>(ctx)))
        }))
        .field(field("loose_books", TypeRef::named_list("Book"), |ctx| {
            list(books_of(parent::<A>(ctx)))
        }))
        .field(
            field("books", nn("BookConnection"), |ctx| page(ctx, books_of(parent::<A>(ctx))))
                .argument(InputValue::new("first", named(TypeRef::INT))),
        )
        .field(field("address", named("Address"), |ctx| {
            Some(FieldValue::owned_any(parent::<A>(ctx)))
        }))
}

fn address_type() -> Object {
    Object::new("Address")
        .field(field("city", TypeRef::named(TypeRef::STRING), |ctx| {
            leaf(Some(parent::<&Author>(ctx).name.clone()))
        }))
        .field(field("number", TypeRef::named(TypeRef::INT), |_| leaf(Some(7))))
        .field(field("lines", TypeRef::named_nn_list(TypeRef::STRING), |_| {
            Some(FieldValue::list(["1 Main St", "Floor 2"].map(FieldValue::value)))
        }))
}

fn book_type() -> Object {
    type B = &'static Book;
    let named = TypeRef::named;
    let nn = TypeRef::named_nn;
    Object::new("Book")
        .field(field("id", nn(TypeRef::ID), |ctx| id(parent::<B>(ctx).id.0)))
        .field(field("title", nn(TypeRef::STRING), |ctx| {
            leaf(Some(parent::<B>(ctx).title.clone()))
        }))
        .field(field("shelf", named(TypeRef::STRING), |ctx| leaf(parent::<B>(ctx).shelf.clone())))
        .field(field("strict_shelf", named(TypeRef::STRING), |ctx| {
            parent::<B>(ctx).shelf.clone().map(FieldValue::value)
        }))
        .field(field("pages", named(TypeRef::INT), |ctx| leaf(parent::<B>(ctx).pages)))
        .field(field("price", named(TypeRef::FLOAT), |ctx| {
            leaf(parent::<B>(ctx).cents.map(|it| it as f64 / 100.0))
        }))
        .field(field("tags_count", named(TypeRef::INT), |ctx| {
            leaf(Some(tags_of(parent::<B>(ctx)).len()))
        }))
        .field(field("author", nn("Author"), |ctx| author(parent::<B>(ctx).author_id.0)))
        .field(field("tags", TypeRef::named_nn_list_nn("Tag"), |ctx| {
            list(tags_of(parent::<B>(ctx)))
        }))
        .field(field("first_tag", named("Tag"), |ctx| {
            tags_of(parent::<B>(ctx)).into_iter().next().map(Node::value)
        }))
}

fn tag_type() -> Object {
    Object::new("Tag")
        .field(field("id", TypeRef::named_nn(TypeRef::ID), |ctx| id(BASE + parent::<Tag>(ctx).0)))
        .field(field("name", TypeRef::named_nn(TypeRef::STRING), |ctx| {
            let at = usize::try_from(parent::<Tag>(ctx).0).unwrap() - 1;
            leaf(Some(["classic", "new", "odd", "unused"][at]))
        }))
        .field(field("books_count", TypeRef::named_nn(TypeRef::INT), |ctx| {
            let tag = parent::<Tag>(ctx).0;
            let live = |book: i64| LIBRARY.books.iter().any(|it| it.id.0 == BASE + book);
            leaf(Some(seed::BOOK_TAGS.iter().filter(|it| it.1 == tag && live(it.0)).count()))
        }))
}

/// A connection, its edge; nodes may be null where the contract says so.
fn connection(node: &'static str, may_be_null: bool) -> [Object; 2] {
    let (edge, whole) = (format!("{node}Edge"), format!("{node}Connection"));
    let lists = |name: &str| {
        if may_be_null { TypeRef::named_list(name) } else { TypeRef::named_nn_list_nn(name) }
    };
    let one =
        if may_be_null || node == "Tag" { TypeRef::named(node) } else { TypeRef::named_nn(node) };
    let whole = Object::new(whole)
        .field(field("nodes", lists(node), |ctx| list(parent_page(ctx).0)))
        .field(field("edges", lists(&edge), |ctx| {
            Some(FieldValue::list(parent_page(ctx).0.into_iter().map(FieldValue::owned_any)))
        }))
        .field(field("page_info", TypeRef::named_nn("PageInfo"), |ctx| {
            Some(FieldValue::owned_any(parent_page(ctx)))
        }))
        .field(field("total_count", TypeRef::named_nn(TypeRef::INT), |ctx| {
            leaf(Some(parent_page(ctx).1))
        }));
    let edge = Object::new(edge).field(field("node", one, |ctx| Some(parent::<Node>(ctx).value())));
    [whole, edge]
}

fn parent_page(ctx: Ctx<'_, '_>) -> Page {
    ctx.parent_value.try_downcast_ref::<Page>().expect("the parent is a page").clone()
}

/// The schema, ready to run.
pub fn schema() -> Schema {
    let page_info = Object::new("PageInfo")
        .field(field("has_next_page", TypeRef::named_nn(TypeRef::BOOLEAN), |ctx| {
            leaf(Some(parent_page(ctx).2))
        }))
        .field(field("has_previous_page", TypeRef::named_nn(TypeRef::BOOLEAN), |_| {
            leaf(Some(false))
        }));
    // It drops what is skipped before it validates, and then misses variables.
    let mut builder = Schema::build("Query", None, None)
        .validation_mode(async_graphql::ValidationMode::Fast)
        .register(query())
        .register(author_type())
        .register(address_type())
        .register(book_type())
        .register(tag_type())
        .register(page_info)
        .register(Enum::new("AuthorKind").items(["NOVELIST", "POET", "CRITIC"]))
        .register(Enum::new("AuthorOrder").items(["UNSORTED"]));
    for (node, may_be_null) in [("Author", false), ("Book", true), ("Tag", false)] {
        for object in connection(node, may_be_null) {
            builder = builder.register(object);
        }
    }
    builder.finish().expect("the oracle's schema is whole")
}
