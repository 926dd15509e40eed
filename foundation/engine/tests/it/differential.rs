//! The same operations on another engine: random valid documents are run here
//! and on an executor that knows nothing of ours, over the same rows.

mod climb;
mod generator;
mod oracle;

use ward_engine::ViewId;

use crate::world::World;
use generator::Generator;

async fn random_operations_answer_alike(w: World) {
    let soak = std::env::var("WARD_SOAK").is_ok_and(|it| it == "1");
    let seed = std::env::var("WARD_SEED").ok().map_or(20_260_101, |text| text.parse().unwrap());
    let oracle = oracle::schema();
    let (mut ran, mut with_errors, mut bytes, mut number) = (0, 0, 0, 0);
    let wanted = if soak { 20_000 } else { 500 };
    while ran < wanted {
        number += 1;
        let operation = Generator::new(seed + number).operation();
        let (query, variables) = (&operation.query, &operation.variables);
        let ours = w.run(ViewId::V2026, query, variables.clone()).await;
        if ours["errors"][0]["message"].as_str().is_some_and(|it| it.contains("complexity")) {
            continue;
        }
        let request = async_graphql::Request::new(query.clone());
        let request = request.variables(async_graphql::Variables::from_json(variables.clone()));
        let theirs = serde_json::to_value(oracle.execute(request).await).unwrap();
        assert!(theirs.get("errors").is_none(), "{query}\n{theirs}");
        let climbed =
            climb::climbed(&theirs["data"], query, &w.engine.view(ViewId::V2026).unwrap().schema);
        let same = ours["data"] == climbed.data && ours["errors"].is_null() != climbed.any;
        assert!(
            same,
            "WARD_SEED={} differs\n{query}\n{variables}\nours   {ours}\ntheirs {}",
            seed + number - 1,
            climbed.data
        );
        ran += 1;
        with_errors += usize::from(!ours["errors"].is_null());
        bytes += ours.to_string().len();
    }
    eprintln!(
        "seed {seed}: {ran} of {number} operations ran, {with_errors} with errors, {bytes} bytes"
    );
    // The generator has to reach something.
    assert!(ran * 2 > usize::try_from(number).unwrap(), "most were too complex");
    assert!(with_errors > ran / 50 && with_errors < ran / 2, "{with_errors} of {ran} with errors");
    assert!(bytes / ran > 200, "answers are nearly empty");
}

cases!(random_operations_answer_alike);
