//! The two environments as types: which connector stands at which place.

use std::marker::PhantomData;

use ward_instance::Kind;
use ward_store::system::EffectClass;

use crate::mail::render_error::RenderError;
use crate::message::Message;
use crate::port::{Live, Port, Sent};
use crate::scanner::{LiveScanner, Scanner};
use crate::sim::simulator::Simulator;

mod sealed {
    /// Only this crate says what an environment is.
    pub trait Sealed {}
}

/// An environment: the connectors that its dispatcher holds.
///
/// There are two, and no crate can add a third. Later classes of effects (voice, fax, cards,
/// clearing, prescriptions, laboratories, calendars) each add an associated type here.
pub trait Env: sealed::Sealed + Send + Sync + 'static {
    /// Where e-mail goes.
    type Mail: Port;
    /// Where SMS go.
    type Sms: Port;
    /// Where notifications to apps go.
    type Push: Port;
    /// Who has rooms for video calls.
    type Video: Port;
    /// Who looks at stored files for malware.
    type Scan: Scanner;
    /// The kind of instance that it belongs to.
    const KIND: Kind;
}

/// The Sandbox: every connector is a simulator.
#[derive(Clone, Copy, Debug)]
pub enum SandboxEnv {}

/// Production: every connector is live, or says that none is there.
#[derive(Clone, Copy, Debug)]
pub struct ProductionEnv<M, S, P, V, F>(PhantomData<(M, S, P, V, F)>);

impl sealed::Sealed for SandboxEnv {}
impl<M, S, P, V, F> sealed::Sealed for ProductionEnv<M, S, P, V, F> {}

impl Env for SandboxEnv {
    type Mail = Simulator;
    type Sms = Simulator;
    type Push = Simulator;
    type Video = Simulator;
    type Scan = Simulator;
    const KIND: Kind = Kind::Sandbox;
}

impl<M: Live, S: Live, P: Live, V: Live, F: LiveScanner> Env for ProductionEnv<M, S, P, V, F> {
    type Mail = M;
    type Sms = S;
    type Push = P;
    type Video = V;
    type Scan = F;
    const KIND: Kind = Kind::Production;
}

/// The connectors of an environment.
pub struct Ports<E: Env> {
    /// For e-mail, of both classes.
    pub mail: E::Mail,
    /// For SMS.
    pub sms: E::Sms,
    /// For notifications to apps.
    pub push: E::Push,
    /// For rooms of video calls.
    pub video: E::Video,
    /// For looks at stored files.
    pub scan: E::Scan,
}

impl<E: Env> Ports<E> {
    /// Whether effects of a class are handed over; of looks at files, whether the scanner is there now.
    pub fn is_connected(&self, class: EffectClass) -> bool {
        match class {
            EffectClass::AccountMail | EffectClass::Email => self.mail.is_connected(),
            EffectClass::Sms => self.sms.is_connected(),
            EffectClass::Push => self.push.is_connected(),
            EffectClass::Video => self.video.is_connected(),
            EffectClass::Scan => self.scan.is_connected(),
        }
    }

    /// Hands a message over to the connector of its class.
    pub(crate) async fn send(&self, message: &Message) -> Sent {
        match message.class {
            EffectClass::AccountMail | EffectClass::Email => self.mail.send(message).await,
            EffectClass::Sms => self.sms.send(message).await,
            EffectClass::Push => self.push.send(message).await,
            EffectClass::Video => self.video.send(message).await,
            // No message is made of a look at a file.
            EffectClass::Scan => {
                Sent::Failed { reason: RenderError::NoText.to_string(), retry: false }
            }
        }
    }
}
