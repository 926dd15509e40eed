//! Passwords: what may be one, and how one is kept (behaviour 3.3).
//!
//! At most two hashes are made at once, whatever is asked; who waits behind too
//! many others is refused. No hash is made inside a transaction.

use std::sync::atomic::{AtomicU64, Ordering};

use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use argon2::{Algorithm, Argon2, Params, Version};
use tokio::sync::Semaphore;
use ward_engine::{Refused, RequestError};
use ward_instance::Random;
use ward_store::{StoreError, search};
use zxcvbn::{Score, zxcvbn};

/// Shortest password, in characters.
pub const CHARACTERS_MIN: usize = 10;
/// Longest password, in characters.
pub const CHARACTERS_MAX: usize = 128;

/// A sign-in checks exactly so many hashes, so its time says nothing of how
/// many accounts an address has, or whether it has one.
pub const HASHES_OF_A_SIGN_IN: usize = 4;

/// Characters of a personal text that are looked at: whoever sends more must
/// not make the estimator work for it.
const PERSONAL_CHARACTERS_MAX: usize = 255;
/// Personal words that are looked at, the longest ones.
pub const PERSONAL_WORDS_MAX: usize = 100;

/// So many characters must be left of a password without personal words.
const OWN_CHARACTERS_MIN: usize = 6;

const MEMORY_KIB: u32 = 19 * 1_024;
const PASSES: u32 = 2;
const LANES: u32 = 1;

const AT_ONCE: usize = 2;
/// Requests that may wait for a hash.
const WAITING_MAX: usize = 64;

static RUNNING: Semaphore = Semaphore::const_new(AT_ONCE);
static WAITING: Semaphore = Semaphore::const_new(WAITING_MAX);
static HASHES: AtomicU64 = AtomicU64::new(0);

/// Of no password at all: what an address without account is checked against.
const DUMMY: &str = "$argon2id$v=19$m=19456,t=2,p=1$V2FyZER1bW15U2FsdDAwMQ\
                     $3q2+7wAAAADerb7vAAAAAN6tvu8AAAAA3q2+7wAAAAA";

/// Why a password was not hashed or checked.
#[derive(Debug, thiserror::Error)]
pub enum HashError {
    /// Too many wait already.
    #[error("too many passwords are being checked at the moment")]
    Busy,
    /// The algorithm failed: out of memory, or a damaged hash.
    #[error("a password could not be hashed: {0}")]
    Failed(String),
}

impl From<HashError> for Refused {
    fn from(error: HashError) -> Self {
        match error {
            HashError::Busy => too_many_requests(),
            HashError::Failed(what) => Refused::Store(StoreError::internal(what)),
        }
    }
}

/// The refusal of a caller who asks too often (behaviour 4.3).
pub fn too_many_requests() -> Refused {
    Refused::Error(RequestError::coded(
        "TOO_MANY_REQUESTS",
        "Too many requests. Please try again later.",
    ))
}

/// What is wrong with a password's length. Cheap, whatever is given.
pub fn length_problem(password: &str) -> Option<&'static str> {
    match password.chars().take(CHARACTERS_MAX + 1).count() {
        0 => Some("Password can't be blank"),
        length if length < CHARACTERS_MIN => {
            Some("Password is too short (minimum is 10 characters)")
        }
        length if length > CHARACTERS_MAX => {
            Some("Password is too long (maximum is 128 characters)")
        }
        _ => None,
    }
}

/// [`problems`], beside the requests and no more at once than hashes.
pub async fn judge(password: &str, personal: &[&str]) -> Result<Vec<&'static str>, HashError> {
    if let Some(problem) = length_problem(password) {
        return Ok(vec![problem]);
    }
    let password = password.to_owned();
    let personal: Vec<String> = personal.iter().map(|text| cut(text)).collect();
    run(move || {
        let personal: Vec<&str> = personal.iter().map(String::as_str).collect();
        Ok(problems(&password, &personal))
    })
    .await
}

/// Everything that is wrong with a password, as sentences. `personal` are the
/// person's names, e-mail address and practice. The work is bounded, whatever
/// is given.
pub fn problems(password: &str, personal: &[&str]) -> Vec<&'static str> {
    if let Some(problem) = length_problem(password) {
        return vec![problem];
    }
    let words = personal_words(personal);
    if own_characters(password, &words) < OWN_CHARACTERS_MIN {
        return vec![
            "Password is built from your name, e-mail address or practice. Choose another",
        ];
    }
    let inputs: Vec<&str> = words.iter().map(String::as_str).collect();
    match zxcvbn(password, &inputs).score() {
        Score::Zero | Score::One | Score::Two => {
            vec![
                "Password is too easy to guess. Choose a longer one, such as several unrelated words",
            ]
        }
        _ => Vec::new(),
    }
}

fn cut(text: &str) -> String {
    text.chars().take(PERSONAL_CHARACTERS_MAX).collect()
}

/// The words of names and addresses, three characters or longer, longest first;
/// [`PERSONAL_WORDS_MAX`] at most.
pub fn personal_words(personal: &[&str]) -> Vec<String> {
    let mut words: Vec<String> = personal
        .iter()
        .flat_map(|text| {
            let folded = search::fold(&cut(text));
            let parts: Vec<String> =
                folded.split(|c: char| !c.is_alphanumeric()).map(str::to_owned).collect();
            parts.into_iter().chain([folded.split_whitespace().collect::<String>()])
        })
        .filter(|word| word.chars().count() >= 3)
        .collect();
    words.sort_by_key(|word| (std::cmp::Reverse(word.chars().count()), word.clone()));
    words.dedup();
    words.truncate(PERSONAL_WORDS_MAX);
    words
}

/// How many letters and digits are left without the words.
fn own_characters(password: &str, words: &[String]) -> usize {
    let mut rest = search::fold(password);
    for word in words {
        rest = rest.replace(word.as_str(), " ");
    }
    rest.chars().filter(|c| c.is_alphanumeric()).count()
}

fn argon2() -> Result<Argon2<'static>, HashError> {
    let params = Params::new(MEMORY_KIB, PASSES, LANES, None)
        .map_err(|error| HashError::Failed(error.to_string()))?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

/// Hashes a password, with a salt from the instance's randomness.
pub async fn hash(random: &Random, password: &str) -> Result<String, HashError> {
    let mut salt = [0; 16];
    random.fill(&mut salt);
    let password = password.to_owned();
    run(move || {
        let hash: PasswordHash = argon2()?
            .hash_password_with_salt(password.as_bytes(), &salt)
            .map_err(|error| HashError::Failed(error.to_string()))?;
        HASHES.fetch_add(1, Ordering::Relaxed);
        Ok(hash.to_string())
    })
    .await
}

/// The position of the first hash that the password fits. Checks exactly
/// [`HASHES_OF_A_SIGN_IN`], whether one fits or not.
pub async fn first_match(password: &str, hashes: Vec<String>) -> Result<Option<usize>, HashError> {
    let password = password.to_owned();
    run(move || {
        let argon2 = argon2()?;
        let mut found = None;
        for at in 0..HASHES_OF_A_SIGN_IN {
            let real = hashes.get(at);
            let text = real.map_or(DUMMY, String::as_str);
            let hash =
                PasswordHash::new(text).map_err(|error| HashError::Failed(error.to_string()))?;
            let fits = argon2.verify_password(password.as_bytes(), &hash).is_ok();
            HASHES.fetch_add(1, Ordering::Relaxed);
            if fits && real.is_some() && found.is_none() {
                found = Some(at);
            }
        }
        Ok(found)
    })
    .await
}

/// Whether the password is the one of this hash.
pub async fn fits(password: &str, hash: &str) -> Result<bool, HashError> {
    let (password, hash) = (password.to_owned(), hash.to_owned());
    run(move || {
        let hash =
            PasswordHash::new(&hash).map_err(|error| HashError::Failed(error.to_string()))?;
        HASHES.fetch_add(1, Ordering::Relaxed);
        Ok(argon2()?.verify_password(password.as_bytes(), &hash).is_ok())
    })
    .await
}

/// How many hashes this process has computed.
pub fn hashes_done() -> u64 {
    HASHES.load(Ordering::Relaxed)
}

async fn run<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, HashError> + Send + 'static,
) -> Result<T, HashError> {
    let place = WAITING.try_acquire().map_err(|_| HashError::Busy)?;
    let running = RUNNING.acquire().await.map_err(|_| HashError::Busy)?;
    let done = tokio::task::spawn_blocking(work).await;
    drop((running, place));
    done.map_err(|error| HashError::Failed(error.to_string()))?
}
