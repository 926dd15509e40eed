//! Who may tell what became of a message: the mail server and the SMS provider, each by a token of
//! its own.

use std::path::Path;

use ward_effects::Medium;
use ward_instance::config::Connectors;
use ward_instance::{InstanceError, Key, ProductionWitness, mac};

use crate::secret;

/// The least that a token has, in characters: it is guessed at from outside.
const TOKEN_CHARS: usize = 32;

/// What a token is authenticated over.
const PURPOSE: &[u8] = b"ward/callback/v1";

/// The tokens that reports are taken with.
pub struct Callbacks {
    email: Option<Key>,
    sms: Option<Key>,
}

impl Callbacks {
    /// Arms those that the configuration names. Paths are those of the instance's directory `dir`
    /// unless they are absolute.
    pub fn arm(
        _: &ProductionWitness,
        config: &Connectors,
        dir: &Path,
    ) -> Result<Self, InstanceError> {
        let token = |key: &str, file: &Option<String>| match file {
            None => Ok(None),
            Some(file) => {
                let token = secret::read(key, &dir.join(file))?;
                match token.chars().count() < TOKEN_CHARS {
                    true => Err(InstanceError::config(format!(
                        "{key}: a token has at least {TOKEN_CHARS} characters"
                    ))),
                    false => Ok(Some(key_of(&token))),
                }
            }
        };
        Ok(Callbacks {
            email: token("smtp_callback_token_file", &config.smtp_callback_token_file)?,
            sms: token("sms_callback_token_file", &config.sms_callback_token_file)?,
        })
    }

    /// Whether reports of a medium are taken at all.
    pub fn is_open(&self, medium: Medium) -> bool {
        self.key(medium).is_some()
    }

    /// Whether this is the token of a medium; takes as long whatever of it is right.
    pub fn admits(&self, medium: Medium, token: &str) -> bool {
        let given = mac::mac(&key_of(token), &[PURPOSE]);
        self.key(medium).is_some_and(|key| mac::verify(key, &[PURPOSE], &given))
    }

    const fn key(&self, medium: Medium) -> Option<&Key> {
        match medium {
            Medium::Email => self.email.as_ref(),
            Medium::Sms => self.sms.as_ref(),
            Medium::Push | Medium::Video => None,
        }
    }
}

fn key_of(token: &str) -> Key {
    Key::from_bytes(mac::sha256_fields(&[PURPOSE, token.as_bytes()]))
}
