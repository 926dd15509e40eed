//! The two environments as types: which connector stands at which place.

use ward_instance::Kind;

use crate::mail::awaiting::AwaitingMail;
use crate::mail::port::MailPort;
use crate::mail::simulator::SimMail;

mod sealed {
    /// Only this crate says what an environment is.
    pub trait Sealed {}
}

/// An environment: the connectors that its dispatcher holds.
///
/// There are two, and no crate can add a third. Later classes of effects (SMS, fax, cards,
/// clearing, prescriptions, laboratories, video, calendars) each add an associated type here.
pub trait Env: sealed::Sealed + Send + Sync + 'static {
    /// Where e-mail goes.
    type Mail: MailPort;
    /// The kind of instance that it belongs to.
    const KIND: Kind;
}

/// The Sandbox: every connector is a simulator.
#[derive(Clone, Copy, Debug)]
pub enum SandboxEnv {}

/// Production: every connector is live, or says that none is there yet.
#[derive(Clone, Copy, Debug)]
pub enum ProductionEnv {}

impl sealed::Sealed for SandboxEnv {}
impl sealed::Sealed for ProductionEnv {}

impl Env for SandboxEnv {
    type Mail = SimMail;
    const KIND: Kind = Kind::Sandbox;
}

impl Env for ProductionEnv {
    type Mail = AwaitingMail;
    const KIND: Kind = Kind::Production;
}
