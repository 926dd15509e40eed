//! The pieces that a backup's body consists of, one after the other: a letter, then what it says.

use std::io::{Read, Write};

use serde::{Deserialize, Serialize};
use ward_instance::envelope::{EnvelopeError, EnvelopeReader, EnvelopeWriter};

use crate::error::StoreError;
use crate::value::Value;

/// No text or value of a backup is longer; the database takes none either.
const LONGEST: u32 = 1 << 30;

/// What the certificate and the files beside the database said.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Facts {
    /// When the instance was born, microseconds since 1970.
    pub born_at: i64,
    /// Its address.
    pub base_url: String,
    /// Its volume and address, as digests.
    pub host_binding: String,
    /// `active` or `quarantined`.
    pub state: String,
    /// The newest migration.
    pub schema_epoch: i64,
    /// How often ids moved on to a fresh slot.
    pub id_epoch: i64,
    /// The id slots of a Sandbox whose ids were good.
    pub slots: Vec<u16>,
    /// All that were ever used, forks' included; not in backups of before this was written down.
    #[serde(default)]
    pub used_slots: Vec<u16>,
    /// Where its files were, unless in this backup.
    pub files_elsewhere: Option<String>,
}

/// What the end of a body says of the whole.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct End {
    /// Tables.
    pub tables: u64,
    /// Rows.
    pub rows: u64,
    /// Files.
    pub files: u64,
}

/// A piece of a body.
#[derive(Clone, Debug, PartialEq)]
pub enum Piece {
    /// The first: of the instance.
    Facts(Facts),
    /// A table's rows follow.
    Table {
        /// Its name.
        name: String,
        /// Its columns, in the order of the values.
        columns: Vec<String>,
    },
    /// A row of the table before.
    Row(Vec<Value>),
    /// A sealed file's bytes follow.
    File(String),
    /// Bytes of the file before.
    Bytes(Vec<u8>),
    /// The last.
    End(End),
}

#[derive(Serialize, Deserialize)]
struct Columns {
    name: String,
    columns: Vec<String>,
}

/// Writes a body into an envelope.
pub struct BodyWriter<W: Write> {
    to: EnvelopeWriter<W>,
    end: End,
    buffer: Vec<u8>,
}

impl<W: Write> BodyWriter<W> {
    /// Into an envelope whose header is written.
    pub fn new(to: EnvelopeWriter<W>) -> Self {
        BodyWriter { to, end: End::default(), buffer: Vec::new() }
    }

    /// What was written so far.
    pub const fn so_far(&self) -> End {
        self.end
    }

    /// The first piece.
    pub fn facts(&mut self, facts: &Facts) -> Result<(), EnvelopeError> {
        self.json(b'I', facts)
    }

    /// Begins a table.
    pub fn table(&mut self, name: &str, columns: &[String]) -> Result<(), EnvelopeError> {
        self.end.tables += 1;
        self.json(b'T', &Columns { name: name.to_owned(), columns: columns.to_vec() })
    }

    /// A row of the table that was begun last.
    pub fn row(&mut self, values: &[Value]) -> Result<(), EnvelopeError> {
        self.end.rows += 1;
        self.buffer.clear();
        self.buffer.push(b'R');
        for value in values {
            match value {
                Value::Null => self.buffer.push(0),
                Value::Int(number) => {
                    self.buffer.push(1);
                    self.buffer.extend_from_slice(&number.to_be_bytes());
                }
                Value::Text(text) => write_bytes(&mut self.buffer, 2, text.as_bytes())?,
                Value::Bytes(bytes) => write_bytes(&mut self.buffer, 3, bytes)?,
                Value::Ints(_) | Value::Texts(_) => {
                    return Err(EnvelopeError::Io(std::io::Error::other("a list is no column")));
                }
            }
        }
        self.to.write(&self.buffer)
    }

    /// Begins a sealed file.
    pub fn file(&mut self, id: &str) -> Result<(), EnvelopeError> {
        self.end.files += 1;
        self.sized(b'F', id.as_bytes())
    }

    /// Bytes of the file that was begun last.
    pub fn bytes(&mut self, bytes: &[u8]) -> Result<(), EnvelopeError> {
        self.sized(b'B', bytes)
    }

    /// Ends the body and the envelope.
    pub fn finish(mut self) -> Result<(End, W), EnvelopeError> {
        let end = self.end;
        self.json(b'E', &end)?;
        Ok((end, self.to.finish()?))
    }

    fn json(&mut self, letter: u8, what: &impl Serialize) -> Result<(), EnvelopeError> {
        let text = serde_json::to_vec(what).map_err(std::io::Error::other)?;
        self.sized(letter, &text)
    }

    fn sized(&mut self, letter: u8, bytes: &[u8]) -> Result<(), EnvelopeError> {
        self.buffer.clear();
        write_bytes(&mut self.buffer, letter, bytes)?;
        self.to.write(&self.buffer)
    }
}

fn write_bytes(to: &mut Vec<u8>, letter: u8, bytes: &[u8]) -> Result<(), EnvelopeError> {
    let length = u32::try_from(bytes.len()).map_err(std::io::Error::other)?;
    to.push(letter);
    to.extend_from_slice(&length.to_be_bytes());
    to.extend_from_slice(bytes);
    Ok(())
}

/// Reads a body out of an envelope.
pub struct BodyReader<R: Read> {
    from: EnvelopeReader<R>,
    /// Values of a row of the table that is being read.
    width: usize,
}

/// Why a body does not read.
#[derive(Debug, thiserror::Error)]
pub enum BodyError {
    /// The envelope.
    #[error(transparent)]
    Envelope(#[from] EnvelopeError),
    /// Authentic, and yet not a body: a defect, or of a later version.
    #[error(transparent)]
    Store(#[from] StoreError),
}

fn malformed() -> BodyError {
    StoreError::corrupt("backup", "a piece of it is not known; was it made by a later version?")
        .into()
}

impl<R: Read> BodyReader<R> {
    /// Out of an envelope that is of this instance.
    pub fn new(from: EnvelopeReader<R>) -> Self {
        BodyReader { from, width: 0 }
    }

    /// The next piece; none when the whole backup was read and nothing of it is missing.
    pub fn piece(&mut self) -> Result<Option<Piece>, BodyError> {
        let mut letter = [0];
        if !self.from.read_exact(&mut letter)? {
            return Ok(None);
        }
        Ok(Some(match letter {
            [b'I'] => Piece::Facts(self.json()?),
            [b'T'] => {
                let Columns { name, columns } = self.json()?;
                self.width = columns.len();
                Piece::Table { name, columns }
            }
            [b'R'] => {
                let values: Result<_, BodyError> = (0..self.width).map(|_| self.value()).collect();
                Piece::Row(values?)
            }
            [b'F'] => Piece::File(self.text()?),
            [b'B'] => Piece::Bytes(self.sized()?),
            [b'E'] => Piece::End(self.json()?),
            _ => return Err(malformed()),
        }))
    }

    fn value(&mut self) -> Result<Value, BodyError> {
        let mut letter = [0];
        self.fill(&mut letter)?;
        Ok(match letter {
            [0] => Value::Null,
            [1] => {
                let mut number = [0; 8];
                self.fill(&mut number)?;
                Value::Int(i64::from_be_bytes(number))
            }
            [2] => Value::Text(self.text()?.into()),
            [3] => Value::Bytes(self.sized()?.into()),
            _ => return Err(malformed()),
        })
    }

    fn json<T: for<'a> Deserialize<'a>>(&mut self) -> Result<T, BodyError> {
        serde_json::from_slice(&self.sized()?).map_err(|_| malformed())
    }

    fn text(&mut self) -> Result<String, BodyError> {
        String::from_utf8(self.sized()?).map_err(|_| malformed())
    }

    fn sized(&mut self) -> Result<Vec<u8>, BodyError> {
        let mut length = [0; 4];
        self.fill(&mut length)?;
        let length = u32::from_be_bytes(length);
        if length > LONGEST {
            return Err(malformed());
        }
        let mut bytes = vec![0; usize::try_from(length).unwrap_or_default()];
        self.fill(&mut bytes)?;
        Ok(bytes)
    }

    fn fill(&mut self, into: &mut [u8]) -> Result<(), BodyError> {
        match into.is_empty() || self.from.read_exact(into)? {
            true => Ok(()),
            false => Err(malformed()),
        }
    }
}
