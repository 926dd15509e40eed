//! The door to the world as this process has it: one dispatcher with the connectors of its
//! environment.

use std::path::Path;
use std::sync::Arc;

use ward_connectors::{Callbacks, LiveMail, LivePush, LiveScan, LiveSms, LiveVideo};
use ward_effects::{Dispatcher, EffectMode, Ports, ProductionEnv, Released, SandboxEnv, Simulator};
use ward_instance::{Config, Witness};
use ward_store::blobs::{BlobStore, TellFind};
use ward_store::intents::MayReach;
use ward_store::room::KeepRoom;
use ward_store::system::EffectClass;
use ward_store::{Db, StoreError};

use crate::place::ServerError;
use crate::settle::Ran;

/// Production's connectors.
type Live = ProductionEnv<LiveMail, LiveSms, LivePush, LiveVideo, LiveScan>;

/// What keeps the rooms for video calls that are made.
const KEEP: KeepRoom = ward_scheduling::appointment::video::keep;

/// What tells the practice of malware in a file, and takes back the archives that may hold it.
const TELL: TellFind = ward_export::quarantine::told_of_find;

/// What says whether somebody may be told anything.
const REACH: MayReach = ward_identity::deceased::may_reach;

/// The dispatcher of one environment or the other.
pub enum Door {
    /// Everything is simulated, and what becomes of it too.
    Sandbox(Dispatcher<SandboxEnv>, Simulator),
    /// Everything is real.
    Production(Box<Dispatcher<Live>>, Callbacks),
}

impl Door {
    /// Hangs the door, by the certificate's witness. Refuses connectors that are configured and
    /// can't be armed: what would wait for ever is told at the start. `files` is where the files are
    /// that are looked at.
    pub fn hang(
        db: &Db,
        config: &Config,
        dir: &Path,
        files: Arc<dyn BlobStore>,
    ) -> Result<Door, ServerError> {
        let db = db.clone();
        Ok(match db.instance().witness() {
            Witness::Sandbox(witness) => {
                let simulator = Simulator::new(&witness, db.clone());
                let ports = Ports {
                    mail: simulator.clone(),
                    sms: simulator.clone(),
                    push: simulator.clone(),
                    video: simulator.clone(),
                    scan: simulator.clone(),
                };
                let dispatcher = Dispatcher::new(db, ports).map_err(StoreError::Foreign)?;
                let dispatcher =
                    dispatcher.keeping_rooms(KEEP).asking(REACH).telling(TELL).reading(files);
                Door::Sandbox(dispatcher, simulator)
            }
            Witness::Production(witness) => {
                let connectors = config.connectors(&witness);
                let ports = Ports {
                    mail: LiveMail::arm(&witness, connectors, dir)?,
                    sms: LiveSms::arm(&witness, connectors, dir)?,
                    push: LivePush::arm(&witness, connectors, dir)?,
                    video: LiveVideo::arm(&witness, connectors, dir)?,
                    scan: LiveScan::arm(&witness, connectors, dir)?,
                };
                let callbacks = Callbacks::arm(&witness, connectors, dir)?;
                let dispatcher = Dispatcher::new(db, ports).map_err(StoreError::Foreign)?;
                let dispatcher =
                    dispatcher.keeping_rooms(KEEP).asking(REACH).telling(TELL).reading(files);
                Door::Production(Box::new(dispatcher), callbacks)
            }
        })
    }

    /// Who may tell what became of real messages; nobody in a Sandbox.
    pub const fn callbacks(&self) -> Option<&Callbacks> {
        match self {
            Door::Sandbox(..) => None,
            Door::Production(_, callbacks) => Some(callbacks),
        }
    }

    /// Does some of what is due of one class; how many jobs.
    pub async fn run_class(&self, class: EffectClass) -> Result<u64, StoreError> {
        let report = match self {
            Door::Sandbox(dispatcher, _) => dispatcher.run_class(class).await?,
            Door::Production(dispatcher, _) => dispatcher.run_class(class).await?,
        };
        Ok(report.total())
    }

    /// Tells some of what becomes of simulated messages; how many jobs.
    pub async fn report_batch(&self) -> Result<u64, StoreError> {
        match self {
            Door::Sandbox(_, simulator) => simulator.report_batch().await,
            Door::Production(..) => Ok(0),
        }
    }

    /// Does some of what is due, of all sorts.
    pub async fn run_batch(&self) -> Result<Ran, StoreError> {
        let (report, told) = match self {
            Door::Sandbox(dispatcher, simulator) => {
                (dispatcher.run_batch().await?, simulator.report_batch().await?)
            }
            Door::Production(dispatcher, _) => (dispatcher.run_batch().await?, 0),
        };
        Ok(Ran { jobs: report.total() + told, effects: report.done, ..Ran::default() })
    }

    /// Whether effects of a class are handed over, when the class is on.
    pub fn is_connected(&self, class: EffectClass) -> bool {
        match self {
            Door::Sandbox(dispatcher, _) => dispatcher.is_connected(class),
            Door::Production(dispatcher, _) => dispatcher.is_connected(class),
        }
    }

    /// Whether effects of a class happen now.
    pub async fn is_open(&self, db: &Db, class: EffectClass) -> Result<bool, StoreError> {
        let kind = db.instance().kind();
        let policy = ward_effects::policy(&mut db.read().await?, kind, class).await?;
        Ok(policy.mode == EffectMode::Live && self.is_connected(class))
    }

    /// Lets go what waits of a class and may happen now.
    pub async fn release(&self, db: &Db, class: EffectClass) -> Result<Released, StoreError> {
        match self.is_connected(class) {
            true => ward_effects::release(db, class).await,
            false => Ok(Released::default()),
        }
    }

    /// The same of one organization only.
    pub async fn release_own(
        &self,
        db: &Db,
        class: EffectClass,
        org_id: i64,
    ) -> Result<Released, StoreError> {
        match self.is_connected(class) {
            true => ward_effects::release_own(db, class, org_id).await,
            false => Ok(Released::default()),
        }
    }

    /// Looks at every class: what would come too late is given up, what waits of an open one is let
    /// go, and the instance is told which ways out there are. Another process may have switched one.
    pub async fn look(&self, db: &Db) -> Result<(), StoreError> {
        ward_effects::expire(db).await?;
        for class in EffectClass::ALL {
            self.release(db, class).await?;
        }
        self.tell(db).await
    }

    /// Tells the instance which ways out there are; writes nothing.
    pub async fn tell(&self, db: &Db) -> Result<(), StoreError> {
        let open = self.is_open(db, EffectClass::AccountMail).await?;
        db.instance().reach().set_email(open);
        Ok(())
    }
}
