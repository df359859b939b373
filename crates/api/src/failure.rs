//! How a request fails, and the one place where a failure becomes an answer: `{"error": "..."}` with a status that says
//! whose fault it is.
//!
//! - the caller's: 400 not understood, 401 no token, 403 and 421 from elsewhere, 404, 408 the body came too slowly, 409 not
//!   now, 413 too large, 415 wrong type, 422 understood and refused, 429 held, 431 a head that is too large;
//! - 503: the database is away, or too many callers are there; later it may work;
//! - 504: what takes too long in the database, and would take as long again;
//! - 500: a fault in Attune, logged here, once.

use std::error::Error;

use attune_common::db;
use attune_core::pack::Fault;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::{BoxError, Json};
use serde_json::{Value, json};

/// How a request fails.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The caller can do something about it.
    Refused(StatusCode, String),
    /// The author of a pack can do something about it.
    Faulty(String, Vec<Fault>),
    /// The caller can, after so many seconds.
    Later(i64, String),
    /// Other callers take what this one needs; the words say what.
    Busy(String),
    /// Time can.
    Unavailable(Box<dyn Error + Send + Sync>),
    /// We can.
    Bug(Box<dyn Error + Send + Sync>),
}

impl Failure {
    pub(crate) fn bad_request(message: impl Into<String>) -> Self {
        Self::Refused(StatusCode::BAD_REQUEST, message.into())
    }

    pub(crate) fn not_found(message: impl Into<String>) -> Self {
        Self::Refused(StatusCode::NOT_FOUND, message.into())
    }

    pub(crate) fn conflict(message: impl Into<String>) -> Self {
        Self::Refused(StatusCode::CONFLICT, message.into())
    }

    pub(crate) fn unprocessable(message: impl Into<String>) -> Self {
        Self::Refused(StatusCode::UNPROCESSABLE_ENTITY, message.into())
    }

    pub(crate) fn too_slow(message: impl Into<String>) -> Self {
        Self::Refused(StatusCode::GATEWAY_TIMEOUT, message.into())
    }

    /// A failure whose kind the database's error says, within an error that says what was attempted.
    pub(crate) fn database(kind: Kind, whole: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        match kind {
            Kind::Value(message) => Self::unprocessable(format!("the database cannot store this: {message}")),
            Kind::Transient => Self::Unavailable(whole.into()),
            Kind::TooSlow => Self::too_slow("this took longer in the database than a statement may"),
            Kind::Other => Self::Bug(whole.into()),
        }
    }

    /// What ends an answer that has begun.
    pub(crate) fn into_error(self) -> BoxError {
        self.log();
        self.body().to_string().into()
    }

    fn status(&self) -> StatusCode {
        match self {
            Self::Refused(status, _) => *status,
            Self::Faulty(..) => StatusCode::UNPROCESSABLE_ENTITY,
            Self::Later(..) => StatusCode::TOO_MANY_REQUESTS,
            Self::Busy(_) | Self::Unavailable(_) => StatusCode::SERVICE_UNAVAILABLE,
            Self::Bug(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    fn body(&self) -> Value {
        match self {
            Self::Refused(_, message) | Self::Later(_, message) | Self::Busy(message) => {
                json!({"error": message})
            }
            Self::Faulty(message, faults) => {
                json!({"error": message, "faults": faults.iter().map(fault).collect::<Vec<_>>()})
            }
            Self::Unavailable(_) => json!({"error": "the database does not answer; try again"}),
            Self::Bug(_) => json!({"error": "internal error; the log of the API says more"}),
        }
    }

    fn log(&self) {
        match self {
            Self::Refused(..) | Self::Faulty(..) | Self::Later(..) | Self::Busy(_) => (),
            Self::Unavailable(error) => {
                tracing::warn!(error = &**error as &dyn Error, "A request failed for now");
            }
            Self::Bug(error) => tracing::error!(error = &**error as &dyn Error, "A request failed"),
        }
    }
}

impl From<sqlx::Error> for Failure {
    fn from(error: sqlx::Error) -> Self {
        Self::database(Kind::of(&error), error)
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        self.log();
        let mut response = (self.status(), Json(self.body())).into_response();
        let hint = match self {
            Self::Refused(StatusCode::UNAUTHORIZED, _) => {
                Some((header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer")))
            }
            Self::Busy(_) | Self::Unavailable(_) => Some((header::RETRY_AFTER, HeaderValue::from(1))),
            Self::Later(seconds, _) => Some((header::RETRY_AFTER, HeaderValue::from(seconds))),
            _ => None,
        };
        response.headers_mut().extend(hint);
        response
    }
}

/// What a failure of the database means.
#[derive(Debug)]
pub(crate) enum Kind {
    /// It has no place for a value; its words, which name none.
    Value(String),
    /// Later it may work.
    Transient,
    /// The database ended a statement that took too long, and would again.
    TooSlow,
    /// It was not foreseen.
    Other,
}

impl Kind {
    pub(crate) fn of(error: &sqlx::Error) -> Self {
        let general = if db::is_transient(error) { Self::Transient } else { Self::Other };
        let Some(database) = error.as_database_error() else { return general };
        match database.code().unwrap_or_default().as_ref() {
            // Data exceptions, and limits such as the size of an index entry.
            code if code.starts_with("22") || code.starts_with("54") => {
                Self::Value(database.message().to_owned())
            }
            // A statement that ran out of time.
            "57014" => Self::TooSlow,
            _ => general,
        }
    }
}

fn fault(fault: &Fault) -> Value {
    json!({"file": fault.file, "line": fault.line, "field": fault.field, "message": fault.message})
}
