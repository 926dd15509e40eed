//! A Production with an organization, and its dispatcher with live connectors.

use std::path::Path;
use std::sync::Arc;

use serde_json::{Value as Json, json};
use ward_connectors::{LiveMail, LivePush, LiveScan, LiveSms, LiveVideo};
use ward_effects::{
    Content, Dispatcher, EffectMode, Message, Ports, ProductionEnv, Report, decide,
};
use ward_instance::config::Connectors;
use ward_instance::{
    Certificate, Clock, Instance, InstanceError, InstanceId, Kind, Ledger, ProductionWitness,
    Random, RootRing,
};
use ward_store::intents::{EffectIntent, intend};
use ward_store::system::EffectClass;
use ward_store::{Actor, Birth, Db, Place, Query, Sql, StoreError, Uuid, keyring};

pub type Live = Dispatcher<ProductionEnv<LiveMail, LiveSms, LivePush, LiveVideo, LiveScan>>;

pub struct World {
    pub db: Db,
    pub instance: Arc<Instance>,
    pub org_id: i64,
    _files: tempfile::TempDir,
}

impl World {
    pub async fn new() -> World {
        let (random, clock) = (Random::os(), Clock::system());
        let id = InstanceId::draw(&random);
        let ring = Arc::new(RootRing::generate(Kind::Production, id, &random));
        let certificate = Certificate::new(&ring, clock.now(), "https://ward.example", "test");
        let ledger = Ledger::in_memory(&ring, 7, clock.now());
        let instance =
            Instance::assemble(Arc::clone(&ring), &certificate, ledger, clock, random).unwrap();
        let mut tables = ward_store::system::tables();
        tables.extend(ward_effects::tables());
        let files = tempfile::tempdir().unwrap();
        let place = Place::Lite { path: files.path().join("ward.db") };
        let now = instance.now();
        let birth =
            Birth { ring: &ring, certificate: &certificate, tables: &tables, migrations: &[], now };
        Db::create(&place, &birth).await.unwrap();
        let db = Db::open(place, Arc::clone(&instance), tables).await.unwrap();
        let org_id = db
            .write(|tx| {
                Box::pin(async move {
                    let org_id = tx.next_id_of("Organization").await?;
                    keyring::create_for(tx, org_id).await?;
                    Ok::<_, StoreError>(org_id)
                })
            })
            .await
            .unwrap();
        World { db, instance, org_id, _files: files }
    }

    pub fn witness(&self) -> ProductionWitness {
        self.instance.witness().production().unwrap()
    }

    /// The dispatcher with what the configuration names.
    pub fn dispatcher(&self, config: &Connectors, dir: &Path) -> Result<Live, InstanceError> {
        let witness = self.witness();
        let ports = Ports {
            mail: LiveMail::arm(&witness, config, dir)?,
            sms: LiveSms::arm(&witness, config, dir)?,
            push: LivePush::arm(&witness, config, dir)?,
            video: LiveVideo::arm(&witness, config, dir)?,
            scan: LiveScan::arm(&witness, config, dir)?,
        };
        Ok(Dispatcher::new(self.db.clone(), ports).unwrap())
    }

    /// Wants an effect, as a domain would, and does what is due.
    pub async fn effect(
        &self,
        dispatcher: &Live,
        class: EffectClass,
        to: &str,
        payload: Json,
    ) -> (Report, String) {
        let actor = Actor::system(self.org_id);
        decide(&self.db, &actor, class, EffectMode::Live, "a test").await.unwrap();
        let intent = EffectIntent {
            class,
            kind: "reset_password",
            to: to.to_owned(),
            payload,
            subject_client: None,
            recipient: None,
            cause: "request-1".to_owned(),
            idempotency_key: "one".to_owned(),
            not_before: None,
            expires_at: None,
        };
        let org_id = self.org_id;
        self.db
            .write(move |tx| {
                let intent = intent.clone();
                Box::pin(async move { intend(tx, org_id, intent).await })
            })
            .await
            .unwrap();
        let report = dispatcher.run_batch().await.unwrap();
        let sql = Sql::fixed(
            "SELECT state || ' ' || COALESCE(outcome, '-') || ' ' || COALESCE(last_error, '-') \
             FROM effect_intents",
            [],
        );
        let rows = self.db.read().await.unwrap().rows(&sql).await.unwrap();
        (report, rows.scalar().unwrap().text().unwrap().to_owned())
    }

    /// A reset mail.
    pub async fn mail(&self, dispatcher: &Live) -> (Report, String) {
        let payload = json!({"practice_name": "Harbor", "link": "/set-password?token=SECRET"});
        self.effect(dispatcher, EffectClass::AccountMail, "ada@harbor.example", payload).await
    }
}

/// A message that nobody intended.
pub fn message(subject: &str) -> Message {
    Message {
        org_id: 0,
        intent_id: Uuid("0".to_owned()),
        class: EffectClass::Email,
        to: "ada@harbor.example".to_owned(),
        kind: "drill".to_owned(),
        about: None,
        content: Content { subject: subject.to_owned(), ..Content::default() },
        cause: String::new(),
    }
}
