//! What handlers return, and what becomes of it.

use std::fmt;

use crate::raw::{self, apus_error};

/// Why a handler gave up.
///
/// Any `std::error::Error` becomes [`Error::Fatal`] by `?`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Error {
    /// The record in hand is bad: it is set aside with the reason, and the job goes on.
    BadRecord(String),
    /// The configuration in the job file is wrong: the job does not start.
    Config(String),
    /// Work cannot go on: the job ends with this message.
    Fatal(String),
}

/// What handlers return.
pub type Result<T = ()> = std::result::Result<T, Error>;

impl Error {
    /// The record in hand is bad.
    pub fn bad_record(reason: impl Into<String>) -> Self {
        Error::BadRecord(reason.into())
    }

    /// The configuration is wrong.
    pub fn config(reason: impl Into<String>) -> Self {
        Error::Config(reason.into())
    }

    /// Work cannot go on.
    pub fn fatal(reason: impl Into<String>) -> Self {
        Error::Fatal(reason.into())
    }

    /// What went wrong.
    pub fn reason(&self) -> &str {
        match self {
            Error::BadRecord(reason) | Error::Config(reason) | Error::Fatal(reason) => reason,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str(self.reason())
    }
}

impl<E: std::error::Error> From<E> for Error {
    fn from(problem: E) -> Self {
        Error::Fatal(problem.to_string())
    }
}

/// Writes into the host's error struct, cut to what fits.
///
/// # Safety
///
/// `slot` is NULL or the host's.
pub(crate) unsafe fn fill(slot: *mut apus_error, code: i32, message: &str) -> i32 {
    if let Some(slot) = slot.as_mut() {
        let len = message.len().min(slot.message.len());
        slot.code = code;
        slot.len = len as u32;
        slot.message[..len].copy_from_slice(&message.as_bytes()[..len]);
    }
    code
}

/// What a code of the host means for a state or a timer.
pub(crate) fn refused(kind: &str, name: &str, code: i32) -> Error {
    let why = match code {
        raw::APUS_UNSUPPORTED => "there is no key here, or this was not declared by the operator",
        raw::APUS_STALE => "it was changed while it was walked through",
        raw::APUS_LIMIT => "a limit is reached",
        raw::APUS_READ_ONLY => "it can be changed in process_broadcast alone",
        _ => return Error::Fatal(format!("{} '{}': the host returned {}", kind, name, code)),
    };
    Error::Fatal(format!("{} '{}': {}", kind, name, why))
}

/// Whether there is something; an error when the host refused.
pub(crate) fn found(kind: &str, name: &str, code: i32) -> Result<bool> {
    match code {
        raw::APUS_OK => Ok(true),
        raw::APUS_NOT_FOUND => Ok(false),
        _ => Err(refused(kind, name, code)),
    }
}
