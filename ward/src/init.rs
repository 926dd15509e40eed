//! `ward init`: an instance is born.

use std::path::Path;

use serde_json::json;
use ward_instance::base_url::BaseUrl;
use ward_server::birthday::{self, Founder};
use ward_server::{Hold, Newborn};

use crate::cli::{Here, InitArgs, SignUp};
use crate::connect;
use crate::failure::{Done, Failure};
use crate::output::{Out, lines};

/// `ward init`.
pub async fn run(args: InitArgs, out: Out) -> Done {
    check(&args)?;
    let Here { kind, dir } = &args.here;
    // An address without password is kept out of ward.toml too: a variable names it.
    let database_env = args.database_env.clone().or_else(|| {
        args.database.as_ref().map(|_| format!("{}DATABASE_URL", kind.variable_prefix()))
    });
    let newborn = Newborn {
        kind: *kind,
        base_url: args.base_url.clone(),
        database_env: database_env.clone(),
        database: args.database.clone(),
        sign_up_open: args.sign_up == SignUp::Open,
        loopback_webhooks: false,
        passing: false,
    };
    let founder = Founder {
        organization: args.organization.clone(),
        owner_email: args.owner_email.clone(),
        first_name: "Practice".to_owned(),
        last_name: "Owner".to_owned(),
    };
    let mut env = connect::env();
    if let (Some(name), Some(address)) = (&database_env, &args.database) {
        env.retain(|(known, _)| known != name);
        env.push((name.clone(), address.clone()));
    }
    let untouched = is_empty(dir);
    let born = born(&args.here, &newborn, &founder, &env).await;
    let (tag, mut answer) = match born {
        Ok(born) => born,
        Err(failure) => {
            if untouched {
                clear(dir);
            }
            return Err(failure);
        }
    };
    let serve = format!("ward serve --kind {kind} --dir {}", dir.display());
    answer["environment"] = json!(kind.as_str());
    answer["instance"] = json!(tag);
    answer["directory"] = json!(dir.display().to_string());
    answer["base_url"] = json!(args.base_url);
    answer["database_env"] = json!(database_env);
    answer["owner_email"] = json!(args.owner_email);
    answer["serve"] = json!(serve);
    out.answer(&answer, || lines(&answer));
    if let (Some(name), Some(_)) = (&database_env, &args.database) {
        out.say(format_args!(
            "keep the database's address in the variable {name}; every later command reads it there"
        ));
    }
    out.say(format_args!("{} {tag} is born; start it with: {serve}; then open the link to set the owner's password, once", kind.title()));
    Ok(())
}

async fn born(
    here: &Here,
    newborn: &Newborn,
    founder: &Founder,
    env: &[(String, String)],
) -> Done<(String, serde_json::Value)> {
    // Variables of both kinds are refused before anything is made.
    refuse_other_kind(here, env)?;
    ward_server::birth(&here.dir, newborn, env).await?;
    let opened = ward_server::open(&here.dir, here.kind, Hold::Exclusive, "init", env).await?;
    let answer = birthday::found(&opened.db, founder).await?;
    let tag = opened.instance.tag().to_string();
    connect::close(opened).await?;
    Ok((tag, answer))
}

fn refuse_other_kind(here: &Here, env: &[(String, String)]) -> Done {
    let other = here.kind.other();
    match env.iter().find(|(name, _)| name.starts_with(other.variable_prefix())) {
        Some((name, _)) => Err(Failure::refused(format!(
            "E-ISO-04: this process is to make a {} and was given the variable {name}; fix: start it with {}* variables only",
            here.kind.title(),
            here.kind.variable_prefix()
        ))),
        None => Ok(()),
    }
}

fn check(args: &InitArgs) -> Done {
    if args.base_url.parse::<BaseUrl>().is_err() {
        return Err(Failure::usage(
            "--base-url is an address such as https://ehr.example.org, without a path",
        ));
    }
    if let Some(database) = &args.database {
        ward_instance::config::refuse_password("--database", database)
            .map_err(|refused| Failure::usage(format!("{refused}; use --database-env NAME")))?;
    }
    let (name, host) = args.owner_email.rsplit_once('@').unwrap_or_default();
    if name.is_empty() || host.is_empty() || args.owner_email.contains(char::is_whitespace) {
        return Err(Failure::usage("--owner-email is an address such as owner@practice.example"));
    }
    if args.organization.trim().is_empty() {
        return Err(Failure::usage("--organization is the name of the first organization"));
    }
    Ok(())
}

fn is_empty(dir: &Path) -> bool {
    std::fs::read_dir(dir).map_or_else(
        |error| error.kind() == std::io::ErrorKind::NotFound,
        |mut entries| entries.next().is_none(),
    )
}

/// Takes away what a birth that failed has made, so that it can be tried again.
fn clear(dir: &Path) {
    let made = [
        "root.key",
        "ward.toml",
        "ids.ledger",
        "volume.id",
        "lock",
        "chain.heads",
        "ward.db",
        "ward.db-wal",
        "ward.db-shm",
    ];
    for name in made {
        let _ = std::fs::remove_file(dir.join(name));
    }
    let _ = std::fs::remove_dir(dir);
}
