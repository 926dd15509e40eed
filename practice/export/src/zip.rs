//! The bytes of a ZIP archive, made piece by piece, so that an archive is never in memory whole.
//! What is read as text is packed; stored files, which mostly are packed in themselves, are not.

use std::io::{self, Write};
use std::mem;
use std::sync::Arc;

use parking_lot::Mutex;
use zip::write::{SimpleFileOptions, StreamWriter};
use zip::{CompressionMethod, ZipWriter};

/// How an entry's bytes are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Packing {
    /// As they are.
    Stored,
    /// Smaller.
    Packed,
}

/// An archive that is being written. It bears no times: the same rows make the same archive.
pub struct Zip {
    writer: ZipWriter<StreamWriter<Pending>>,
    pending: Pending,
}

/// Bytes of the archive that nobody has taken.
#[derive(Clone, Default)]
struct Pending(Arc<Mutex<Vec<u8>>>);

impl Pending {
    fn take(&self) -> Vec<u8> {
        mem::take(&mut self.0.lock())
    }
}

impl Write for Pending {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Default for Zip {
    fn default() -> Self {
        let pending = Pending::default();
        Zip { writer: ZipWriter::new_stream(pending.clone()), pending }
    }
}

impl Zip {
    /// Begins an entry, whose bytes follow.
    pub fn begin(&mut self, name: &str, packing: Packing) -> io::Result<()> {
        let method = match packing {
            Packing::Stored => CompressionMethod::Stored,
            Packing::Packed => CompressionMethod::Deflated,
        };
        let options = SimpleFileOptions::default().compression_method(method);
        Ok(self.writer.start_file(name, options)?)
    }

    /// Takes the next bytes of the entry; the archive's own that are ready now.
    pub fn write(&mut self, bytes: &[u8]) -> io::Result<Vec<u8>> {
        self.writer.write_all(bytes)?;
        Ok(self.pending.take())
    }

    /// Ends the archive; its last bytes.
    pub fn finish(self) -> io::Result<Vec<u8>> {
        self.writer.finish()?;
        Ok(self.pending.take())
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Cursor, Read};

    use proptest::prelude::*;
    use zip::ZipArchive;

    use super::*;

    fn packing() -> impl Strategy<Value = Packing> {
        prop_oneof![Just(Packing::Stored), Just(Packing::Packed)]
    }

    fn written(entries: &[(Packing, Vec<Vec<u8>>)]) -> io::Result<Vec<u8>> {
        let (mut zip, mut out) = (Zip::default(), Vec::new());
        for (at, (packing, pieces)) in entries.iter().enumerate() {
            zip.begin(&format!("data/{at} é.json"), *packing)?;
            for piece in pieces {
                out.extend(zip.write(piece)?);
            }
        }
        out.extend(zip.finish()?);
        Ok(out)
    }

    proptest! {
        #[test]
        fn what_was_written_is_read(
            entries in prop::collection::vec(
                (packing(), prop::collection::vec(prop::collection::vec(any::<u8>(), 0..300), 0..4)),
                0..5,
            ),
        ) {
            let bytes = written(&entries).unwrap();
            prop_assert_eq!(&written(&entries).unwrap(), &bytes);
            let mut archive = ZipArchive::new(Cursor::new(bytes)).unwrap();
            prop_assert_eq!(archive.len(), entries.len());
            for (at, (_, pieces)) in entries.iter().enumerate() {
                let mut entry = archive.by_name(&format!("data/{at} é.json")).unwrap();
                let mut read = Vec::new();
                entry.read_to_end(&mut read).unwrap();
                prop_assert_eq!(read, pieces.concat());
            }
        }
    }

    #[test]
    fn text_gets_smaller_and_files_stay_as_they_are() {
        let text = "the same again ".repeat(1_000).into_bytes();
        let size = |packing| written(&[(packing, vec![text.clone()])]).unwrap().len();
        assert!(size(Packing::Packed) < text.len() / 10);
        assert!(size(Packing::Stored) >= text.len());
    }
}
