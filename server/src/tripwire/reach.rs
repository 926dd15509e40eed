//! How far a mutation's texts and files are looked into: so that a look takes no long time, and what
//! holds itself again and again does not take all of the stack. Pure.

/// So much of a text, or of a file that is one, is looked at.
pub const LOOKED_AT: usize = 256 * 1024;
/// So much of all files of a mutation that are text.
const OF_FILES: usize = 1024 * 1024;
/// So many texts of JSON, each in a text or a file of the one before, are read as such. The arrays
/// and objects of one are bounded by who reads it.
const DEPTH: usize = 4;

/// What may still be looked at.
#[derive(Clone, Copy, Debug)]
pub struct Reach {
    /// Bytes of files.
    left: usize,
    /// Texts of JSON around it.
    depth: usize,
}

impl Default for Reach {
    fn default() -> Self {
        Reach { left: OF_FILES, depth: 0 }
    }
}

impl Reach {
    /// So many bytes of the next file are looked at.
    pub fn of_file(self) -> usize {
        LOOKED_AT.min(self.left)
    }

    /// Bytes of a file are being looked at.
    pub fn take(&mut self, bytes: usize) {
        self.left = self.left.saturating_sub(bytes);
    }

    /// Inside a text of JSON, unless that is too deep.
    pub fn deeper(self) -> Option<Self> {
        (self.depth < DEPTH).then_some(Reach { depth: self.depth + 1, ..self })
    }

    /// Out of a text of JSON, in which files may have been.
    pub fn back_from(&mut self, inside: Self) {
        self.left = inside.left;
    }
}
