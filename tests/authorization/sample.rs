//! Which part of the whole a run tries: all of it in a soak, else a twentieth that the commit
//! draws, so that every commit tries another part and can be tried again.

use std::process::Command;

use ward_tests::tell;

/// One in so many.
const PART: u64 = 20;

/// The lot.
#[derive(Clone, Copy, Debug)]
pub struct Sample {
    seed: u64,
    whole: bool,
}

impl Sample {
    /// By the commit, or by `WARD_MATRIX_SEED`; all with `WARD_SOAK=1`. Says which.
    pub fn announced(what: &str) -> Sample {
        let variable = |name: &str| std::env::var(name).ok();
        let whole = variable("WARD_SOAK").is_some_and(|value| value == "1");
        let given = variable("WARD_MATRIX_SEED").and_then(|text| text.parse().ok());
        let seed = given.unwrap_or_else(|| mixed(0, &git(&["rev-parse", "HEAD"])));
        let part = if whole { "all of it" } else { "a twentieth and what is new" };
        tell(what, format_args!("{part}; seed {seed} (repeat with WARD_MATRIX_SEED={seed})"));
        Sample { seed, whole }
    }

    /// Whether the run is a whole one.
    pub const fn is_whole(self) -> bool {
        self.whole
    }

    /// Whether a thing is tried.
    pub fn has(self, thing: &str) -> bool {
        self.whole || self.draws(thing)
    }

    /// Whether a thing is one of the twentieth, whatever the run is.
    pub fn draws(self, thing: &str) -> bool {
        self.draws_one_in(PART, thing)
    }

    /// Whether a thing is one of such a part.
    pub fn draws_one_in(self, part: u64, thing: &str) -> bool {
        mixed(self.seed, thing).is_multiple_of(part)
    }
}

/// What git says, empty where it says nothing.
pub fn git(arguments: &[&str]) -> String {
    let mut command = Command::new("git");
    let asked = command.args(arguments).current_dir(env!("CARGO_MANIFEST_DIR")).output();
    asked.map(|output| String::from_utf8_lossy(&output.stdout).into_owned()).unwrap_or_default()
}

/// FNV-1a, and a last stir so that the low bits depend on all.
fn mixed(seed: u64, text: &str) -> u64 {
    let start = 0xcbf2_9ce4_8422_2325 ^ seed;
    let hash = text
        .bytes()
        .fold(start, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    (hash ^ (hash >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd) >> 16
}
