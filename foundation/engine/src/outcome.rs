//! How an operation says no, and how an error looks on the wire (behaviour 4).

use ward_store::{Flag, StoreError};

/// The one sentence for a missing permission (behaviour 4.3).
pub const DENIED: &str = "You don't have permission to perform this operation. Please reach out to support if the problem persists";

/// One entry of a payload's `messages` (behaviour 4.2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldProblem {
    /// The input name, `base` for the whole record, or nothing.
    pub field: Option<String>,
    /// One sentence: what is wrong and how to mend it.
    pub message: String,
}

/// An error in the top-level `errors`.
#[derive(Clone, Debug, PartialEq)]
pub struct RequestError {
    /// One sentence.
    pub message: String,
    /// `extensions`, such as the code.
    pub extensions: serde_json::Map<String, serde_json::Value>,
    /// Line and column in the document.
    pub location: Option<(usize, usize)>,
    /// Where in the answer; filled in by the writer.
    pub path: Vec<PathStep>,
}

/// A step of an error's path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PathStep {
    /// A response key.
    Key(Box<str>),
    /// A position in a list.
    Index(usize),
}

impl RequestError {
    /// With only a message.
    pub fn new(message: impl Into<String>) -> Self {
        RequestError {
            message: message.into(),
            extensions: serde_json::Map::new(),
            location: None,
            path: Vec::new(),
        }
    }

    /// With a code in `extensions`.
    pub fn coded(code: &str, message: impl Into<String>) -> Self {
        Self::new(message).with("code", code)
    }

    /// With a further member of `extensions`.
    #[must_use]
    pub fn with(mut self, key: &str, value: impl Into<serde_json::Value>) -> Self {
        self.extensions.insert(key.to_owned(), value.into());
        self
    }

    /// The permission error; the missing flag is named, since only the holder
    /// of the credential reads the answer.
    pub fn denied(permission: &str) -> Self {
        Self::coded("PERMISSION_DENIED", DENIED).with("permission", permission)
    }

    /// As JSON.
    pub fn to_json(&self) -> serde_json::Value {
        let mut object = serde_json::Map::new();
        object.insert("message".into(), self.message.clone().into());
        if let Some((line, column)) = self.location {
            object
                .insert("locations".into(), serde_json::json!([{"line": line, "column": column}]));
        }
        if !self.path.is_empty() {
            let steps = self.path.iter().map(|step| match step {
                PathStep::Key(key) => serde_json::Value::from(key.as_ref()),
                PathStep::Index(n) => serde_json::Value::from(*n),
            });
            object.insert("path".into(), steps.collect());
        }
        if !self.extensions.is_empty() {
            object.insert("extensions".into(), self.extensions.clone().into());
        }
        object.into()
    }
}

/// The error of a session that still awaits its second factor.
pub fn code_wanted() -> RequestError {
    RequestError::coded(
        "VERIFICATION_REQUIRED",
        "Enter your verification code first (validateVerificationToken). Nothing was executed.",
    )
}

/// A permission with the name that its holder knows it by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Permission {
    /// Its number in the actor's set.
    pub flag: Flag,
    /// Its name in the contract, such as `can_add_clients`.
    pub name: &'static str,
}

/// Why an operation did not do what was asked. Nothing of it was written.
#[derive(Debug)]
pub enum Refused {
    /// Business validation: the payload's `messages`.
    Problems(Vec<FieldProblem>),
    /// An id, key or token of another environment, instance or epoch: a
    /// message on the field and a top-level error with the code.
    Foreign {
        /// The argument or input field.
        argument: String,
        /// `WRONG_ENVIRONMENT_ID`, `STALE_EPOCH_ID` or `WRONG_ENVIRONMENT_TOKEN`.
        code: &'static str,
        /// One sentence.
        message: String,
    },
    /// What an argument names does not exist or is not visible: the two are
    /// never told apart (behaviour 4.4). Null for a query; for a mutation
    /// `messages` on the field.
    NotFound(String),
    /// A missing permission: top-level and in `messages`.
    Denied(Permission),
    /// A top-level error only.
    Error(RequestError),
    /// The store failed.
    Store(StoreError),
}

impl Refused {
    /// One problem on one input field.
    pub fn on(field: impl Into<String>, message: impl Into<String>) -> Self {
        Refused::Problems(vec![FieldProblem { field: Some(field.into()), message: message.into() }])
    }

    /// One problem with the whole record.
    pub fn base(message: impl Into<String>) -> Self {
        Self::on("base", message)
    }

    /// The object that an input field names does not exist or is not visible.
    pub fn not_found(field: impl Into<String>) -> Self {
        Refused::NotFound(field.into())
    }

    /// The payload's `messages` and the top-level error of a refused mutation.
    pub fn told(self) -> Result<(Vec<FieldProblem>, Option<RequestError>), StoreError> {
        let problem = |field: Option<&str>, message: &str| {
            vec![FieldProblem { field: field.map(str::to_owned), message: message.to_owned() }]
        };
        Ok(match self {
            Refused::Problems(problems) => (problems, None),
            Refused::NotFound(field) => (problem(Some(&field), "Object not found"), None),
            Refused::Denied(permission) => {
                (problem(Some("base"), DENIED), Some(RequestError::denied(permission.name)))
            }
            Refused::Foreign { argument, code, message } => {
                let field = crate::input::last_step(&argument).to_owned();
                let error = RequestError::coded(code, &message).with("argument", argument);
                (problem(Some(&field), &message), Some(error))
            }
            Refused::Error(error) => (problem(Some("base"), &error.message), Some(error)),
            Refused::Store(error) => return Err(error),
        })
    }

    /// The top-level error of a refused query field; nothing when the field is
    /// simply null.
    pub fn told_of_query(self) -> Result<Option<RequestError>, StoreError> {
        Ok(match self {
            Refused::NotFound(_) => None,
            Refused::Problems(problems) => {
                problems.into_iter().next().map(|problem| RequestError::new(problem.message))
            }
            other => other.told()?.1,
        })
    }
}

impl ward_store::Failure for Refused {
    fn store(&self) -> Option<&StoreError> {
        match self {
            Refused::Store(error) => Some(error),
            _ => None,
        }
    }
}

impl From<StoreError> for Refused {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Conflict => Refused::base(
                "The record was changed by another request at the same time. Read it again and retry.",
            ),
            other => Refused::Store(other),
        }
    }
}

/// Problems gathered by a rule: all at once, in the order they were found.
#[derive(Debug, Default)]
pub struct Problems(Vec<FieldProblem>);

impl Problems {
    /// None yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// One more.
    pub fn add(&mut self, field: &str, message: impl Into<String>) {
        self.0.push(FieldProblem { field: Some(field.to_owned()), message: message.into() });
    }

    /// All of them, in the order they were found.
    pub fn iter(&self) -> std::slice::Iter<'_, FieldProblem> {
        self.0.iter()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// A refusal if there is any problem.
    pub fn check(self) -> Result<(), Refused> {
        if self.0.is_empty() { Ok(()) } else { Err(Refused::Problems(self.0)) }
    }
}

/// What an operation answers.
pub type Answer<T> = Result<T, Refused>;
