//! The Sandbox's scanner. It opens no socket and knows two marks: the test file of the trade, which
//! is harmless and every scanner reports, and one of its own, for a scanner that is down.

use ward_store::blobs::Download;

use crate::scanner::{Judged, Scanner, unreadable};
use crate::sim::simulator::Simulator;

/// The 68 bytes of the EICAR test file, written backwards, so that no scanner takes this source or
/// this program for it.
const EICAR_BACKWARDS: &[u8; 68] =
    b"*H+H$!ELIF-TSET-SURIVITNA-DRADNATS-RACIE$}7)CC7)^P(45XZP\\4[PA@%P!O5X";

/// What is reported of it, as clamd calls it.
const THREAT: &str = "Eicar-Test-Signature";

/// A file that has this in it is looked at by a scanner that does not answer.
const FAILS: &[u8] = b"WARD-SCAN-FAILS";

/// Looks for marks anywhere in a file that comes in chunks.
struct Marks {
    eicar: Vec<u8>,
    /// The end of what came, in which a mark may have begun.
    held: Vec<u8>,
    is_infected: bool,
    fails: bool,
}

impl Marks {
    fn new() -> Self {
        let eicar = EICAR_BACKWARDS.iter().rev().copied().collect();
        Marks { eicar, held: Vec::new(), is_infected: false, fails: false }
    }

    fn take(&mut self, chunk: &[u8]) {
        self.held.extend_from_slice(chunk);
        self.is_infected |= has(&self.held, &self.eicar);
        self.fails |= has(&self.held, FAILS);
        let longest = self.eicar.len().max(FAILS.len());
        let over = self.held.len().saturating_sub(longest - 1);
        self.held.drain(..over);
    }

    fn judged(&self) -> Judged {
        match (self.fails, self.is_infected) {
            (true, _) => {
                Judged::Failed { reason: "the scanner does not answer".to_owned(), retry: true }
            }
            (false, true) => Judged::Found { threat: THREAT.to_owned() },
            (false, false) => Judged::Clean,
        }
    }
}

fn has(bytes: &[u8], mark: &[u8]) -> bool {
    bytes.windows(mark.len()).any(|part| part == mark)
}

impl Scanner for Simulator {
    fn is_connected(&self) -> bool {
        true
    }

    async fn scan(&self, file: &mut Download) -> Judged {
        let mut marks = Marks::new();
        loop {
            match file.chunk().await {
                Ok(Some(chunk)) => marks.take(&chunk),
                Ok(None) => return marks.judged(),
                Err(error) => return unreadable(&error),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(chunks: &[&[u8]]) -> Judged {
        let mut marks = Marks::new();
        for chunk in chunks {
            marks.take(chunk);
        }
        marks.judged()
    }

    fn eicar() -> Vec<u8> {
        Marks::new().eicar
    }

    #[test]
    fn the_test_file_wherever_it_is_cut() {
        let found = Judged::Found { threat: THREAT.to_owned() };
        let whole = eicar();
        assert!(whole.starts_with(b"X5O!") && whole.ends_with(b"$H+H*"));
        assert_eq!(judged(&[&whole]), found);
        for cut in 0..=whole.len() {
            let (head, tail) = whole.split_at(cut);
            let head = [b"before ".as_slice(), head].concat();
            let tail = [tail, b"\r\n".as_slice()].concat();
            assert_eq!(judged(&[&head, &tail]), found, "{cut}");
        }
        let bytes: Vec<&[u8]> = whole.chunks(1).collect();
        assert_eq!(judged(&bytes), found);
    }

    #[test]
    fn nothing_else_is_found() {
        let whole = eicar();
        let (head, tail) = whole.split_at(30);
        let clean: [&[&[u8]]; 5] = [&[], &[b""], &[head], &[tail, head], &[head, b" ", tail]];
        for chunks in clean {
            assert_eq!(judged(chunks), Judged::Clean, "{chunks:?}");
        }
    }

    #[test]
    fn a_scanner_that_is_down() {
        let fails = judged(&[b"WARD-SCAN-", b"FAILS"]);
        assert!(matches!(fails, Judged::Failed { retry: true, .. }), "{fails:?}");
        assert_eq!(judged(&[FAILS, &eicar()]), fails);
    }
}
