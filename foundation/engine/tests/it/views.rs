//! Pruning the contract to what is bound, and loading a view.

use apollo_compiler::Schema;
use apollo_compiler::schema::ExtendedType;
use ward_engine::{Answer, Args, Bindings, Kind, Listing, Request, View, prune};

use crate::world::tables::{AUTHORS, BOOKS};
use crate::world::{BASELINE, V2026, bindings};

fn pruned(contract: &str) -> (String, Schema) {
    let sdl = prune(contract, &bindings::all()).unwrap();
    let schema = Schema::parse(&sdl, "pruned").unwrap();
    (sdl, schema)
}

fn fields(schema: &Schema, name: &str) -> Vec<String> {
    match &schema.types[name] {
        ExtendedType::Object(object) => object.fields.keys().map(ToString::to_string).collect(),
        ExtendedType::InputObject(input) => input.fields.keys().map(ToString::to_string).collect(),
        ExtendedType::Enum(members) => members.values.keys().map(ToString::to_string).collect(),
        _ => Vec::new(),
    }
}

#[test]
fn only_what_is_bound_is_kept() {
    for contract in [BASELINE, V2026] {
        let (_, schema) = pruned(contract);
        for (type_name, gone) in [
            ("Query", "unbound"),
            ("Mutation", "unboundMutation"),
            ("Author", "unbound"),
            ("Author", "secret_hash"),
            ("PublishPayload", "unbound"),
            ("CreateAuthorInput", "unserved"),
            // The contract has it and the operation does not read it.
            ("CreateAuthorInput", "extra"),
        ] {
            assert!(!fields(&schema, type_name).iter().any(|it| it == gone), "{type_name}.{gone}");
        }
        assert!(fields(&schema, "Author").iter().any(|it| it == "strict_email"));
        assert!(fields(&schema, "CreateAuthorInput").iter().any(|it| it == "books"));
        assert_eq!(fields(&schema, "BookInput"), ["pages", "title"]);
        assert_eq!(fields(&schema, "FieldError"), ["field", "message"]);
    }
}

#[test]
fn the_engines_own_types_are_kept_whole() {
    let (_, schema) = pruned(V2026);
    assert_eq!(fields(&schema, "AuthorConnection"), ["edges", "nodes", "page_info", "total_count"]);
    assert_eq!(fields(&schema, "PageInfo").len(), 4);
    assert_eq!(fields(&schema, "AuthorEdge"), ["cursor", "node"]);
    let arguments = |field: &str| {
        let field = schema.get_object("Query").unwrap().fields.get(field).unwrap();
        field.arguments.iter().map(|it| it.name.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(
        arguments("authors"),
        ["active", "after", "before", "first", "ids", "keywords", "last", "order_by", "sort_by"]
    );
    assert_eq!(arguments("author"), ["id"]);
    // The old view has what only it has.
    let (_, old) = pruned(BASELINE);
    assert!(old.types.get("AuthorConnection").is_none() && old.types.get("PageInfo").is_none());
    assert!(fields(&old, "HelloInput").iter().any(|it| it == "clientMutationId"));
    assert!(fields(&old, "HelloPayload").iter().any(|it| it == "clientMutationId"));
    assert!(!fields(&schema, "HelloInput").iter().any(|it| it == "clientMutationId"));
}

fn nothing(_: &Request, _: &Args) -> Answer<Listing> {
    Ok(Listing::none())
}

#[test]
fn a_union_has_the_types_that_are_built() {
    let contract = format!(
        "{V2026}\nextend type Query {{ thing(id: ID): Thing }}\n\
         union Thing = Author | Book | Ghost\ntype Ghost {{ id: ID }}\n"
    );
    let mut bindings = bindings::all();
    bindings
        .query_one_of("thing", &[("Author", &AUTHORS, nothing), ("Book", &BOOKS, nothing)])
        .args(&[("id", Kind::Id("Author"))]);
    let schema = Schema::parse(prune(&contract, &bindings).unwrap(), "pruned").unwrap();
    let union = schema.types["Thing"].as_union().unwrap();
    let members: Vec<String> = union.members.iter().map(|it| it.name.to_string()).collect();
    assert_eq!(members, ["Author", "Book"]);
    assert!(schema.types.get("Ghost").is_none());
    // Unbound, it is not served at all.
    let schema = Schema::parse(prune(&contract, &bindings::all()).unwrap(), "pruned").unwrap();
    assert!(schema.types.get("Thing").is_none());
}

#[test]
fn what_is_unserved_goes() {
    let mut bindings = bindings::all();
    bindings.unserved(
        "Query.authors(keywords:) | later | library\n\n# a comment\nQuery.authors(first:)|later|library\n\
         AuthorOrder.RATING_ASC | later | library\nBookInput.pages | later | library\n",
    );
    let schema = Schema::parse(prune(V2026, &bindings).unwrap(), "pruned").unwrap();
    let authors = &schema.get_object("Query").unwrap().fields["authors"];
    assert!(!authors.arguments.iter().any(|it| it.name == "keywords" || it.name == "first"));
    assert!(authors.arguments.iter().any(|it| it.name == "last"));
    assert!(!fields(&schema, "AuthorOrder").contains(&"RATING_ASC".to_owned()));
    assert_eq!(fields(&schema, "BookInput"), ["title"]);
}

#[test]
fn types_that_nothing_reaches_go() {
    let mut bindings = Bindings::new();
    bindings.object("Tag", &crate::world::tables::TAGS);
    bindings.query_list(
        "tags",
        &crate::world::tables::TAGS,
        |_, _| Ok(ward_engine::Listing::all()),
    );
    let schema = Schema::parse(prune(V2026, &bindings).unwrap(), "pruned").unwrap();
    let own = |ty: &ExtendedType| !ty.is_built_in();
    let names: Vec<_> =
        schema.types.values().filter(|ty| own(ty)).map(|ty| ty.name().to_string()).collect();
    // No mutation is bound, so there is no Mutation.
    assert!(schema.schema_definition.mutation.is_none());
    let mut names: Vec<_> = names.iter().map(String::as_str).collect();
    names.sort_unstable();
    assert_eq!(names, ["PageInfo", "Query", "Tag", "TagConnection", "TagEdge"]);
}

#[test]
fn pruning_what_is_pruned_changes_nothing() {
    for contract in [BASELINE, V2026] {
        let (sdl, _) = pruned(contract);
        assert_eq!(prune(&sdl, &bindings::all()).unwrap(), sdl);
        assert!(sdl.contains("type Query {"), "roots are whole, not extensions");
    }
}

#[test]
fn the_twin_widens_inputs_only() {
    let (sdl, _) = pruned(V2026);
    let view = View::load(&sdl).unwrap();
    let type_of = |schema: &Schema, field: &str, argument: &str| {
        let field = &schema.get_object("Query").unwrap().fields[field];
        field.argument_by_name(argument).unwrap().ty.to_string()
    };
    for (argument, own, wide) in [
        ("text", "String", "ID"),
        ("day", "ISO8601Date", "ID"),
        ("at", "ISO8601DateTime", "ID"),
        ("texts", "[String]", "[ID]"),
        ("ids", "[ID!]", "[ID!]"),
        ("number", "Int", "Int"),
        ("extra", "JSON", "JSON"),
        ("kind", "AuthorKind", "AuthorKind"),
        ("filter", "Filter", "Filter"),
    ] {
        assert_eq!(type_of(&view.schema, "echo", argument), own);
        assert_eq!(type_of(&view.twin, "echo", argument), wide);
    }
    let output =
        |schema: &Schema| schema.get_object("Author").unwrap().fields["name"].ty.to_string();
    assert_eq!(
        (output(&view.schema), output(&view.twin)),
        ("String!".to_owned(), "String!".to_owned())
    );
    let input =
        |schema: &Schema| schema.get_input_object("Filter").unwrap().fields["name"].ty.to_string();
    assert_eq!((input(&view.schema), input(&view.twin)), ("String".to_owned(), "ID".to_owned()));
    assert!(View::load("type Query { a: Nobody }").is_err());
    assert!(View::load("type Query {").is_err());
    assert!(prune("type Query { a: Nobody", &bindings::all()).is_err());
}
