//! Why a message has no text. No sentence repeats a value of the payload.

/// Why a message can't be rendered; trying again does not help.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RenderError {
    /// There is no template of this kind.
    #[error("there is no mail of this kind")]
    UnknownKind,
    /// The payload is not an object of the expected members.
    #[error("the payload does not have the members of its kind")]
    Payload,
    /// The payload lacks what the kind needs.
    #[error("the payload lacks `{0}`")]
    Missing(&'static str),
    /// A list is longer than it may be.
    #[error("the payload has too many `{0}`")]
    TooMany(&'static str),
    /// The address can't be one.
    #[error("the address is not an e-mail address")]
    Address,
    /// The number can't be one.
    #[error("the address is not a telephone number")]
    Number,
    /// The device's name can't be one.
    #[error("the address is not the name of a device")]
    Device,
    /// The text is longer than it may be.
    #[error("the text is too long")]
    TooLong,
    /// A link leads elsewhere than to this instance (ISO-24).
    #[error("E-ISO-24: a link does not lead to this instance")]
    ForeignLink,
    /// A look at a file is told to nobody.
    #[error("a look at a file has no text")]
    NoText,
    /// The template engine refused; a defect of ours.
    #[error("the template fails: {0}")]
    Template(String),
}

impl From<minijinja::Error> for RenderError {
    fn from(error: minijinja::Error) -> Self {
        RenderError::Template(error.kind().to_string())
    }
}
