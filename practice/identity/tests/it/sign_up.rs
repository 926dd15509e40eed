//! What signing up costs, whatever is given.

use serde_json::{Value as Json, json};
use ward_engine::ViewId::V2026;

use crate::support::World;

fn document(first_name: &str, password: &str) -> String {
    format!(
        r#"mutation {{ signUp(input: {{role: "dietitian", first_name: "{first_name}", last_name: "Long",
            email: "long@example.com", password: "{password}"}}) {{ user {{ id }}
            messages {{ field message }} }} }}"#
    )
}

async fn attempts(world: &World) -> i64 {
    let sql = ward_store::Sql::fixed(
        "SELECT CAST(COALESCE(SUM(attempts), 0) AS BIGINT) FROM sign_in_attempts",
        [],
    );
    let mut reader = world.db.read().await.unwrap();
    let rows = ward_store::Query::rows(&mut reader, &sql).await.unwrap();
    rows.scalar().and_then(ward_store::Value::int).unwrap_or(0)
}

async fn an_over_long_name_is_not_given_to_the_estimator(world: World) {
    let long = "Abc ".repeat(225_000);
    let answer = world.run("", V2026, &document(&long, "password123")).await;
    assert_eq!(
        answer["data"]["signUp"]["messages"],
        json!([{"field": "first_name", "message": "First name is too long (maximum is 255 characters)"}]),
    );
    assert_eq!(attempts(&world).await, 0);
    // Alone, the password is judged, and the attempt was counted before.
    let answer = world.run("", V2026, &document("Abc", "password123")).await;
    assert_eq!(answer["data"]["signUp"]["messages"][0]["field"], "password", "{answer}");
    assert_eq!(answer["data"]["signUp"]["user"], Json::Null);
    assert_eq!(attempts(&world).await, 2, "the account's name and the network address");
}
both!(an_over_long_name_is_not_given_to_the_estimator);
