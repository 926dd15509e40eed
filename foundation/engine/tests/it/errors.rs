//! Errors (behaviour 4): wording, place, null propagation, partial answers.

use expect_test::expect;
use serde_json::{Value as Json, json};
use ward_engine::ViewId;
use ward_store::Actor;

use crate::world::bindings::{SALARY, VAULT};
use crate::world::{World, member_without, messages};

cases!(
    wording_of_invalid_documents,
    unknown_fields_are_told_once_each,
    a_null_climbs_to_the_nearest_nullable_parent,
    a_null_climbs_to_the_top,
    errors_of_one_field_leave_the_others,
    denied_fields_are_null_with_an_error,
    ids_of_elsewhere,
    warnings_stand_beside_the_data,
);

/// The reference's words for what clients could meet.
async fn wording_of_invalid_documents(w: World) {
    for (query, expected) in [
        (
            "",
            expect![[
                r#"{"errors":[{"message":"syntax error: Unexpected <EOF>.","locations":[{"line":1,"column":1}]}]}"#
            ]],
        ),
        (
            "{",
            expect![[
                r#"{"errors":[{"message":"syntax error: expected at least one Selection in Selection Set","locations":[{"line":1,"column":2}]},{"message":"syntax error: expected R_CURLY, got EOF","locations":[{"line":1,"column":2}]}]}"#
            ]],
        ),
        (
            "{ }",
            expect![[
                r#"{"errors":[{"message":"syntax error: expected at least one Selection in Selection Set","locations":[{"line":1,"column":3}]}]}"#
            ]],
        ),
        (
            "{ nobody }",
            expect![[
                r#"{"errors":[{"message":"Field 'nobody' doesn't exist on type 'Query'","locations":[{"line":1,"column":3}]}]}"#
            ]],
        ),
        (
            "{ author(id: 1) { nobody } }",
            expect![[
                r#"{"errors":[{"message":"Field 'nobody' doesn't exist on type 'Author'","locations":[{"line":1,"column":19}]}]}"#
            ]],
        ),
        (
            "{ author(id: 1) { id secret_hash } }",
            expect![[
                r#"{"errors":[{"message":"Field 'secret_hash' doesn't exist on type 'Author'","locations":[{"line":1,"column":22}]}]}"#
            ]],
        ),
        (
            "{ unbound }",
            expect![[
                r#"{"errors":[{"message":"Field 'unbound' doesn't exist on type 'Query'","locations":[{"line":1,"column":3}]}]}"#
            ]],
        ),
        (
            "mutation { unboundMutation(input: {}) { greeting } }",
            expect![[
                r#"{"errors":[{"message":"Field 'unboundMutation' doesn't exist on type 'Mutation'","locations":[{"line":1,"column":12}]}]}"#
            ]],
        ),
        (
            "{ strict_author { id } }",
            expect![[
                r#"{"errors":[{"message":"Field 'strict_author' is missing required arguments: id","locations":[{"line":1,"column":3}]}]}"#
            ]],
        ),
        (
            "{ author(id: 1, z: 2) { id } }",
            expect![[
                r#"{"errors":[{"message":"Field 'author' doesn't accept argument 'z'","locations":[{"line":1,"column":17}]}]}"#
            ]],
        ),
        (
            "{ author(id: 1) }",
            expect![[
                r#"{"errors":[{"message":"interface, union and object types must have a subselection set","locations":[{"line":1,"column":3}]}]}"#
            ]],
        ),
        (
            "{ author(id: 1) { } }",
            expect![[
                r#"{"errors":[{"message":"syntax error: expected at least one Selection in Selection Set","locations":[{"line":1,"column":19}]}]}"#
            ]],
        ),
        (
            "{ author(id: 1) { id { x } } }",
            expect![[
                r#"{"errors":[{"message":"Selections can't be made on scalars (type ID)","locations":[{"line":1,"column":19}]}]}"#
            ]],
        ),
        (
            "{ echo(filter: {x: 1}) }",
            expect![[
                r#"{"errors":[{"message":"InputObject 'Filter' doesn't accept argument 'x'","locations":[{"line":1,"column":20}]}]}"#
            ]],
        ),
        (
            "{ echo(strict: {}) }",
            expect![[
                r#"{"errors":[{"message":"Argument 'id' on InputObject 'Strict' is required","locations":[{"line":1,"column":16}]}]}"#
            ]],
        ),
        (
            "query($i: Int) { author(id: $i) { id } }",
            expect![[
                r#"{"errors":[{"message":"Type mismatch on variable $i and argument id (Int / ID)","locations":[{"line":1,"column":25}]}]}"#
            ]],
        ),
        (
            "query($i: ID) { strict_author(id: $i) { id } }",
            expect![[
                r#"{"errors":[{"message":"Type mismatch on variable $i and argument id (ID / ID!)","locations":[{"line":1,"column":31}]}]}"#
            ]],
        ),
        (
            "query($i: [ID]) { author(id: $i) { id } }",
            expect![[
                r#"{"errors":[{"message":"Type mismatch on variable $i and argument id ([ID] / ID)","locations":[{"line":1,"column":26}]}]}"#
            ]],
        ),
        (
            "query Q($i: ID) { author(id: 1) { id } }",
            expect![[
                r#"{"errors":[{"message":"Variable $i is declared but not used","locations":[{"line":1,"column":9}]}]}"#
            ]],
        ),
        (
            "query($i: ID) { author(id: 1) { id } }",
            expect![[
                r#"{"errors":[{"message":"Variable $i is declared but not used","locations":[{"line":1,"column":7}]}]}"#
            ]],
        ),
        (
            "{ author(id: $i) { id } }",
            expect![[
                r#"{"errors":[{"message":"Variable $i is used but not declared","locations":[{"line":1,"column":14}]}]}"#
            ]],
        ),
        (
            "query($i: ID, $i: ID) { author(id: $i) { id } }",
            expect![[
                r#"{"errors":[{"message":"the variable `$i` is declared multiple times","locations":[{"line":1,"column":15}]}]}"#
            ]],
        ),
        (
            "{ ...F }",
            expect![[
                r#"{"errors":[{"message":"Fragment F was used, but not defined","locations":[{"line":1,"column":3}]}]}"#
            ]],
        ),
        (
            "{ __typename } fragment F on Query { __typename }",
            expect![[
                r#"{"errors":[{"message":"Fragment F was defined, but not used","locations":[{"line":1,"column":16}]}]}"#
            ]],
        ),
        (
            "{ ...a } fragment a on Query { ...a }",
            expect![[
                r#"{"errors":[{"message":"Fragment a contains an infinite loop","locations":[{"line":1,"column":10}]}]}"#
            ]],
        ),
        (
            "{ ...a } fragment a on Query { ...b } fragment b on Query { ...a }",
            expect![[
                r#"{"errors":[{"message":"Fragment a contains an infinite loop","locations":[{"line":1,"column":10}]}]}"#
            ]],
        ),
        (
            "{ ...F } fragment F on Author { id }",
            expect![[
                r#"{"errors":[{"message":"fragment `F` with type condition `Author` cannot be applied to `Query`","locations":[{"line":1,"column":3}]}]}"#
            ]],
        ),
        (
            "{ ...F } fragment F on Nobody { id }",
            expect![[
                r#"{"errors":[{"message":"Fragment F was used, but not defined","locations":[{"line":1,"column":3}]},{"message":"type condition `Nobody` of fragment `F` is not a type defined in the schema","locations":[{"line":1,"column":24}]}]}"#
            ]],
        ),
        (
            "{ ... on String { id } }",
            expect![[
                r#"{"errors":[{"message":"inline fragment must have a composite type in its type condition","locations":[{"line":1,"column":3}]},{"message":"Field 'id' doesn't exist on type 'String'","locations":[{"line":1,"column":19}]}]}"#
            ]],
        ),
        (
            "{ a: author(id: 1) { id } a: author(id: 2) { id } }",
            expect![[
                r#"{"errors":[{"message":"operation must not provide conflicting field arguments for the same name `author`","locations":[{"line":1,"column":27}]}]}"#
            ]],
        ),
        (
            "{ a: author(id: 1) { x: id x: name } }",
            expect![[
                r#"{"errors":[{"message":"operation must not select different types using the same name `x`","locations":[{"line":1,"column":28}]},{"message":"cannot select different fields into the same alias `x`","locations":[{"line":1,"column":28}]}]}"#
            ]],
        ),
        (
            "{ __typename @nobody }",
            expect![[
                r#"{"errors":[{"message":"cannot find directive `@nobody` in this document","locations":[{"line":1,"column":14}]}]}"#
            ]],
        ),
        (
            "{ __typename @skip }",
            expect![[
                r#"{"errors":[{"message":"Directive 'skip' is missing required arguments: if","locations":[{"line":1,"column":14}]}]}"#
            ]],
        ),
        (
            "{ __typename @skip(if: true) @skip(if: true) }",
            expect![[
                r#"{"errors":[{"message":"non-repeatable directive skip can only be used once per location","locations":[{"line":1,"column":30}]}]}"#
            ]],
        ),
        (
            "query @skip(if: true) { __typename }",
            expect![[
                r#"{"errors":[{"message":"skip directive is not supported for QUERY location","locations":[{"line":1,"column":7}]}]}"#
            ]],
        ),
        (
            "query A { __typename } query A { __typename }",
            expect![[
                r#"{"errors":[{"message":"the operation `A` is defined multiple times in the document","locations":[{"line":1,"column":30}]}]}"#
            ]],
        ),
        (
            "{ __typename } { __typename }",
            expect![[
                r#"{"errors":[{"message":"anonymous operation cannot be selected when the document contains other operations","locations":[{"line":1,"column":1}]},{"message":"anonymous operation cannot be selected when the document contains other operations","locations":[{"line":1,"column":16}]}]}"#
            ]],
        ),
        (
            "subscription { x }",
            expect![[
                r#"{"errors":[{"message":"Field 'x' doesn't exist on type 'Subscription'","locations":[{"line":1,"column":16}]}]}"#
            ]],
        ),
        (
            "type X { a: Int }",
            expect![[
                r#"{"errors":[{"message":"A request holds operations and fragments only."}]}"#
            ]],
        ),
        (
            "{ __typename } type X { a: Int }",
            expect![[
                r#"{"errors":[{"message":"A request holds operations and fragments only."}]}"#
            ]],
        ),
        (
            "{ echo(text: \"a) }",
            expect![[
                r#"{"errors":[{"message":"syntax error: unterminated string value","locations":[{"line":1,"column":14}]},{"message":"syntax error: expected a valid Value","locations":[{"line":1,"column":19}]},{"message":"syntax error: expected R_PAREN, got EOF","locations":[{"line":1,"column":19}]},{"message":"syntax error: expected R_CURLY, got EOF","locations":[{"line":1,"column":19}]}]}"#
            ]],
        ),
        (
            "{ echo(text: \"\\q\") }",
            expect![[
                r#"{"errors":[{"message":"syntax error: unexpected escaped character","locations":[{"line":1,"column":14}]},{"message":"syntax error: expected a valid Value","locations":[{"line":1,"column":18}]}]}"#
            ]],
        ),
    ] {
        let reply = w.ask(ViewId::V2026, query).reply().await;
        assert_eq!(reply.status, 200);
        expected.assert_eq(&String::from_utf8(reply.body).unwrap());
    }
}

async fn unknown_fields_are_told_once_each(w: World) {
    let query = "{ author(id: 1) {\n  a\n  b\n  c\n} }";
    let answer = w.v2026(query).await;
    let places: Vec<_> = answer["errors"].as_array().unwrap().iter().collect();
    assert_eq!(
        messages(&answer),
        ["a", "b", "c"].map(|it| format!("Field '{it}' doesn't exist on type 'Author'"))
    );
    assert_eq!(places[2]["locations"], json!([{"line": 4, "column": 3}]));
    let many: String = (0..500).map(|n| format!("x{n} ")).collect();
    let answer = w.v2026(&format!("{{ author(id: 1) {{ {many} }} }}")).await;
    assert!((1..=20).contains(&messages(&answer).len()));
}

async fn a_null_climbs_to_the_nearest_nullable_parent(w: World) {
    let query = "{ a: author(id: 2007500001) { strict_email } b: author(id: 2007500002) { id strict_email } }";
    expect![[r#"{"data":{"a":{"strict_email":"ada@example.org"},"b":null},"errors":[{"message":"Cannot return null for non-nullable field strict_email","locations":[{"line":1,"column":77}],"path":["b","strict_email"]}]}"#]].assert_eq(&w.v2026(query).await.to_string());
    // Through a non-null list of non-null items.
    let query = "{ author(id: 2007500001) { id all_books { title strict_shelf } } }";
    expect![[r#"{"data":{"author":null},"errors":[{"message":"Cannot return null for non-nullable field strict_shelf","locations":[{"line":1,"column":49}],"path":["author","all_books",1,"strict_shelf"]}]}"#]].assert_eq(&w.v2026(query).await.to_string());
    // Only the item, where items may be null.
    let query = "{ author(id: 2007500001) { loose_books { title strict_shelf } } }";
    expect![[r#"{"data":{"author":{"loose_books":[{"title":"Apple","strict_shelf":"B"},null,{"title":"Banana","strict_shelf":"a"}]}},"errors":[{"message":"Cannot return null for non-nullable field strict_shelf","locations":[{"line":1,"column":48}],"path":["author","loose_books",1,"strict_shelf"]}]}"#]].assert_eq(&w.v2026(query).await.to_string());
    // Through nodes that may be null, and edges whose node may be.
    let query = "{ books(first: 5) { nodes { title strict_shelf } edges { node { strict_shelf } } total_count } }";
    let answer = w.v2026(query).await;
    expect![[r##"{"books":{"nodes":[{"title":"#9 Hash","strict_shelf":"c"},{"title":"'Quote","strict_shelf":"c"},{"title":"Apple","strict_shelf":"B"},null,{"title":"Banana","strict_shelf":"a"}],"edges":[{"node":{"strict_shelf":"c"}},{"node":{"strict_shelf":"c"}},{"node":{"strict_shelf":"B"}},{"node":null},{"node":{"strict_shelf":"a"}}],"total_count":9}}"##]].assert_eq(&answer["data"].to_string());
    assert_eq!(answer["errors"][0]["path"], json!(["books", "nodes", 3, "strict_shelf"]));
    assert_eq!(answer["errors"][1]["path"], json!(["books", "edges", 3, "node", "strict_shelf"]));
    // Inside a list of value objects.
    let query = "{ author(id: 2007500001) { places { city strict } } }";
    expect![[r#"{"data":{"author":{"places":[{"city":"Ada Ahlgren","strict":"s"},null]}},"errors":[{"message":"Cannot return null for non-nullable field strict","locations":[{"line":1,"column":42}],"path":["author","places",1,"strict"]}]}"#]].assert_eq(&w.v2026(query).await.to_string());
    // The whole list of the old view, since its items may not be null.
    let query = "{ authors { strict_email } authorsCount }";
    let answer = w.baseline(query).await;
    assert_eq!(answer["data"], json!({"authors": null, "authorsCount": 5}));
    let names = "{ authors { name: strict_email @skip(if: true) id } }";
    assert!(w.baseline(names).await["errors"].is_null());
}

async fn a_null_climbs_to_the_top(w: World) {
    for query in [
        "{ author(id: 2007500001) { id } strict_author(id: 2007500777) { id } }",
        "{ author(id: 2007500001) { id } strict_author(id: 2007500002) { strict_email } }",
        "{ author(id: 2007500001) { id } authors { nodes { strict_email } } }",
        "{ author(id: 2007500001) { id } authors { edges { node { strict_email } } } }",
    ] {
        let answer = w.v2026(query).await;
        assert_eq!(answer["data"], Json::Null, "{query}");
        assert_eq!(answer["errors"].as_array().unwrap().len(), 1, "{answer}");
    }
}

async fn errors_of_one_field_leave_the_others(w: World) {
    let query = "{ author(id: 2007500001) { id x: broken lost name } tags { total_count } \
        y: author(id: 2007500001) { boss { broken } } echo(strict: {id: 1, id: 2}) }";
    expect![[r#"{"data":{"author":{"id":"2007500001","x":null,"lost":null,"name":"Ada Ahlgren"},"tags":{"total_count":4},"y":{"boss":null},"echo":null},"errors":[{"message":"The printer is on fire.","locations":[{"line":1,"column":31}],"path":["author","x"]},{"message":"Argument 'strict' on Field 'echo' has an invalid value. Field 'id' is given twice.","locations":[{"line":1,"column":120}],"path":["echo"]}]}"#]].assert_eq(&w.v2026(query).await.to_string());
    // One error a row, with the row's place.
    let answer = w.v2026("{ authors { nodes { broken } } }").await;
    let paths: Vec<_> =
        answer["errors"].as_array().unwrap().iter().map(|it| it["path"].to_string()).collect();
    assert_eq!(paths.len(), 5);
    assert_eq!(paths[4], r#"["authors","nodes",4,"broken"]"#);
}

async fn denied_fields_are_null_with_an_error(w: World) {
    let ask = |query| w.ask(ViewId::V2026, query);
    let query = "{ vault { total_count nodes { id } } author(id: 2007500001) { id } }";
    let answer = ask(query).actor(member_without(VAULT)).run().await;
    expect![[r#"{"data":{"vault":null,"author":{"id":"2007500001"}},"errors":[{"message":"You don't have permission to perform this operation. Please reach out to support if the problem persists","locations":[{"line":1,"column":3}],"path":["vault"],"extensions":{"code":"PERMISSION_DENIED","permission":"can_open_the_vault"}}]}"#]].assert_eq(&answer.to_string());
    let reply = ask(query).actor(member_without(VAULT)).reply().await;
    assert_eq!((reply.status, reply.code.as_deref()), (200, Some("PERMISSION_DENIED")));
    assert_eq!(ask(query).data().await["vault"]["total_count"], 5);
    let query = "{ author(id: 2007500001) { id salary } }";
    let answer = ask(query).actor(member_without(SALARY)).run().await;
    expect![[r#"{"data":{"author":{"id":"2007500001","salary":null}},"errors":[{"message":"You don't have permission to perform this operation. Please reach out to support if the problem persists","locations":[{"line":1,"column":31}],"path":["author","salary"],"extensions":{"code":"PERMISSION_DENIED","permission":"can_see_salaries"}}]}"#]].assert_eq(&answer.to_string());
    let query = "{ author(id: 2007500001) { id strict_salary } }";
    let answer = ask(query).actor(member_without(SALARY)).run().await;
    assert_eq!(answer["data"], json!({"author": null}));
    // Nobody is denied what nobody asked for.
    let query = "{ vault @skip(if: true) { total_count } __typename }";
    assert_eq!(ask(query).actor(Actor::anonymous()).data().await, json!({"__typename": "Query"}));
}

async fn ids_of_elsewhere(w: World) {
    let query = "{ author(id: 1000042) { id } ok: author(id: 2007500001) { id } \
        authors(ids: [2007500001, 1000042]) { total_count } }";
    expect![[r#"{"data":null,"errors":[{"message":"This is a Production id and this server is Sandbox; nothing was executed.","locations":[{"line":1,"column":3}],"path":["author"],"extensions":{"code":"WRONG_ENVIRONMENT_ID","argument":"id"}},{"message":"This is a Production id and this server is Sandbox; nothing was executed.","locations":[{"line":1,"column":64}],"path":["authors"],"extensions":{"code":"WRONG_ENVIRONMENT_ID","argument":"ids"}}]}"#]].assert_eq(&w.v2026(query).await.to_string());
    let query = "{ author(id: 1000042) { id } }";
    let reply = w.ask(ViewId::Baseline, query).reply().await;
    assert_eq!((reply.status, reply.code.as_deref()), (200, Some("WRONG_ENVIRONMENT_ID")));
}

async fn warnings_stand_beside_the_data(w: World) {
    let request = w.ask(ViewId::V2026, "{ __typename }");
    let body = request.warned(&[json!({"code": "X"})]).await;
    assert_eq!(
        body.to_string(),
        r#"{"data":{"__typename":"Query"},"extensions":{"warnings":[{"code":"X"}]}}"#
    );
    let body = w.ask(ViewId::V2026, "{ nobody }").warned(&[json!({"code": "X"})]).await;
    assert!(body["errors"].is_array() && body.get("data").is_none());
    assert_eq!(body["extensions"], json!({"warnings": [{"code": "X"}]}));
}
