//! Codes of authenticator apps: RFC 6238 with what every app takes: SHA-1, six
//! digits, half a minute.

use totp_rs::{Algorithm, Builder, Totp};
use ward_instance::{Random, Timestamp};
use ward_store::StoreError;

/// How long a code is shown, in seconds.
pub const STEP_SECONDS: u64 = 30;

const DIGITS: u8 = 6;
/// A code of the step before or after counts too: clocks differ.
const SKEW_STEPS: u16 = 1;
/// As RFC 4226 recommends.
const SECRET_BYTES: usize = 20;

/// An authenticator app's key.
pub struct Secret(Totp);

impl Secret {
    /// A new one, shown in the app as the account at the issuer.
    pub fn draw(random: &Random, issuer: &str, account: &str) -> Result<Self, StoreError> {
        let mut bytes = [0; SECRET_BYTES];
        random.fill(&mut bytes);
        Self::of(totp_rs::Secret::new_stack(bytes), issuer, account)
    }

    /// The one that was kept in base32.
    pub fn from_base32(text: &str) -> Result<Self, StoreError> {
        let secret = totp_rs::Secret::try_from_base32(text);
        let secret = secret.map_err(|_| StoreError::internal("a kept TOTP key is no base32"))?;
        Self::of(secret, "Ward", "account")
    }

    fn of(secret: totp_rs::Secret, issuer: &str, account: &str) -> Result<Self, StoreError> {
        // A colon parts the two in the address that apps read.
        let plain = |text: &str| text.replace(':', " ");
        let totp = Builder::new()
            .with_algorithm(Algorithm::SHA1)
            .with_digits(DIGITS)
            .with_step_duration(STEP_SECONDS)
            .with_skew(SKEW_STEPS)
            .with_secret(secret)
            .with_issuer(Some(plain(issuer)))
            .with_account_name(plain(account))
            .build();
        totp.map(Secret).map_err(|error| StoreError::internal(error.to_string()))
    }

    /// As apps take it by hand, and as it is kept.
    pub fn base32(&self) -> String {
        self.0.secret().to_base32()
    }

    /// The address that apps read as a picture.
    pub fn url(&self) -> Result<String, StoreError> {
        self.0.to_url().map_err(|error| StoreError::internal(error.to_string()))
    }

    /// The time step, near wall time `wall`, that a code belongs to, if it is
    /// later than the last one used: no code is good twice.
    pub fn step_of(&self, code: &str, wall: Timestamp, last: Option<i64>) -> Option<i64> {
        let time = u64::try_from(wall.as_seconds()).ok()?;
        let step = i64::try_from(self.0.check(code, time)?).ok()?;
        last.is_none_or(|last| step > last).then_some(step)
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(hidden)")
    }
}
